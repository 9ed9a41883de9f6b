"""How long a model takes: a decaying histogram of completion times, learned from looks.

A completion is seen only at a look, so an observation is an interval: not finished at ``after``, finished at ``by``.
The law is the self-consistent estimate for such data (Turnbull 1976), smoothed; spreading each interval by the
estimate of all the others is what keeps the law from believing in its own looking times.
"""

from bisect import bisect_left
from math import log2, sqrt

from toapis_async.policy.latency_codec import parse_cells, print_cells

_BINS_PER_OCTAVE = 16  # 4.4 % a bin: a sixth of the narrowest law measured (log-normal, sigma 0.25)
_FIRST_EDGE = 0.05  # seconds; nothing at the gateway is faster
_OCTAVES = 22  # up to 58 hours: results are kept for 24 hours, and a task may be late
BINS = _BINS_PER_OCTAVE * _OCTAVES + 1
EDGES: tuple[float, ...] = (0.0, *(_FIRST_EDGE * 2 ** (k / _BINS_PER_OCTAVE) for k in range(BINS)))
"""Bin ``k`` is ``(EDGES[k], EDGES[k + 1]]``, in seconds."""

_MEMORY = 400.0  # completions after which an observation weighs 1/e: a law is learned from 200
_GROWTH = 1.0 / (1.0 - 1.0 / _MEMORY)
_TIDY_EVERY = 512  # observations between two clean-ups, which bound the number of cells
_NEGLIGIBLE = 0.02  # of one fresh observation
_ROUNDS = 40  # of the self-consistency iteration; measured: the plan stops moving after about 25
_FRESH_AT = 30  # below it a plan has no law to follow
_FRESH_STEP = 0.15  # the law is worth reading again when it has seen so much more of what it remembers
_DRIFT_BLOCK = 20  # completions per drift test
_DRIFT_LIMIT = 3.7  # standard errors of a block's mean rank: one false alarm in about 5,000 blocks
_DRIFT_KEEP = 0.05  # of the old weight survives a shift


def edge_index(seconds: float) -> int:
    """Give the index of the edge that is nearest to a time, on the logarithmic scale."""
    if seconds <= _FIRST_EDGE / 2:
        return 0
    return min(BINS, max(1, round(log2(seconds / _FIRST_EDGE) * _BINS_PER_OCTAVE) + 1))


class LatencyLaw:
    """How long one kind of task takes, from acceptance to completion; in seconds.

    The weight of an observation decays with the completions after it, and most of it is dropped at once when the
    recent ones contradict the law.
    """

    __slots__ = (
        "_cdf",
        "_cells",
        "_fresh_after",
        "_masses",
        "_rank_count",
        "_rank_sum",
        "_read_cells",
        "_seen",
        "_weight",
        "version",
    )

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], float] = {}
        self._weight = 1.0
        self._seen = 0
        self._fresh_after = _FRESH_AT
        self._rank_sum = 0.0
        self._rank_count = 0
        self._masses: tuple[float, ...] | None = None
        self._cdf: tuple[float, ...] | None = None
        self.version = 0
        """Changes when the law has learned enough to be worth a new plan."""

    @property
    def count(self) -> float:
        """How many completions it rests on; decayed ones count for less."""
        return sum(self._cells.values()) / self._weight

    def observe(self, after: float, by: float) -> None:
        """Learn that a task finished later than *after* and not later than *by*, seconds since its acceptance."""
        if not (after >= 0.0 and 0.0 < by < EDGES[-1]) or by < after:
            return
        low, high = edge_index(after), edge_index(by)
        if high <= low:
            high = min(BINS, max(1, bisect_left(EDGES, (after + by) / 2)))
            low = high - 1
        cell = (low, high)
        self._cells[cell] = self._cells.get(cell, 0.0) + self._weight
        self._weight *= _GROWTH
        self._seen += 1
        self._watch_for_drift(low, high)
        if self._seen % _TIDY_EVERY == 0:
            self._tidy()
        if self._seen >= self._fresh_after:
            self._renew()

    def masses(self) -> tuple[float, ...]:
        """Give the probability of each bin; empty when nothing was observed."""
        if self._masses is None:
            self._masses = _estimate(self._cells, self.count)
        return self._masses

    def cdf(self) -> tuple[float, ...]:
        """Give the probability of having finished at each of ``EDGES``."""
        if self._cdf is None:
            total, out = 0.0, [0.0]
            for mass in self.masses():
                total += mass
                out.append(total)
            self._cdf = tuple(out)
        return self._cdf

    def survival(self, seconds: float) -> float:
        """Give the probability of still running at a time."""
        cdf = self.cdf()
        if len(cdf) == 1 or seconds <= 0.0:
            return 1.0
        k = min(BINS, bisect_left(EDGES, seconds))
        share = (seconds - EDGES[k - 1]) / (EDGES[k] - EDGES[k - 1])
        return max(0.0, 1.0 - cdf[k - 1] - min(1.0, share) * (cdf[k] - cdf[k - 1]))

    def hazard(self, seconds: float) -> float:
        """Give the rate of finishing, per second, of a task that still runs at a time."""
        masses = self.masses()
        alive = self.survival(seconds)
        if not masses or alive <= 0.0 or seconds >= EDGES[-1]:
            return 0.0
        k = max(0, bisect_left(EDGES, seconds) - 1)
        return masses[k] / (EDGES[k + 1] - EDGES[k]) / alive

    def quantile(self, share: float) -> float:
        """Give the time by which this share of tasks has finished; 0 when nothing was observed."""
        cdf = self.cdf()
        if len(cdf) == 1:
            return 0.0
        k = min(BINS, max(1, bisect_left(cdf, share * cdf[-1])))
        step = cdf[k] - cdf[k - 1]
        inside = (share * cdf[-1] - cdf[k - 1]) / step if step > 0.0 else 1.0
        return EDGES[k - 1] + inside * (EDGES[k] - EDGES[k - 1])

    def merge(self, other: "LatencyLaw") -> None:
        """Add what another law remembers, as if it had been seen just before."""
        for cell, weight in parse_cells(other.to_text(), BINS).items():
            self._cells[cell] = self._cells.get(cell, 0.0) + weight * self._weight
        self._renew()

    def to_text(self) -> str:
        """Write it compactly, for ``from_text``."""
        return print_cells(self._cells, self._weight)

    @classmethod
    def from_text(cls, text: str) -> "LatencyLaw":
        """Read what ``to_text`` wrote; what cannot be read is left out, for a law is only a hint."""
        law = cls()
        law._cells = parse_cells(text, BINS)
        law._seen = int(law.count)
        law._renew()
        return law

    def _renew(self) -> None:
        self.version += 1
        self._masses = self._cdf = None
        self._fresh_after = self._seen + max(5, int(_FRESH_STEP * self.count))

    def _watch_for_drift(self, low: int, high: int) -> None:
        # Under the true law the middle rank of an interval has mean 1/2 and at most the variance of a uniform.
        if self._cdf is None or len(self._cdf) == 1:
            return
        self._rank_sum += (self._cdf[low] + self._cdf[high]) / 2 - 0.5
        self._rank_count += 1
        if self._rank_count < _DRIFT_BLOCK:
            return
        surprise = abs(self._rank_sum) * sqrt(12 / self._rank_count)
        self._rank_sum, self._rank_count = 0.0, 0
        if surprise > _DRIFT_LIMIT:
            self._forget()

    def _forget(self) -> None:
        # Whatever comes now outweighs what is there.
        self._weight /= _DRIFT_KEEP
        self._renew()

    def _tidy(self) -> None:
        least = _NEGLIGIBLE * self._weight
        self._cells = {cell: w / self._weight for cell, w in self._cells.items() if w >= least}
        self._weight = 1.0


def _estimate(cells: dict[tuple[int, int], float], count: float) -> tuple[float, ...]:
    """Find the law that explains the intervals, by expectation and maximisation with smoothing (Silverman 1990)."""
    if not cells:
        return ()
    first = min(low for low, _ in cells)
    last = max(high for _, high in cells)
    size = last - first
    total = sum(cells.values())
    items = [(low - first, high - first, w / total) for (low, high), w in cells.items()]
    masses = [1.0 / size] * size
    for _ in range(_ROUNDS):
        masses = _smoothed(_expected(masses, items))
    return (0.0,) * first + tuple(masses) + (0.0,) * (BINS - last)


def _expected(masses: list[float], items: list[tuple[int, int, float]]) -> list[float]:
    cumulative, total = [0.0], 0.0
    for mass in masses:
        total += mass
        cumulative.append(total)
    steps = [0.0] * (len(masses) + 1)
    for low, high, weight in items:
        share = weight / max(1e-12, cumulative[high] - cumulative[low])
        steps[low] += share
        steps[high] -= share
    factor, out = 0.0, []
    for mass, step in zip(masses, steps, strict=False):
        factor += step
        out.append(mass * max(0.0, factor))
    return out


def _smoothed(masses: list[float]) -> list[float]:
    if len(masses) < 3:
        return masses
    padded = [masses[0], *masses, masses[-1]]
    out = [(a + 2 * b + c) / 4 for a, b, c in zip(padded, padded[1:], padded[2:], strict=False)]
    total = sum(out)
    return [mass / total for mass in out]
