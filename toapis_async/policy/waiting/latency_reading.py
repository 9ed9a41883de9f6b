"""From what was seen to what is believed: read on the coarse grid, and as a bell where that is too coarse."""

from collections.abc import Mapping

from toapis_async.policy.waiting.latency_curve import LawCurve
from toapis_async.policy.waiting.latency_estimate import estimate_masses
from toapis_async.policy.waiting.latency_grid import (
    COARSEST,
    LAST_EDGE,
    Interval,
    coarse_edge,
    coarse_interval,
    fine_edge,
)
from toapis_async.policy.waiting.latency_narrow import likelihood, narrowed
from toapis_async.policy.waiting.latency_shape import best_move

_MARGIN = 16  # coarse bins: an octave beyond what was seen is still possible
_NARROW = 3.0  # coarse bins: the smoothing alone makes a law nearly that wide
_AS_LIKELY = 3.0  # of log likelihood: a law that was narrow stays so where what was seen does not speak against it
_END = coarse_edge(LAST_EDGE, COARSEST)


def read_law(
    finished: Mapping[Interval, float],
    steps: Mapping[int, float],
    *,
    shape: LawCurve | None,
    before: LawCurve | None,
) -> LawCurve:
    """Give the law.

    Args:
        finished: completions by interval of edges; empty only with a shape.
        steps: by edge, how much more was at risk from there on without finishing; negative for less.
        shape: a law that was as this one, but slower or faster; or None.
        before: what was believed so far, or None.

    """
    coarse = _coarse(finished, steps, shape)
    if not finished:
        return coarse
    if coarse.spread < _NARROW:
        return narrowed(coarse, coarse, finished, steps)
    if before is not None and before.factor < COARSEST:
        # Once each first look finds its task finished, the looks say little: they fit wide laws, too.
        narrow = narrowed(coarse, before, finished, steps)
        if likelihood(narrow, finished, steps) >= likelihood(coarse, finished, steps) - _AS_LIKELY:
            return narrow
    return coarse


def _coarse(finished: Mapping[Interval, float], steps: Mapping[int, float], shape: LawCurve | None) -> LawCurve:
    risks: dict[int, float] = {}
    for edge, weight in steps.items():
        place = coarse_edge(edge, COARSEST)
        risks[place] = risks.get(place, 0.0) + weight
    ends: dict[Interval, float] = {}
    for interval, weight in finished.items():
        low, high = coarse_interval(interval, COARSEST)
        ends[low, high] = ends.get((low, high), 0.0) + weight
        if (until := coarse_edge(interval[0], COARSEST)) != low:
            # It is at risk once in the bin in which it finishes.
            risks[until] = risks.get(until, 0.0) + weight
            risks[low] = risks.get(low, 0.0) - weight
    first, last = _END, 0
    if ends:
        first = min(low for low, _ in ends) - _MARGIN
        last = max([*risks, *(high for _, high in ends)]) + _MARGIN
    move = 0
    if shape is not None:
        wide = shape.factor == COARSEST
        move = best_move(shape, *(_refined(ends, risks) if wide else (finished, steps)))
        low = (shape.first - 1) * shape.factor + 1 + move
        first = min(first, coarse_edge(low, COARSEST))
        last = max(last, coarse_edge(low + len(shape.masses) * shape.factor, COARSEST) + 1)
    last = min(_END, last)
    first = max(0, min(first, last - 1))
    expected = None if shape is None else shape.moved(move, factor=COARSEST, first=first, last=last)
    masses = estimate_masses(ends, risks, first=first, last=last, tail=_MARGIN, shape=expected)
    return LawCurve(COARSEST, first, tuple(masses))


def _refined(ends: dict[Interval, float], risks: dict[int, float]) -> tuple[dict[Interval, float], dict[int, float]]:
    """Name the coarse edges as the finest grid does: there are far fewer of them."""
    fine = {edge: fine_edge(edge, COARSEST) for edge in {*risks, *(edge for interval in ends for edge in interval)}}
    return (
        {(fine[low], fine[high]): weight for (low, high), weight in ends.items()},
        {fine[edge]: weight for edge, weight in risks.items()},
    )
