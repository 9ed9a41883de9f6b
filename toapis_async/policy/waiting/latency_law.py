"""How long a model takes: a decaying histogram of completion times, learned from looks."""

from bisect import bisect_left
from collections import deque
from math import log, log2

from toapis_async.policy.waiting.latency_codec import parse_weights, print_weights
from toapis_async.policy.waiting.latency_drift import Bets
from toapis_async.policy.waiting.latency_estimate import Interval, estimate_masses

_BINS_PER_OCTAVE = 16  # 4.4 % a bin: a sixth of the narrowest law measured (log-normal, sigma 0.25)
_FIRST_EDGE = 0.05  # seconds; nothing at the gateway is faster
_OCTAVES = 22  # up to 58 hours: results are kept for 24 hours, and a task may be late
BINS = _BINS_PER_OCTAVE * _OCTAVES + 1
EDGES: tuple[float, ...] = (0.0, *(_FIRST_EDGE * 2 ** (k / _BINS_PER_OCTAVE) for k in range(BINS)))
"""Bin ``k`` is ``(EDGES[k], EDGES[k + 1]]``, in seconds."""

_MEMORY = 800.0  # completions after which an observation weighs 1/e; a sudden change is noticed by itself
_GROWTH = 1.0 / (1.0 - 1.0 / _MEMORY)
_TIDY_EVERY = 512  # observations between two clean-ups, which bound the number of intervals kept
_NEGLIGIBLE = 0.02  # of one fresh observation
_FRESH_AT = 30  # completions before the first plan rests on the law
_YOUNG = 200  # completions until which the law is read again often
_YOUNG_STEP, _OLD_STEP = 0.15, 0.5  # of what it remembers: how much news makes it worth reading again
_MOST_HAZARD = 5.0  # cumulated: one task in 150 outlives it, and it shall not count for more
_BETWEEN_SHIFTS = 40  # completions: a new law is given time to be learned
_SHIFT_KEEP = 0.03  # of the old weight survives a shift
_RECENT = 400  # looks kept, to begin a new law with those since the shift


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
        "_finished",
        "_fresh_after",
        "_masses",
        "_recent",
        "_seen",
        "_seen_at_shift",
        "_survived",
        "_weight",
        "version",
    )

    def __init__(self) -> None:
        self._finished: dict[Interval, float] = {}
        self._survived: dict[Interval, float] = {}
        self._recent: deque[tuple[Interval, bool]] = deque(maxlen=_RECENT)
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
        return sum(self._finished.values()) / self._weight

    def unfinished(self, before: float, elapsed: float) -> None:
        """Learn that a task still runs.

        Without this the law is learned from finished tasks only, which while a run starts are the fast ones.

        Args:
            before: seconds after acceptance at which this was last said of the task; 0 for the first time.
            elapsed: seconds after acceptance.

        """
        low, high = edge_index(before), edge_index(elapsed)
        if high > low:
            self._add((low, high), finished=False)
            self._bet(low, high, finished=False)

    def observe(self, after: float, by: float, *, looked: float = 0.0) -> None:
        """Learn that a task finished.

        Args:
            after: seconds after acceptance at which it was not finished.
            by: seconds after acceptance at which it was; both may be narrower than the looks, when the gateway tells.
            looked: what ``unfinished`` last said of the task; 0 when it was not said.

        """
        if not (0.0 <= after <= by and 0.0 < by < EDGES[-1]):
            return
        interval = _interval(after, by)
        known = min(edge_index(looked), interval[0])
        if interval[0] > known:
            self._add((known, interval[0]), finished=False)
        self._add(interval, finished=True)
        self._weight *= _GROWTH
        self._seen += 1
        if not known:
            self._bet_survived(interval[0])
        self._bet(known or interval[0], interval[1], finished=True)
        if self._seen % _TIDY_EVERY == 0:
            self._tidy()
        if self._seen >= self._fresh_after:
            self._renew()

    def masses(self) -> tuple[float, ...]:
        """Give the probability of each bin; empty when nothing was observed."""
        if self._masses is None:
            self._masses = estimate_masses(self._finished, self._survived, bins=BINS)
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
        for k, weight in parse_weights(text, BINS).items():
            self._add((k, k + 1), finished=True, weight=weight)
            if k:
                self._add((0, k), finished=False, weight=weight)
        self._recent.clear()
        self._seen = max(self._seen, int(self.count))
        self._renew()

    def to_text(self) -> str:
        """Write the law compactly, for ``from_text``."""
        count = self.count
        return print_weights([mass * count for mass in self.masses()])

    @classmethod
    def from_text(cls, text: str) -> "LatencyLaw":
        """Read what ``to_text`` wrote."""
        law = cls()
        law.merge_text(text)
        return law

    def _add(self, interval: Interval, *, finished: bool, weight: float = 1.0) -> None:
        trials = self._finished if finished else self._survived
        trials[interval] = trials.get(interval, 0.0) + weight * self._weight
        self._recent.append((interval, finished))

    def _renew(self) -> None:
        self.version += 1
        self._masses = self._cdf = None
        count = self.count
        self._bets.on_law(count)
        step = _YOUNG_STEP if self._seen - self._seen_at_shift < _YOUNG else _OLD_STEP
        self._fresh_after = self._seen + max(5, int(step * count))

    def _bet(self, low: int, high: int, *, finished: bool) -> None:
        cdf = self._cdf
        if cdf is None or len(cdf) == 1:
            return
        alive = 1.0 - cdf[low]
        self._judge(self._bets.add((cdf[high] - cdf[low]) / alive if alive > 1e-6 else 0.5, finished=finished))

    def _bet_survived(self, edge: int) -> None:
        cdf = self._cdf
        if cdf is not None and len(cdf) > 1 and edge:
            hazard = min(_MOST_HAZARD, -log(max(1e-9, 1.0 - cdf[edge])))
            self._judge(self._bets.add_survived(hazard))

    def _judge(self, wrong_for: int) -> None:
        if wrong_for and self._seen - self._seen_at_shift >= _BETWEEN_SHIFTS:
            self._shift(wrong_for)

    def _shift(self, looks: int) -> None:
        """Drop most of what was learned, and begin again with the looks since the law went wrong."""
        self._weight /= _SHIFT_KEEP
        self._seen_at_shift = self._seen
        recent = list(self._recent)[-looks:]
        self._recent.clear()
        for interval, finished in recent:
            self._add(interval, finished=finished)
        self._bets.reset()
        self._renew()

    def _tidy(self) -> None:
        least = _NEGLIGIBLE * self._weight
        self._finished = {cell: w / self._weight for cell, w in self._finished.items() if w >= least}
        self._survived = {cell: w / self._weight for cell, w in self._survived.items() if w >= least}
        self._weight = 1.0
