"""Slots against a gateway that counts unfinished tasks, in virtual time: done-when 2 of the flow issue."""

import asyncio
from random import Random

import pytest

from toapis_async.batch.items.slots import Slots
from toapis_async.policy.pace.inflight import Refusal
from toapis_async.policy.pace.rate_limit_status import RateLimitStatus
from toapis_async.testing.fake_clock import FakeClock

REFUSALS = {
    "says nothing": Refusal(message="Too many requests, please try again later"),
    "says nothing, Retry-After 1": Refusal(message="rate_limit_exceeded", retry_after_seconds=1.0),
    "names concurrency": Refusal(message="Too many concurrent tasks", retry_after_seconds=1.0),
    "names it in Chinese": Refusal(message="并发任务数超限"),
    "has requests remaining": Refusal(status=RateLimitStatus(remaining=17.0)),
}


@pytest.mark.parametrize("wording", REFUSALS)
@pytest.mark.parametrize("rtt", [0.01, 0.1])
async def test_a_limit_on_unfinished_tasks_is_found_and_kept(wording: str, rtt: float) -> None:
    """With 300 allowed by us and 40 by the gateway: at least 0.90 of ideal, under 5 % refused."""
    clock, random = FakeClock(), Random(3)
    slots = Slots(300, clock)
    posts = refused = unfinished = 0

    async def item() -> None:
        nonlocal posts, refused, unfinished
        again = False
        while True:
            await slots.acquire(again=again)
            await clock.sleep(rtt * random.uniform(0.4, 0.6))
            posts += 1
            taken = unfinished < 40
            unfinished += taken
            refused += not taken
            await clock.sleep(rtt * random.uniform(0.4, 0.6))
            if taken:
                break
            again = True
            await clock.sleep(slots.refused(REFUSALS[wording]))
        slots.accepted()
        await clock.sleep(1.0 - rtt / 2)
        unfinished -= 1
        await clock.sleep(random.uniform(0.0, 0.05))
        slots.release()

    async with asyncio.TaskGroup() as group:
        for _ in range(1200):
            group.create_task(item())

    ideal = 1200 / 40 * 1.0
    # What no client can avoid: the trip of the next submission and half a look.
    least = ideal * (1.0 + rtt / 2 + 0.025)
    assert least / clock.monotonic() >= 0.93
    assert refused / posts < 0.05
    assert slots.in_use == 0
    assert slots.waiting == 0


@pytest.mark.parametrize(("later", "share"), [(20, 0.90), (80, 0.70)])
async def test_a_limit_that_changes_midway_is_followed(later: int, share: float) -> None:
    """After ten seconds the gateway takes half or twice as many: noticed within seconds, and still few refusals."""
    clock, random = FakeClock(), Random(3)
    slots = Slots(300, clock)
    posts = refused = unfinished = 0

    async def item() -> None:
        nonlocal posts, refused, unfinished
        again = False
        while True:
            await slots.acquire(again=again)
            await clock.sleep(random.uniform(0.005, 0.015))
            posts += 1
            taken = unfinished < (40 if clock.monotonic() < 10.0 else later)
            unfinished += taken
            refused += not taken
            await clock.sleep(random.uniform(0.005, 0.015))
            if taken:
                break
            again = True
            await clock.sleep(slots.refused(REFUSALS["says nothing"]))
        slots.accepted()
        await clock.sleep(0.99)
        unfinished -= 1
        await clock.sleep(random.uniform(0.0, 0.05))
        slots.release()

    async with asyncio.TaskGroup() as group:
        for _ in range(1200):
            group.create_task(item())

    ideal = 10.0 + 800 / later
    assert ideal / clock.monotonic() >= share
    assert refused / posts < 0.06
