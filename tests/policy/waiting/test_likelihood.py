"""What is fitted by its likelihood: narrow bells, by way of the distribution, and shapes that have moved."""

from random import Random

import pytest

from toapis_async.policy.waiting.latency import LatencyBook
from toapis_async.policy.waiting.latency_curve import COARSEST, FINE_PER_OCTAVE, LatencyCurve, edge_index
from toapis_async.policy.waiting.latency_distribution import LatencyDistribution
from toapis_async.policy.waiting.likelihood import Observations, moved_shape
from toapis_async.policy.waiting.polling import LearnedPolling

SHAPE = LatencyCurve(8, 100, (0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05))  # a bell around edge 821
OCTAVE = FINE_PER_OCTAVE // COARSEST


def delays_at(took: float, floor: float, *, tasks: int = 400, seed: int = 1, abreast: int = 20) -> list[float]:
    """Let tasks of one constant length be polled, some at a time; give how late each was found finished."""
    book, polling, random = LatencyBook(), LearnedPolling(min_interval=floor), Random(seed)
    delays: list[float] = []
    for _ in range(tasks // abreast):
        watches = [book.watch("k", polling, looks=lambda: None) for _ in range(abreast)]
        waits = [[watch, 0.0, watch.next_delay(0.0, random)] for watch in watches]
        while waits:
            watch, before, now = waits.pop(min(range(len(waits)), key=lambda k: waits[k][2]))
            now += random.uniform(0.0, 0.004)
            if now >= took:
                watch.finished(before, now)
                delays.append(now - took)
            else:
                waits.append([watch, now, now + watch.next_delay(now, random)])
    return delays


@pytest.mark.parametrize(("took", "floor"), [(1.0, 0.2), (1.0, 0.05), (3.0, 0.5), (20.0, 5.0), (0.73, 0.2)])
def test_a_constant_is_found_almost_at_once(took: float, floor: float) -> None:
    """After 200 tasks the look comes within 6 % of a second for each second, not half a floor later."""
    delays = delays_at(took, floor)

    assert sum(delays[200:]) / len(delays[200:]) <= 0.06 * took


def test_a_narrow_law_stays_narrow_when_its_looks_say_little() -> None:
    """Once every first look finds its task finished, what was learned before still stands."""
    law, random = LatencyDistribution(), Random(1)
    for _ in range(100):
        after = random.uniform(0.9, 1.0)
        law.observe(after, after + 0.1, known=law.unfinished(0, after))
    assert law.curve is not None
    for _ in range(1500):
        law.observe(0.0, 1.03)
        assert law.curve is not None

    assert law.quantile(0.05) > 0.9
    assert law.quantile(0.95) < 1.06


def test_a_straggler_does_not_widen_a_narrow_law() -> None:
    """One task in a hundred takes three times as long."""
    law, random = LatencyDistribution(), Random(1)
    for n in range(300):
        took = 60.0 if n % 100 == 50 else 20.0
        after = took * random.uniform(0.96, 1.0)
        law.observe(after, after + 0.04 * took, known=law.unfinished(0, after))

    assert law.quantile(0.9) - law.quantile(0.1) < 1.0


@pytest.mark.parametrize("move", [-OCTAVE, 0, 5, 2 * OCTAVE])
def test_completions_say_by_how_much_a_shape_has_moved(move: int) -> None:
    """A dozen of them do."""
    seen = Observations()
    for edge in (101, 102, 102, 103, 103, 103, 104, 104, 105):
        seen.survived(0, edge + move, 1.0)
        seen.ended((edge + move, edge + move + 1), 1.0)
    moved = edge_index(moved_shape(SHAPE, seen).quantile(0.5)) - edge_index(SHAPE.quantile(0.5))

    assert moved == pytest.approx(move * COARSEST, abs=8)


def test_tasks_that_only_still_run_move_it_no_further_than_they_must() -> None:
    """Forty that have outlived the whole law by a third of an octave: it is later by about that."""
    seen = Observations()
    seen.survived(0, 107 + OCTAVE // 3, 40.0)
    moved = edge_index(moved_shape(SHAPE, seen).quantile(0.5)) - edge_index(SHAPE.quantile(0.5))

    assert FINE_PER_OCTAVE // 3 <= moved <= 1.25 * FINE_PER_OCTAVE


def test_nothing_seen_leaves_a_shape_about_where_it_was() -> None:
    """Sooner is as likely as later, and both are likelier by little than by much."""
    moved = moved_shape(SHAPE, Observations())

    assert edge_index(moved.quantile(0.5)) == pytest.approx(edge_index(SHAPE.quantile(0.5)), abs=COARSEST)
    assert moved.spread > SHAPE.spread


def test_bounds_alone_make_a_shape_as_wide_as_they_are() -> None:
    """Twenty known only to have finished within two octaves may have done so anywhere in them."""
    seen = Observations()
    seen.survived(0, 60, 20.0)
    seen.ended((60, 92), 20.0)
    moved = moved_shape(SHAPE, seen)

    assert moved.done_at(60 * COARSEST) < 0.05
    assert moved.done_at(92 * COARSEST) > 0.95
    assert moved.done_at(84 * COARSEST) > 0.2
