"""What belongs to an event loop: lines of waiters and file hosts move on with their client."""

import asyncio
from random import Random

import pytest

from toapis_async.clock import SystemClock
from toapis_async.errors import ConfigurationError
from toapis_async.transport.pacing import Pacer
from toapis_async.values.exchange import Purpose
from toapis_async.values.limits import RateLimits

SLOW = RateLimits(submit_per_second=20, submit_burst=1, query_per_second=20, query_burst=1)


def test_a_line_forgets_who_stood_in_it_in_a_loop_that_has_stopped():
    """Waiters that were left behind, not even cancelled, get no tokens and wake nobody."""
    pacer = Pacer(SLOW, clock=SystemClock(), random=Random(1))
    loop = asyncio.new_event_loop()

    async def leave_some():
        for _ in range(3):
            tasks.append(asyncio.ensure_future(pacer.acquire(Purpose.SUBMIT)))
        await asyncio.sleep(0)

    tasks = []
    loop.run_until_complete(leave_some())
    asyncio.run(asyncio.wait_for(pacer.acquire(Purpose.SUBMIT), 5))
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()


async def test_a_line_is_not_shared_by_two_running_loops():
    """Two threads with a loop each cannot stand in one line: their futures would wake each other."""
    pacer = Pacer(SLOW, clock=SystemClock(), random=Random(1))

    async def stand_in_line():
        for _ in range(3):  # the first of them may be let through at once
            await pacer.acquire(Purpose.SUBMIT)

    await stand_in_line()
    with pytest.raises(ConfigurationError, match="another event loop"):
        await asyncio.to_thread(asyncio.run, stand_in_line())
