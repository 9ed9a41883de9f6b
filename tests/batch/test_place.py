"""One item's place: at most one slot, given back exactly once."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from toapis_async.batch.place import Place
from toapis_async.batch.slots import Slots
from toapis_async.policy.pace.inflight import Refusal
from toapis_async.testing import FakeClock


async def test_a_place_holds_one_slot():
    """Taking twice takes one; giving back twice gives one."""
    slots = Slots(3, FakeClock())
    place = Place(slots, taken=False)
    await place.take()
    await place.take()
    assert slots.in_use == 1
    place.accepted()
    place.accepted()
    assert slots.in_use == 1
    place.give_back()
    place.give_back()
    assert slots.in_use == 0


async def test_a_slot_that_was_acquired_already():
    """A place made for an acquired slot gives that one back."""
    slots = Slots(1, FakeClock())
    await slots.acquire()
    Place(slots, taken=True).give_back()
    assert slots.in_use == 0


async def test_a_refusal_gives_the_slot_back_and_comes_first():
    """After a 429 the slot is free for others, and its item is the first in line when it comes again."""
    slots = Slots(1, FakeClock())
    place, other = Place(slots, taken=False), Place(slots, taken=False)
    await place.take()
    waiting = asyncio.create_task(other.take())
    await asyncio.sleep(0)
    assert place.refused(Refusal()) >= 0.0
    await waiting
    assert slots.in_use == 1
    order = []

    async def again(name, taker):
        await taker.take()
        order.append(name)
        taker.give_back()

    late = asyncio.create_task(again("late", Place(slots, taken=False)))
    await asyncio.sleep(0)
    refused = asyncio.create_task(again("refused", place))
    await asyncio.sleep(0)
    other.give_back()
    await asyncio.gather(late, refused)
    assert order == ["refused", "late"]


async def test_a_refusal_of_what_was_accepted():
    """A 429 for something that holds an accepted slot only gives it back."""
    slots = Slots(1, FakeClock())
    place = Place(slots, taken=False)
    await place.take()
    place.accepted()
    assert place.refused(Refusal()) == 0.0
    assert slots.in_use == 0


@given(st.lists(st.sampled_from(["take", "accepted", "refused", "give_back"]), max_size=30))
def test_no_order_of_calls_loses_a_slot(calls):
    """Whatever is told to a place, it holds one slot or none, and giving back frees it."""

    async def play():
        slots = Slots(2, FakeClock())
        place = Place(slots, taken=False)
        for call in calls:
            if call == "take":
                await asyncio.wait_for(place.take(), 5)
            elif call == "refused":
                place.refused(Refusal())
            else:
                getattr(place, call)()
            assert slots.in_use in {0, 1}
        place.give_back()
        assert slots.in_use == 0

    asyncio.run(play())
