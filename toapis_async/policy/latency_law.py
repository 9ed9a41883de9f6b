"""How long a model takes: a decaying histogram of completion times, learned from looks."""

from bisect import bisect_left
from collections import deque
from math import log, log2

from toapis_async.policy.latency_codec import parse_cells, print_cells
from toapis_async.policy.latency_drift import Bets
from toapis_async.policy.latency_estimate import Interval, estimate_masses

_BINS_PER_OCTAVE = 16  # 4.4 % a bin: a sixth of the narrowest law measured (log-normal, sigma 0.25)
_FIRST_EDGE = 0.05  # seconds; nothing at the gateway is faster
_OCTAVES = 22  # up to 58 hours: results are kept for 24 hours, and a task may be late
BINS = _BINS_PER_OCTAVE * _OCTAVES + 1
EDGES: tuple[float, ...] = (0.0, *(_FIRST_EDGE * 2 ** (k / _BINS_PER_OCTAVE) for k in range(BINS)))
"""Bin ``k`` is ``(EDGES[k], EDGES[k + 1]]``, in seconds."""

_MEMORY = 800.0  # completions after which an observation weighs 1/e; a sudden change is noticed by itself
_GROWTH = 1.0 / (1.0 - 1.0 / _MEMORY)
_TIDY_EVERY = 512  # observations between two clean-ups, which bound the number of cells
_NEGLIGIBLE = 0.02  # of one fresh observation
_FRESH_AT = 30  # completions before the first plan rests on the law
_YOUNG = 200  # completions until which the law is read again often
_YOUNG_STEP, _OLD_STEP = 0.15, 0.5  # of what it remembers: how much news makes it worth reading again
_MOST_HAZARD = 5.0  # cumulated: one task in 150 outlives it, and it shall not count for more
_DRIFT_KEEP = 0.03  # of the old weight survives a shift
_RECENT = 40  # completions that are taken for the new law when a shift is noticed


def edge_index(seconds: float) -> int:
    """Give the index of the edge that is nearest to a time, on the logarithmic scale."""
    if seconds <= _FIRST_EDGE / 2:
        return 0
    return min(BINS, max(1, round(log2(seconds / _FIRST_EDGE) * _BINS_PER_OCTAVE) + 1))


def _interval(after: float, by: float) -> Interval:
    low, high = edge_index(after), edge_index(by)
    if high > low:
        return low, high
    high = min(BINS, max(1, bisect_left(EDGES, (after + by) / 2)))
    return high - 1, high


class LatencyLaw:
    """How long one kind of task takes, from acceptance to completion; in seconds.

    The weight of an observation decays with the completions after it, and most of it is dropped at once when the
    recent looks contradict the law.
    """

    __slots__ = (
        "_bets",
        "_cdf",
        "_cells",
        "_fresh_after",
        "_masses",
        "_recent",
        "_running",
        "_seen",
        "_seen_at_shift",
        "_weight",
        "version",
    )

    def __init__(self) -> None:
        self._cells: dict[Interval, float] = {}
        self._running: dict[int, int] = {}
        self._recent: deque[Interval] = deque(maxlen=_RECENT)
        self._bets = Bets()
        self._weight = 1.0
        self._seen = 0
        self._seen_at_shift = 0
        self._fresh_after = _FRESH_AT
        self._masses: tuple[float, ...] | None = None
        self._cdf: tuple[float, ...] | None = None
        self.version = 0
        """Changes when the law has learned enough to be worth a new plan."""

    @property
    def count(self) -> float:
        """How many completions it rests on; decayed ones count for less."""
        return sum(self._cells.values()) / self._weight

    def unfinished(self, before: float, elapsed: float) -> None:
        """Learn that a task still runs.

        Without this the law is learned from finished tasks only, which while a run starts are the fast ones.

        Args:
            before: seconds after acceptance at which this was last said of the task; 0 for the first time.
            elapsed: seconds after acceptance.

        """
        old, new = edge_index(before), edge_index(elapsed)
        self._move(old, new)
        if self._cdf is not None and new > old:
            self._bet(old, new, finished=False)

    def gone(self, before: float) -> None:
        """Forget a running task that nobody looks at any more; *before* as in ``unfinished``."""
        self._move(edge_index(before), 0)

    def observe(self, after: float, by: float, *, looked: float = 0.0) -> None:
        """Learn that a task finished.

        Args:
            after: seconds after acceptance at which it was not finished.
            by: seconds after acceptance at which it was; both may be narrower than the looks, when the gateway tells.
            looked: what ``unfinished`` last said of the task; 0 when it was not said.

        """
        self._move(edge_index(looked), 0)
        if not (0.0 <= after <= by and 0.0 < by < EDGES[-1]):
            return
        cell = _interval(after, by)
        if self._cdf is not None and len(self._cdf) > 1:
            if not looked:
                self._bets.add_survived(min(_MOST_HAZARD, -log(max(1e-9, 1.0 - self._cdf[cell[0]]))))
            self._bet(min(cell[0], edge_index(looked)) if looked else cell[0], cell[1], finished=True)
        self._add(cell)
        self._recent.append(cell)
        self._seen += 1
        if self._seen % _TIDY_EVERY == 0:
            self._tidy()
        if self._seen >= self._fresh_after:
            self._renew()

    def masses(self) -> tuple[float, ...]:
        """Give the probability of each bin; empty when nothing was observed."""
        if self._masses is None:
            running = {edge: count * self._weight for edge, count in self._running.items()}
            self._masses = estimate_masses(self._cells, running, bins=BINS)
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

    def merge_text(self, text: str) -> None:
        """Add what ``to_text`` wrote, as if it had just been seen; what cannot be read is left out."""
        for cell, weight in parse_cells(text, BINS).items():
            self._cells[cell] = self._cells.get(cell, 0.0) + weight * self._weight
        self._seen = max(self._seen, int(self.count))
        self._renew()

    def to_text(self) -> str:
        """Write it compactly, for ``from_text``; of running tasks nothing is written."""
        return print_cells(self._cells, self._weight)

    @classmethod
    def from_text(cls, text: str) -> "LatencyLaw":
        """Read what ``to_text`` wrote."""
        law = cls()
        law.merge_text(text)
        return law

    def _move(self, old: int, new: int) -> None:
        running = self._running
        if old > 0:
            left = running.get(old, 0) - 1
            if left > 0:
                running[old] = left
            else:
                running.pop(old, None)
        if new > 0:
            running[new] = running.get(new, 0) + 1

    def _add(self, cell: Interval) -> None:
        self._cells[cell] = self._cells.get(cell, 0.0) + self._weight
        self._weight *= _GROWTH

    def _renew(self) -> None:
        self.version += 1
        self._masses = self._cdf = None
        step = _YOUNG_STEP if self._seen - self._seen_at_shift < _YOUNG else _OLD_STEP
        self._fresh_after = self._seen + max(5, int(step * self.count))

    def _bet(self, low: int, high: int, *, finished: bool) -> None:
        cdf = self._cdf
        if cdf is None or len(cdf) == 1:
            return
        alive = 1.0 - cdf[low]
        self._bets.add((cdf[high] - cdf[low]) / alive if alive > 1e-6 else 0.5, finished=finished)
        if self._bets.lost(self.count):
            self._shift()

    def _shift(self) -> None:
        self._weight /= _DRIFT_KEEP
        self._seen_at_shift = self._seen
        for cell in self._recent:
            self._add(cell)
        self._recent.clear()
        self._renew()

    def _tidy(self) -> None:
        least = _NEGLIGIBLE * self._weight
        self._cells = {cell: w / self._weight for cell, w in self._cells.items() if w >= least}
        self._weight = 1.0
