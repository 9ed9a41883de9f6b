"""Slots for tasks in flight."""

import asyncio
from random import Random

import pytest

from toapis_async.batch.items.slots import Slots
from toapis_async.policy.pace.inflight import Refusal
from toapis_async.testing.fake_clock import FakeClock


async def settle() -> None:
    """Let every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_never_more_than_the_bound() -> None:
    """Twelve items, three slots: three at a time, in order."""
    slots = Slots(3, FakeClock())
    order: list[int] = []
    most = 0

    async def item(n: int) -> None:
        nonlocal most
        await slots.acquire()
        order.append(n)
        slots.accepted()
        most = max(most, slots.in_use)
        await settle()
        slots.release()

    async with asyncio.TaskGroup() as group:
        for n in range(12):
            group.create_task(item(n))

    assert order == list(range(12))
    assert most == 3
    assert (slots.in_use, slots.waiting) == (0, 0)


async def test_a_free_slot_is_taken_at_once() -> None:
    """Without a line there is nothing to wait for."""
    slots = Slots(1, FakeClock())
    acquiring = slots.acquire()
    with pytest.raises(StopIteration):
        acquiring.send(None)

    assert slots.in_use == 1


@pytest.mark.parametrize("late", [False, True])
async def test_a_cancelled_wait_gives_its_slot_on(late: bool) -> None:
    """Cancelled in line, or in the moment in which the slot was given: the next one gets it."""
    slots = Slots(1, FakeClock())
    await slots.acquire()
    slots.accepted()
    first, second = asyncio.create_task(slots.acquire()), asyncio.create_task(slots.acquire())
    await settle()
    if late:
        slots.release()
    first.cancel()
    await settle()
    if not late:
        slots.release()
    await second

    assert first.cancelled()
    assert (slots.in_use, slots.waiting) == (1, 0)


async def test_cancelling_everybody_in_line_at_once_is_clean() -> None:
    """A whole run is cancelled while slots come free."""
    slots = Slots(1, FakeClock())
    await slots.acquire()
    tasks = [asyncio.create_task(slots.acquire()) for _ in range(20)]
    await settle()
    for task in tasks:
        task.cancel()
    slots.release(accepted=False)
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(result) for result in results} == {asyncio.CancelledError}
    assert (slots.in_use, slots.waiting) == (0, 0)


async def test_who_was_refused_goes_first() -> None:
    """An item that has waited once does not go to the end of the line."""
    slots = Slots(1, FakeClock())
    await slots.acquire()
    order: list[str] = []

    async def item(name: str, *, again: bool) -> None:
        await slots.acquire(again=again)
        order.append(name)
        slots.release(accepted=False)

    async with asyncio.TaskGroup() as group:
        group.create_task(item("new", again=False))
        await settle()
        group.create_task(item("refused", again=True))
        await settle()
        slots.release(accepted=False)

    assert order == ["refused", "new"]


async def test_a_refusal_gives_the_slot_back_and_lowers_the_limit() -> None:
    """With two accepted, a refused third shows a limit of two."""
    slots = Slots(10, FakeClock())
    for _ in range(3):
        await slots.acquire()
    slots.accepted()
    slots.accepted()
    wait = slots.refused(Refusal(message="too many concurrent tasks"))

    assert (slots.in_use, slots.limit) == (2, 2)
    assert wait == 1.0


async def test_random_histories_lose_no_slot() -> None:
    """Acceptance, refusal, failure, lateness and cancellation in any order: in the end all slots are free."""
    clock, random = FakeClock(), Random(8)
    slots = Slots(15, clock)

    async def item() -> None:
        again = False
        while True:
            await slots.acquire(again=again)
            taken = False
            try:
                await clock.sleep(random.random())
                if random.random() < 0.2:
                    again = True
                    wait = slots.refused(Refusal())
                    taken = None
                    await clock.sleep(wait)
                    continue
                taken = random.random() < 0.8
                if taken:
                    slots.accepted()
                    await clock.sleep(random.uniform(0.0, 3.0))
                return
            finally:
                if taken is not None:
                    slots.release(accepted=taken)

    tasks = [asyncio.create_task(item()) for _ in range(200)]
    for task in tasks[::7]:
        await clock.sleep(random.random())
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert (slots.in_use, slots.waiting) == (0, 0)
    assert 1 <= slots.limit <= 15


async def test_interactive_items_go_first_and_bulk_keeps_its_share():
    """Of those who wait, priority 0 goes first, and one in four turns is of the others."""
    slots, order = Slots(1, FakeClock()), []
    await slots.acquire()

    async def item(priority):
        await slots.acquire(priority=priority)
        order.append(priority)
        slots.release(accepted=False)

    waiting = [asyncio.create_task(item(priority)) for priority in (1, 1, 1, 0, 0, 0, 0, 0)]
    await asyncio.sleep(0)
    slots.release(accepted=False)
    await asyncio.gather(*waiting)
    assert order == [0, 0, 0, 1, 0, 0, 1, 1]


async def test_paused_slots_are_given_to_nobody():
    """While paused nobody is admitted, those who have a slot give it back, and all goes on afterwards."""
    slots = Slots(2, FakeClock())
    await slots.acquire()
    slots.pause()
    waiting = [asyncio.create_task(slots.acquire(again=again)) for again in (True, False)]
    await asyncio.sleep(0)
    slots.release(accepted=False)
    await asyncio.sleep(0)
    assert (slots.in_use, slots.waiting) == (0, 2)
    slots.unpause()
    await asyncio.gather(*waiting)
    assert slots.in_use == 2


async def test_another_bound_holds_at_once():
    """A higher bound lets those in who wait; a lower one waits for what is in flight above it."""
    slots = Slots(1, FakeClock())
    await slots.acquire()
    waiting = [asyncio.create_task(slots.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    slots.bound(3)
    await asyncio.gather(*waiting)
    slots.bound(1)
    late = asyncio.create_task(slots.acquire())
    for expected in (2, 1, 1):
        slots.release(accepted=False)
        await asyncio.sleep(0)
        assert expected == slots.in_use
    await late
