"""What was seen of completions, and what is fitted to it by its likelihood.

An observation is interval-censored: a look found the task unfinished at one edge and finished at a later one, or it has
said so far only that the task still runs. See ``docs/waiting.md#learning-online``.
"""

from collections.abc import Callable
from math import erf, exp, log, sqrt

import attrs

from toapis_async.policy.waiting.latency_curve import (
    COARSEST,
    FINE_PER_OCTAVE,
    FIRST_EDGE,
    LAST_EDGE,
    Interval,
    LatencyCurve,
    coarse_edge,
    coarse_interval,
    edge_index,
)

_ROOT_OF_TWO = sqrt(2.0)
_NEGLIGIBLE = 0.02  # of one fresh observation

_NARROWEST, _WIDEST = 1.0, 48.0  # fine bins: the standard deviations a bell may have
_DOUBT = 0.01  # of all tasks need not follow the bell: stragglers do not widen it
_DOUBTED = 4.0  # completions that what was found on the coarse grid still stands for
_REACH = 6.0  # standard deviations around the bell that may matter
_UNSEEN = 5e-4  # of all tasks, at either end, are left out
_HALVINGS = 7  # of the search: its last step is a hundredth of the first
_DOUBT_WIDTH = 8.0  # fine bins: below this width a bell has to be shown
_PER_NAT = 1.5  # of log likelihood, per factor e below it
_GAIN = 1e-3  # of log likelihood: where what was seen does not say, nothing moves

_FURTHEST = 3 * FINE_PER_OCTAVE // COARSEST  # coarse bins: a change is to eight times as slow or as fast at most
_PER_OCTAVE = 2.0  # of log likelihood: a change is no larger than it must be
_MOVE_DOUBT = 2e-3  # of all tasks need not have followed the shape: one of them rules out no move
_UNLIKELY = 6.0  # of log likelihood: a move that is so much less likely than the best is left out


@attrs.define
class Observations:
    """Weighted observations on one grid.

    Attributes:
        ends: weight by the interval of edges within which tasks finished.
        risk: by edge, how much more was at risk from there on without finishing; negative for less.

    """

    ends: dict[Interval, float] = attrs.field(factory=dict)
    risk: dict[int, float] = attrs.field(factory=dict)

    def ended(self, interval: Interval, weight: float) -> None:
        """Add tasks that finished within an interval."""
        self.ends[interval] = self.ends.get(interval, 0.0) + weight

    def survived(self, low: int, high: int, weight: float) -> None:
        """Add tasks that ran from one edge to another without finishing."""
        self.risk[low] = self.risk.get(low, 0.0) + weight
        self.risk[high] = self.risk.get(high, 0.0) - weight

    @property
    def count(self) -> float:
        """The weight of all that finished."""
        return sum(self.ends.values())

    def scaled(self, scale: float, *, least: float = 0.0) -> "Observations":
        """Give the same with all weights multiplied, without what then weighs next to nothing."""
        ends = {interval: weight * scale for interval, weight in self.ends.items() if weight * scale >= least}
        return Observations(ends, {edge: weight * scale for edge, weight in self.risk.items() if weight})

    def tidied(self, scale: float) -> "Observations":
        """Give the same scaled, without what is too old to matter: that bounds how much is kept."""
        return self.scaled(scale, least=_NEGLIGIBLE)

    def on_grid(self, factor: int) -> "Observations":
        """Give the same on the grid that is coarser by a factor, where no interval is empty."""
        out = Observations()
        for edge, weight in self.risk.items():
            place = coarse_edge(edge, factor)
            out.risk[place] = out.risk.get(place, 0.0) + weight
        for interval, weight in self.ends.items():
            low, high = coarse_interval(interval, factor)
            out.ended((low, high), weight)
            if (until := coarse_edge(interval[0], factor)) != low:
                # It is at risk once in the bin in which it finishes.
                out.survived(until, low, weight)
        return out

    def within(self, bottom: int, top: int) -> "Observations":
        """Give the same cut to a range of edges: most intervals are then the same few."""
        out = Observations()
        for (low, high), weight in self.ends.items():
            out.ended((max(bottom, min(top - 1, low)), min(top, max(bottom + 1, high))), weight)
        for edge, weight in self.risk.items():
            place = min(top, max(bottom, edge))
            out.risk[place] = out.risk.get(place, 0.0) + weight
        out.risk = {edge: weight for edge, weight in out.risk.items() if edge > bottom and weight}
        return out

    def log_likelihood(self, done_at: Callable[[int], float], *, doubt: float) -> float:
        """Give the logarithm of how likely a distribution makes all this.

        Args:
            done_at: the probability of having finished by an edge.
            doubt: no probability counts as smaller, for some tasks follow no distribution.

        """
        total = 0.0
        for (low, high), weight in self.ends.items():
            before = done_at(low)
            total += weight * log(max(doubt, (done_at(high) - before) / max(1e-9, 1.0 - before)))
        for edge, weight in self.risk.items():
            total -= weight * log(max(doubt, 1.0 - done_at(edge)))
        return total


def fit_bell(coarse: LatencyCurve, start: LatencyCurve, seen: Observations) -> LatencyCurve:
    """Give a distribution too narrow for the coarse grid: a bell on the logarithmic scale.

    The smoothing that keeps a wide distribution from following the noise of its observations keeps a narrow one wide:
    a service that takes a second sharp would be looked at a tenth of a second late for ever.

    Args:
        coarse: found on the coarse grid; a little of it is kept, for some tasks may not follow the bell.
        start: where to begin the search; what was seen may fit many bells.
        seen: on the finest grid.

    """
    middle = float(edge_index(start.quantile(0.5)))
    width = min(_WIDEST, max(_NARROWEST, start.spread * start.factor))
    near = seen.within(int(middle - _REACH * width), int(middle + _REACH * width))
    middle, width = _most_likely_bell(middle, width, near)
    return _with_doubt(middle, width, coarse, max(_DOUBT, _DOUBTED / (_DOUBTED + seen.count)))


def _with_doubt(middle: float, width: float, coarse: LatencyCurve, doubt: float) -> LatencyCurve:
    factor = next(f for f in (4, 2, 1) if width >= 2 * f or f == 1)
    bottom, top = edge_index(max(FIRST_EDGE, coarse.quantile(_UNSEEN))), edge_index(coarse.quantile(1.0 - _UNSEEN))
    low, high = middle - _REACH * width, middle + _REACH * width
    first = max(0, coarse_edge(min(bottom, int(low)), factor) - 1)
    last = min(coarse_edge(LAST_EDGE, factor), coarse_edge(max(top, int(high)), factor) + 1)
    done = [_bell(((k - 1) * factor + 1 - middle) / width) for k in range(first, last + 1)]
    done[0], done[-1] = 0.0, 1.0
    rest = coarse.on_grid(factor, first=first, last=last)
    masses = [(1.0 - doubt) * (done[k + 1] - done[k]) + doubt * other for k, other in enumerate(rest)]
    return LatencyCurve(factor, first, tuple(masses))


def _bell(deviations: float) -> float:
    return 0.5 + 0.5 * erf(deviations / _ROOT_OF_TWO)


def _most_likely_bell(middle: float, width: float, seen: Observations) -> tuple[float, float]:
    """Climb to the most likely bell, in steps that are halved."""

    def fit(m: float, w: float) -> float:
        shown = _PER_NAT * min(0.0, log(w / _DOUBT_WIDTH))
        scale = w * _ROOT_OF_TWO
        return shown + seen.log_likelihood(lambda edge: 0.5 + 0.5 * erf((edge - m) / scale), doubt=_DOUBT)

    best = fit(middle, width)
    stride, stretch = width, 2.0
    for _ in range(_HALVINGS):
        moved = True
        while moved:
            moved = False
            for m, w in (
                (middle, width / stretch),
                (middle + stride, width),
                (middle - stride, width),
                (middle, width * stretch),
            ):
                if _NARROWEST <= w <= _WIDEST and (found := fit(m, w)) > best + _GAIN:
                    best, middle, width, moved = found, m, w, True
        stride, stretch = stride / 2.0, sqrt(stretch)
    return middle, width


def moved_shape(shape: LatencyCurve, seen: Observations) -> LatencyCurve:
    """Give what is to be expected after a change: most often the old distribution, slower or faster.

    On the logarithmic grid that is a move. All moves count as much as they are likely: where the looks have told only
    bounds, the distribution is as wide as these, so that the next looks are where they tell more.

    Args:
        shape: the old distribution, on the coarse grid.
        seen: since the change, on the coarse grid; tasks that still run count as well as those that finished.

    """
    size = len(shape.masses)
    done = (*shape.cdf[-size - 1 : -1], 1.0)

    def fit(move: int) -> float:
        def done_at(edge: int) -> float:
            place = edge - move - shape.first
            return 0.0 if place <= 0 or edge <= 0 else done[place] if place < size else 1.0

        return (
            seen.log_likelihood(done_at, doubt=_MOVE_DOUBT / 10) - _PER_OCTAVE * abs(move) * COARSEST / FINE_PER_OCTAVE
        )

    fits = {move: fit(move) for move in range(-_FURTHEST, _FURTHEST + 1)}
    best = max(fits.values())
    weights = {move: exp(found - best) for move, found in fits.items() if found >= best - _UNLIKELY}
    total, first = sum(weights.values()), max(0, shape.first + min(weights))
    masses = [0.0] * (shape.first + max(weights) + size - first)
    for move, weight in weights.items():
        for k, mass in enumerate(shape.masses, shape.first + move - first):
            masses[max(0, k)] += mass * weight / total
    return LatencyCurve(shape.factor, first, tuple(masses))
