"""Which events came before."""

import gc
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from toapis_async.webhooks.seen_events import SeenEvents


def test_a_hundred_thousand_events_take_a_megabyte():
    """A long-lived inbox grows by a megabyte and no more, and still knows the latest hundred thousand."""
    seen = SeenEvents(100_000)
    tracemalloc.start()
    for number in range(150_000):
        seen.add(f"evt_{number:032}")
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1.5 * 2**20
    assert all(f"evt_{number:032}" in seen for number in range(50_000, 150_000, 997))
    assert "evt_150000" not in seen
    assert f"evt_{0:032}" not in seen


@given(st.lists(st.text()), st.text())
def test_it_knows_what_was_added_and_nothing_else(ids, other):
    """Whatever an event is called."""
    seen = SeenEvents(10)
    for event_id in ids:
        seen.add(event_id)
    assert all(event_id in seen for event_id in ids)
    assert (other in seen) is (other in ids)
