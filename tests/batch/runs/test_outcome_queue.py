"""Outcomes between the run and its reader."""

import asyncio

from toapis_async import ImageRequest
from toapis_async.batch.outcomes import Item, Saved
from toapis_async.batch.runs.outcome_queue import OutcomeQueue


def saved(number):
    return Saved(item=Item(key=str(number), request=ImageRequest("fox")), files=())


async def test_outcomes_come_in_order_and_end():
    """What was put in comes out, then None for ever."""
    queue = OutcomeQueue(4)
    for number in range(3):
        await queue.put(saved(number))
    queue.end()
    assert [(await queue.get()).item.key for _ in range(3)] == ["0", "1", "2"]
    assert [await queue.get() for _ in range(2)] == [None, None]


async def test_a_full_queue_holds_up_whoever_puts_in():
    """It goes on as soon as the reader has taken one."""
    queue = OutcomeQueue(1)
    await queue.put(saved(0))
    putting = asyncio.create_task(queue.put(saved(1)))
    await asyncio.sleep(0)
    assert not putting.done()
    assert (await queue.get()).item.key == "0"
    await putting
    assert (await queue.get()).item.key == "1"


async def test_the_end_reaches_a_full_queue():
    """What is there when it ends is still read, and then it is over."""
    queue = OutcomeQueue(1)
    await queue.put(saved(0))
    queue.end()
    assert (await queue.get()).item.key == "0"
    assert await queue.get() is None


async def test_the_end_reaches_all_who_read():
    """Every reader that waits hears of it."""
    queue = OutcomeQueue(1)
    readers = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.end()
    assert await asyncio.gather(*readers) == [None] * 3


async def test_a_shut_queue_drops_what_is_there():
    """Whoever still reads hears that it is over, and nothing else."""
    queue = OutcomeQueue(2)
    for number in range(2):
        await queue.put(saved(number))
    queue.shut()
    assert await queue.get() is None
