"""Who goes next of two classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.pace.priority import TurnOrder


@pytest.mark.parametrize(("interactive", "bulk"), [(True, False), (False, True)])
def test_a_class_alone_always_goes(interactive: bool, bulk: bool) -> None:
    """Nobody is kept for somebody who is not there."""
    order = TurnOrder()
    turns = [order.interactive_next(interactive=interactive, bulk=bulk) for _ in range(10)]

    assert turns == [interactive] * 10


def test_interactive_goes_first_and_bulk_keeps_a_quarter() -> None:
    """Three to one while both wait."""
    order = TurnOrder()
    turns = [order.interactive_next(interactive=True, bulk=True) for _ in range(8)]

    assert turns == [True, True, True, False] * 2


@given(st.lists(st.sampled_from([(True, True), (True, False), (False, True)])))
def test_a_turn_goes_to_somebody_who_waits(waiting: list[tuple[bool, bool]]) -> None:
    """Whatever the order in which they come."""
    order = TurnOrder()
    for interactive, bulk in waiting:
        assert interactive if order.interactive_next(interactive=interactive, bulk=bulk) else bulk
