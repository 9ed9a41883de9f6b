"""By how much a law has moved."""

import pytest

from toapis_async.policy.waiting.latency_curve import LawCurve
from toapis_async.policy.waiting.latency_grid import FINE_PER_OCTAVE
from toapis_async.policy.waiting.latency_shape import best_move

SHAPE = LawCurve(8, 100, (0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05))  # a bell around edge 821


@pytest.mark.parametrize("move", [-FINE_PER_OCTAVE, 0, 40, 2 * FINE_PER_OCTAVE])
def test_completions_say_by_how_much(move: int) -> None:
    """A dozen of them do."""
    ends = {(edge + move - 4, edge + move + 4): 1.0 for edge in (801, 811, 815, 819, 821, 823, 827, 831, 841)}
    steps = {0: 9.0}
    for low, _ in ends:
        steps[low] = steps.get(low, 0.0) - 1.0

    assert best_move(SHAPE, ends, steps) == pytest.approx(move, abs=8)


def test_tasks_that_only_still_run_move_it_no_further_than_they_must() -> None:
    """Forty that have outlived the whole law by a third of an octave: it is later by about that."""
    until = 850 + FINE_PER_OCTAVE // 3
    move = best_move(SHAPE, {}, {0: 40.0, until: -40.0})

    assert FINE_PER_OCTAVE // 3 <= move <= FINE_PER_OCTAVE


def test_nothing_seen_moves_nothing() -> None:
    """The law stays where it was."""
    assert best_move(SHAPE, {}, {}) == 0
