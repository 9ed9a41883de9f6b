"""One item's lease: at most one slot, given back exactly once."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from toapis_async.batch.items.slot_lease import SlotLease
from toapis_async.batch.items.slots import Slots
from toapis_async.policy.pace.inflight import Refusal
from toapis_async.testing import FakeClock


async def test_a_place_holds_one_slot():
    """Taking twice takes one; giving back twice gives one."""
    slots = Slots(3, FakeClock())
    lease = SlotLease(slots)
    await lease.take()
    await lease.take()
    assert slots.in_use == 1
    lease.accepted()
    lease.accepted()
    assert slots.in_use == 1
    lease.give_back()
    lease.give_back()
    assert slots.in_use == 0


async def test_a_refusal_gives_the_slot_back_and_comes_first():
    """After a 429 the slot is free for others, and its item is the first in line when it comes again."""
    slots = Slots(1, FakeClock())
    lease, other = SlotLease(slots), SlotLease(slots)
    await lease.take()
    waiting = asyncio.create_task(other.take())
    await asyncio.sleep(0)
    assert lease.refused(Refusal()) >= 0.0
    await waiting
    assert slots.in_use == 1
    order = []

    async def again(name, taker):
        await taker.take()
        order.append(name)
        taker.give_back()

    late = asyncio.create_task(again("late", SlotLease(slots)))
    await asyncio.sleep(0)
    refused = asyncio.create_task(again("refused", lease))
    await asyncio.sleep(0)
    other.give_back()
    await asyncio.gather(late, refused)
    assert order == ["refused", "late"]


async def test_a_refusal_of_what_was_accepted():
    """A 429 for something that holds an accepted slot only gives it back."""
    slots = Slots(1, FakeClock())
    lease = SlotLease(slots)
    await lease.take()
    lease.accepted()
    assert lease.refused(Refusal()) == 0.0
    assert slots.in_use == 0


@given(st.lists(st.sampled_from(["take", "accepted", "refused", "give_back"]), max_size=30))
def test_no_order_of_calls_loses_a_slot(calls):
    """Whatever is told to a lease, it holds one slot or none, and giving back frees it."""

    async def play():
        slots = Slots(2, FakeClock())
        lease = SlotLease(slots)
        for call in calls:
            if call == "take":
                await asyncio.wait_for(lease.take(), 5)
            elif call == "refused":
                lease.refused(Refusal())
            else:
                getattr(lease, call)()
            assert slots.in_use in {0, 1}
        lease.give_back()
        assert slots.in_use == 0

    asyncio.run(play())
