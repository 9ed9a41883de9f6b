"""The task of one item, and when it is interrupted."""

import asyncio

import pytest

from toapis_async.batch.items.item_task import ItemTask


async def test_an_interruption_strikes_where_the_task_waits():
    """A task that has let itself go is cancelled at once."""
    item_task = ItemTask()

    async def work():
        item_task.unshield()
        await asyncio.sleep(60)

    task = item_task.start(work())
    await asyncio.sleep(0)
    item_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_interruption_waits_for_the_end_of_a_shield():
    """What is shielded is seen to its end; the interruption strikes at the first wait after it."""
    item_task, told, answer = ItemTask(), [], asyncio.Event()

    async def work():
        item_task.unshield()
        item_task.shield()
        await answer.wait()
        told.append("answered")
        item_task.unshield()
        told.append("on the books")
        await asyncio.sleep(60)

    task = item_task.start(work())
    await asyncio.sleep(0)
    item_task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["answered", "on the books"]


async def test_a_task_that_was_interrupted_before_it_began_still_begins():
    """Its first part runs, so that it can give back what was taken for it."""
    item_task, told = ItemTask(), []

    async def work():
        try:
            item_task.unshield()
            await asyncio.sleep(60)
        finally:
            told.append("given back")

    task = item_task.start(work())
    item_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["given back"]


async def test_an_uncancelled_interruption_leaves_no_trace():
    """After a part of the work was cut short the task goes on, and time limits inside it work."""
    item_task = ItemTask()

    async def work():
        item_task.unshield()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            item_task.uncancel()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)

    task = item_task.start(work())
    await asyncio.sleep(0)
    item_task.cancel()
    await task
    assert task.cancelling() == 0
