"""A law as it stands: the probability of having finished, by time, on a piece of the logarithmic grid."""

from bisect import bisect_left
from itertools import accumulate

import attrs

from toapis_async.policy.waiting.latency_grid import FIRST_EDGE, LAST_EDGE, coarse_edge, edge_index, edge_seconds


@attrs.frozen
class LawCurve:
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

    def moved(self, by: float, *, factor: int, first: int, last: int) -> list[float]:
        """Give the probability of each bin of another grid, with all times later by so many of the finest bins."""
        size = last - first
        done = [self.done_at((first + k - 1) * factor + 1 - by) for k in range(size + 1)]
        done[0], done[size] = 0.0, 1.0
        return [done[k + 1] - done[k] for k in range(size)]

    def on_grid(self, factor: int) -> list[float]:
        """Give the probability of each bin of a whole grid."""
        last = coarse_edge(LAST_EDGE, factor)
        done = [0.0] + [self.done_at((k - 1) * factor + 1) for k in range(1, last + 1)]
        return [done[k + 1] - done[k] for k in range(last)]
