"""A distribution of latencies as it stands: probabilities on a logarithmic grid of times.

Edge 0 is time zero; edge ``i`` from 1 on is ``FIRST_EDGE * 2 ** ((i - 1) / FINE_PER_OCTAVE)`` seconds. The grid is fine
for what is kept, and coarser by a whole factor for what is estimated.
"""

from bisect import bisect_left
from itertools import accumulate, pairwise
from math import log2
from typing import TypeAlias

import attrs

FIRST_EDGE = 0.05  # seconds; nothing at the gateway is faster
FINE_PER_OCTAVE = 128  # 0.5 % a bin: what a law of a constant second is worth knowing to
COARSEST = 8  # fine bins per coarse one, 4.4 %: a sixth of the narrowest law measured (log-normal, sigma 0.25)
_OCTAVES = 22  # up to 58 hours: results are kept for 24 hours, and a task may be late
LAST_EDGE = FINE_PER_OCTAVE * _OCTAVES + 1
LONGEST = FIRST_EDGE * 2**_OCTAVES  # seconds
_NEAREST = 1.5 - FINE_PER_OCTAVE * log2(FIRST_EDGE)

Interval: TypeAlias = tuple[int, int]


def edge_index(seconds: float) -> int:
    """Give the index of the edge that is nearest to a time, on the logarithmic scale."""
    if seconds <= FIRST_EDGE / 2:
        return 0
    index = int(log2(seconds) * FINE_PER_OCTAVE + _NEAREST) if seconds < LONGEST else LAST_EDGE
    return index if index > 0 else 1


def edge_seconds(index: int, factor: int = 1) -> float:
    """Give the time of an edge of the grid that is coarser by a factor."""
    return FIRST_EDGE * 2.0 ** ((index - 1) * factor / FINE_PER_OCTAVE) if index > 0 else 0.0


def coarse_edge(index: int, factor: int) -> int:
    """Give the nearest edge of the grid that is coarser by a factor."""
    return (index - 1 + factor // 2) // factor + 1 if index > 0 else 0


def fine_edge(index: int, factor: int) -> int:
    """Give an edge of the grid that is coarser by a factor as one of the finest."""
    return (index - 1) * factor + 1 if index > 0 else 0


def coarse_interval(interval: Interval, factor: int) -> Interval:
    """Give the interval on the grid that is coarser by a factor; never an empty one."""
    low, high = coarse_edge(interval[0], factor), coarse_edge(interval[1], factor)
    if high > low:
        return low, high
    high = max(1, -((2 - interval[0] - interval[1]) // (2 * factor)) + 1)
    return high - 1, high


@attrs.frozen
class LatencyCurve:
    """What is believed of how long tasks take; nothing finishes before its first edge or after its last.

    Attributes:
        factor: its bins are so many times as wide as the finest.
        first: its first edge, on its own grid.
        masses: the probability of each bin from there on.
        edges: seconds; time zero comes first.
        cdf: the probability of having finished by each of the edges.

    """

    factor: int
    first: int
    masses: tuple[float, ...]
    edges: tuple[float, ...] = attrs.field(init=False, repr=False)
    cdf: tuple[float, ...] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        lead = (0.0,) if self.first else ()
        numbers = range(self.first, self.first + len(self.masses) + 1)
        object.__setattr__(self, "edges", lead + tuple(edge_seconds(k, self.factor) for k in numbers))
        object.__setattr__(self, "cdf", lead + tuple(accumulate(self.masses, initial=0.0)))

    def done(self, seconds: float) -> float:
        """Give the probability of having finished by a time."""
        k = bisect_left(self.edges, seconds)
        if k == 0:
            return 0.0
        if k == len(self.edges):
            return 1.0
        low, high = self.edges[k - 1], self.edges[k]
        return self.cdf[k - 1] + (seconds - low) / (high - low) * (self.cdf[k] - self.cdf[k - 1])

    def done_at(self, index: float) -> float:
        """Give the probability of having finished by an edge of the finest grid, or between two of them."""
        if index <= 0:
            return 0.0
        place = (index - 1) / self.factor + 1 - self.first
        if place <= 0.0:
            return 0.0
        if place >= len(self.masses):
            return 1.0
        k = int(place)
        return self.cdf[k + (1 if self.first else 0)] + (place - k) * self.masses[k]

    def density(self, seconds: float) -> float:
        """Give the probability per second at a time."""
        k = bisect_left(self.edges, seconds)
        if k == 0 or k == len(self.edges):
            return 0.0
        return (self.cdf[k] - self.cdf[k - 1]) / (self.edges[k] - self.edges[k - 1])

    def quantile(self, share: float) -> float:
        """Give the time by which this share of tasks has finished."""
        share *= self.cdf[-1]
        k = min(len(self.cdf) - 1, max(1, bisect_left(self.cdf, share)))
        step = self.cdf[k] - self.cdf[k - 1]
        inside = (share - self.cdf[k - 1]) / step if step > 0.0 else 1.0
        return self.edges[k - 1] + inside * (self.edges[k] - self.edges[k - 1])

    @property
    def spread(self) -> float:
        """How wide the law is, in its own bins: the standard deviation if it were a bell; stragglers do not count."""
        low = max(FIRST_EDGE, self.quantile(0.1))
        return (edge_index(self.quantile(0.9)) - edge_index(low)) / (2.56 * self.factor)

    def on_grid(self, factor: int, *, first: int = 0, last: int | None = None) -> list[float]:
        """Give the probability of each bin of another grid, or of a part of it; what is outside goes to its ends."""
        last = coarse_edge(LAST_EDGE, factor) if last is None else last
        done = [self.done_at(fine_edge(k, factor)) for k in range(first, last + 1)]
        done[0], done[-1] = 0.0, 1.0
        return [after - before for before, after in pairwise(done)]

    def coarsest(self) -> "LatencyCurve":
        """Give the same on the coarsest grid."""
        low, high = (fine_edge(self.first + k, self.factor) for k in (0, len(self.masses)))
        first, last = max(0, coarse_edge(low, COARSEST) - 1), coarse_edge(high, COARSEST) + 1
        return LatencyCurve(COARSEST, first, tuple(self.on_grid(COARSEST, first=first, last=last)))
