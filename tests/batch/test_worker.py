"""The task of one item, and when it is interrupted."""

import asyncio

import anyio
import pytest

from toapis_async.batch.worker import Worker, outlast


async def test_an_interruption_strikes_where_the_task_waits():
    """A task that has let itself go is cancelled at once."""
    worker = Worker()

    async def work():
        worker.let_go()
        await asyncio.sleep(60)

    task = worker.start(work())
    await asyncio.sleep(0)
    worker.interrupt()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_interruption_waits_for_the_end_of_a_hold():
    """What is held is seen to its end; the interruption strikes at the first wait after it."""
    worker, told, answer = Worker(), [], asyncio.Event()

    async def work():
        worker.let_go()
        worker.hold()
        await answer.wait()
        told.append("answered")
        worker.let_go()
        told.append("on the books")
        await asyncio.sleep(60)

    task = worker.start(work())
    await asyncio.sleep(0)
    worker.interrupt()
    await asyncio.sleep(0.01)
    assert not task.done()
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["answered", "on the books"]


async def test_a_task_that_was_interrupted_before_it_began_still_begins():
    """Its first part runs, so that it can give back what was taken for it."""
    worker, told = Worker(), []

    async def work():
        try:
            worker.let_go()
            await asyncio.sleep(60)
        finally:
            told.append("given back")

    task = worker.start(work())
    worker.interrupt()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["given back"]


async def test_a_forgiven_interruption_leaves_no_trace():
    """After a part of the work was cut short the task goes on, and time limits inside it work."""
    worker = Worker()

    async def work():
        worker.let_go()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            worker.forgive()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)

    task = worker.start(work())
    await asyncio.sleep(0)
    worker.interrupt()
    await task
    assert task.cancelling() == 0


@pytest.mark.parametrize("scope", ["asyncio", "anyio"])
async def test_tasks_are_outlasted(scope):
    """Whoever waits for them is cancelled only when they have ended, however it is cancelled."""
    ended = []

    async def work():
        await asyncio.sleep(0.05)
        ended.append(True)

    async def owner():
        await outlast({asyncio.create_task(work())})

    if scope == "asyncio":
        owning = asyncio.create_task(owner())
        await asyncio.sleep(0)
        owning.cancel()
        await asyncio.sleep(0)
        owning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await owning
    else:
        with anyio.move_on_after(0.01):
            await owner()
    assert ended == [True]
