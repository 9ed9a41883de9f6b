"""One time limit for everything that is under way."""

import asyncio

import pytest

from toapis_async.transport.time_limit import TimeLimit


async def limited(limit, seconds):
    """What an exchange does with the limit: the result, or who ended it."""
    task = limit.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if limit.struck(task):
            return "too slow"
        raise
    finally:
        limit.end(task)
    return "done"


async def test_what_is_in_time_is_left_alone():
    """An exchange that ends in time is not cancelled later."""
    limit = TimeLimit(0.5)
    assert await limited(limit, 0.01) == "done"
    await asyncio.sleep(0.6)
    assert asyncio.current_task().cancelling() == 0


async def test_what_is_too_slow_is_cancelled():
    """The limit ends it, and the task goes on as if it had never been cancelled."""
    limit = TimeLimit(0.3)
    assert await limited(limit, 60) == "too slow"
    assert asyncio.current_task().cancelling() == 0
    assert await limited(limit, 0.001) == "done"


async def test_each_has_its_own_time():
    """Of several under way only those whose time is over are ended, each at its own time."""
    limit = TimeLimit(0.4)
    first = asyncio.create_task(limited(limit, 60))
    await asyncio.sleep(0.3)
    second = asyncio.create_task(limited(limit, 60))
    done, _ = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
    assert done == {first}
    assert await second == "too slow"


async def test_a_cancellation_from_outside_is_no_time_limit():
    """Who is cancelled by somebody else hears of that."""
    limit = TimeLimit(60)
    task = asyncio.create_task(limited(limit, 60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    limit.close()


async def test_a_cancellation_beside_the_limit_wins():
    """Struck by the limit and cancelled from outside in one moment, the task is cancelled."""
    limit = TimeLimit(0.02)

    async def both():
        task = limit.begin()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            task.cancel()
            return limit.struck(task)
        finally:
            limit.end(task)

    task = asyncio.create_task(both())
    await asyncio.wait({task})
    assert task.cancelled() or task.result() is False


async def test_time_limits_around_it_keep_working():
    """Inside a scope of the caller's own the caller's scope decides."""
    limit = TimeLimit(60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await limited(limit, 60)
    limit.close()


async def test_closing_leaves_what_is_under_way_its_limit():
    """An exchange that goes on while its client is closed still ends in time."""
    limit = TimeLimit(0.05)
    task = asyncio.create_task(limited(limit, 60))
    await asyncio.sleep(0)
    limit.close()
    async with asyncio.timeout(120):
        assert await task == "too slow"


def test_a_limit_outlives_its_loop():
    """Used again in another loop it works there."""
    limit = TimeLimit(0.3)
    assert asyncio.run(limited(limit, 0)) == "done"
    assert asyncio.run(limited(limit, 60)) == "too slow"


async def test_a_closed_limit_leaves_no_timer():
    """Closing lets go of the timer that waits for the next end."""
    limit = TimeLimit(60)
    assert await limited(limit, 0) == "done"
    timer = limit._timer
    limit.close()
    assert timer.cancelled()
