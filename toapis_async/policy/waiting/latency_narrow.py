"""A law too narrow for the grid: a bell on the logarithmic scale, by its likelihood.

The smoothing that keeps a wide law from following the noise of its observations keeps a narrow one wide: a service
that takes a second sharp would be looked at a tenth of a second late for ever.
"""

from collections.abc import Mapping
from math import erf, log, sqrt

from toapis_async.policy.waiting.latency_curve import LawCurve
from toapis_async.policy.waiting.latency_grid import FIRST_EDGE, LAST_EDGE, Interval, coarse_edge, edge_index

_LEAST = 1.0  # fine bins: no bell is narrower
_MOST = 48.0  # and none wider
_DOUBT = 0.01  # of all tasks need not follow the bell: stragglers do not widen it
_DOUBTED = 4.0  # completions that what was found on the coarse grid still stands for
_REACH = 6.0  # standard deviations around the bell that may matter
_UNSEEN = 5e-4  # of all tasks, at either end, are left out
_STEPS = 7  # of the search: its last one is a hundredth of the first
_DOUBT_WIDTH = 8.0  # fine bins: below this width a bell has to be shown
_PER_NAT = 1.5  # of log likelihood, per factor e below it
_GAIN = 1e-3  # of log likelihood: where what was seen does not say, nothing moves


def narrowed(
    coarse: LawCurve, start: LawCurve, finished: Mapping[Interval, float], steps: Mapping[int, float]
) -> LawCurve:
    """Give the law on a finer grid, as a bell with a little of what was found on the coarse one.

    Args:
        coarse: found on the coarse grid.
        start: where to begin the search; what was seen may fit many bells.
        finished: weights by interval of edges.
        steps: by edge, how much more was at risk from there on without finishing.

    """
    middle = float(edge_index(start.quantile(0.5)))
    width = min(_MOST, max(_LEAST, start.spread * start.factor))
    low, high = int(middle - _REACH * width), int(middle + _REACH * width)
    ends = _within(finished, low, high)
    risks: dict[int, float] = {}
    for edge, weight in steps.items():
        place = min(high, max(low, edge))
        risks[place] = risks.get(place, 0.0) + weight
    middle, width = _fitted(middle, width, list(ends.items()), [(e, w) for e, w in risks.items() if e > low and w])
    return _mixed(middle, width, coarse, max(_DOUBT, _DOUBTED / (_DOUBTED + sum(finished.values()))))


def _mixed(middle: float, width: float, coarse: LawCurve, doubt: float) -> LawCurve:
    """Give the bell, with a little of the coarse law: some tasks may not follow it."""
    factor = next(f for f in (4, 2, 1) if width >= 2 * f or f == 1)
    bottom, top = edge_index(max(FIRST_EDGE, coarse.quantile(_UNSEEN))), edge_index(coarse.quantile(1.0 - _UNSEEN))
    low, high = middle - _REACH * width, middle + _REACH * width
    first = max(0, coarse_edge(min(bottom, int(low)), factor) - 1)
    last = min(coarse_edge(LAST_EDGE, factor), coarse_edge(max(top, int(high)), factor) + 1)
    scale = 1.0 / (width * sqrt(2.0))
    done = [0.5 + 0.5 * erf(((k - 1) * factor + 1 - middle) * scale) for k in range(first, last + 1)]
    done[0], done[-1] = 0.0, 1.0
    rest = coarse.moved(0, factor=factor, first=first, last=last)
    masses = [(1.0 - doubt) * (done[k + 1] - done[k]) + doubt * other for k, other in enumerate(rest)]
    return LawCurve(factor, first, tuple(masses))


def _within(finished: Mapping[Interval, float], bottom: int, top: int) -> dict[Interval, float]:
    """Cut intervals to where the bell may be: most of them are then the same few."""
    out: dict[Interval, float] = {}
    for (low, high), weight in finished.items():
        cut = max(bottom, min(top - 1, low)), min(top, max(bottom + 1, high))
        out[cut] = out.get(cut, 0.0) + weight
    return out


def _fitted(
    middle: float, width: float, ends: list[tuple[Interval, float]], steps: list[tuple[int, float]]
) -> tuple[float, float]:
    """Climb to the most likely bell, in steps that are halved."""
    best = _fit(middle, width, ends, steps)
    stride, stretch = width, 2.0
    for _ in range(_STEPS):
        moved = True
        while moved:
            moved = False
            for m, w in (
                (middle, width / stretch),
                (middle + stride, width),
                (middle - stride, width),
                (middle, width * stretch),
            ):
                if not _LEAST <= w <= _MOST:
                    continue
                fit = _fit(m, w, ends, steps)
                if fit > best + _GAIN:
                    best, middle, width, moved = fit, m, w, True
        stride, stretch = stride / 2.0, sqrt(stretch)
    return middle, width


def _fit(middle: float, width: float, ends: list[tuple[Interval, float]], steps: list[tuple[int, float]]) -> float:
    scale, total = 1.0 / (width * sqrt(2.0)), _PER_NAT * min(0.0, log(width / _DOUBT_WIDTH))
    for (low, high), weight in ends:
        before = 0.5 + 0.5 * erf((low - middle) * scale)
        share = (0.5 + 0.5 * erf((high - middle) * scale) - before) / max(1e-9, 1.0 - before)
        total += weight * log(max(_DOUBT, share))
    for edge, weight in steps:
        total -= weight * log(max(_DOUBT, 0.5 - 0.5 * erf((edge - middle) * scale)))
    return total


def likelihood(curve: LawCurve, finished: Mapping[Interval, float], steps: Mapping[int, float]) -> float:
    """Give the logarithm of how likely a law makes what was seen."""
    total, done = 0.0, curve.done_at
    for (low, high), weight in finished.items():
        before = done(low)
        total += weight * log(max(_DOUBT / 10, (done(high) - before) / max(1e-9, 1.0 - before)))
    for edge, weight in steps.items():
        total -= weight * log(max(_DOUBT / 10, 1.0 - done(edge)))
    return total
