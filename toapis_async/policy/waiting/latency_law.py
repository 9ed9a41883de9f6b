"""How long a model takes: a decaying histogram of completion times, learned from looks."""

from collections import deque
from math import log

from toapis_async.policy.waiting.latency_codec import parse_weights, print_weights
from toapis_async.policy.waiting.latency_curve import LawCurve
from toapis_async.policy.waiting.latency_drift import MOST_HAZARD, Bets, Ending, Trial, changed_since
from toapis_async.policy.waiting.latency_grid import COARSEST, LAST_EDGE, LONGEST, Interval, coarse_edge, edge_index
from toapis_async.policy.waiting.latency_reading import read_law

_MEMORY = 800.0  # completions after which an observation weighs 1/e; a sudden change is noticed by itself
_GROWTH = 1.0 / (1.0 - 1.0 / _MEMORY)
_TIDY_EVERY = 512  # observations between two clean-ups, which bound the number of intervals kept
_NEGLIGIBLE = 0.02  # of one fresh observation
_FRESH_AT = 30  # completions before the first plan rests on the law
_YOUNG = 200  # completions until which the law is read again often
_YOUNG_STEP, _OLD_STEP = 0.15, 0.5  # of what it remembers: how much news makes it worth reading again
_BETWEEN_SHIFTS = 40  # completions: a new law is given time to be learned
_RECENT = 4096  # looks kept, to begin a new law with those at tasks accepted since the shift
_SHAPE_COUNT = 30.0  # completions that the shape of the law before a shift stands for
_SHAPE_FOR = 400  # completions after a shift for which it counts at all


class LatencyLaw:
    """How long one kind of task takes, from acceptance to completion; in seconds.

    The weight of an observation decays with the completions after it. When the recent looks contradict the law, what
    was learned from tasks accepted before the change is dropped, and only the shape of the old law is kept.
    """

    __slots__ = (
        "_bets",
        "_curve",
        "_ended",
        "_finished",
        "_fresh_after",
        "_newest",
        "_news",
        "_recent",
        "_seen",
        "_seen_at_shift",
        "_shape",
        "_since",
        "_stale",
        "_steps",
        "_weight",
        "version",
    )

    def __init__(self) -> None:
        self._finished: dict[Interval, float] = {}
        self._steps: dict[int, float] = {}
        self._ended = 0.0
        self._recent: deque[Trial] = deque(maxlen=_RECENT)
        self._bets = Bets()
        self._weight = 1.0
        self._seen = 0
        self._seen_at_shift = 0
        self._since = 0
        self._shape: LawCurve | None = None
        self._newest = 0
        self._news = 0.0
        self._fresh_after = float(_FRESH_AT)
        self._curve: LawCurve | None = None
        self._stale = True
        self.version = 0
        """Changes when the law has learned enough to be worth a new plan."""

    @property
    def count(self) -> float:
        """How many completions it rests on; decayed ones count for less."""
        return self._ended / self._weight + (0.0 if self._shape is None else _SHAPE_COUNT)

    @property
    def curve(self) -> LawCurve | None:
        """What is believed; None when nothing was observed."""
        if self._stale and (self._finished or self._shape is not None):
            self._stale, self._curve = False, self._read()
        return self._curve

    def unfinished(self, known: int, elapsed: float, *, task: int | None = None) -> int:
        """Learn that a task still runs.

        Without this the law is learned from finished tasks only, which while a run starts are the fast ones.

        Args:
            known: what this returned last for the task; 0 for the first time.
            elapsed: seconds after acceptance.
            task: its number, rising with the acceptance; None for one that is accepted after all others.

        """
        edge = edge_index(elapsed)
        if edge <= known:
            return known
        task = self._number(task)
        if task >= self._since:
            self._recent.append((task, known, edge, Ending.RUNNING))
            self._risk(known, edge, self._weight)
            self._bet(known, edge, finished=False)
        return edge

    def observe(self, after: float, by: float, *, known: int = 0, task: int | None = None) -> None:
        """Learn that a task finished.

        Args:
            after: seconds after acceptance at which it was not finished.
            by: seconds after acceptance at which it was; both may be narrower than the looks, when the gateway tells.
            known: what ``unfinished`` last returned for the task; 0 when it was not asked.
            task: its number, rising with the acceptance; None for one that is accepted after all others.

        """
        task = self._number(task)
        if not (0.0 <= after <= by and 0.0 < by < LONGEST) or task < self._since:
            return
        low, high = edge_index(after), edge_index(by)
        if high <= low:
            low, high = (low, low + 1) if low < LAST_EDGE else (low - 1, low)
        known = min(known, low)
        if low > known:
            self._recent.append((task, known, low, Ending.LATER))
            self._risk(known, low, self._weight)
        self._recent.append((task, low, high, Ending.HERE))
        self._end((low, high), self._weight)
        self._weight *= _GROWTH
        self._seen += 1
        self._news += 1.0
        if not known:
            self._bet_survived(low)
        self._bet(known or low, high, finished=True)
        if self._seen % _TIDY_EVERY == 0:
            self._tidy()
        if self._news >= self._fresh_after:
            self._renew()

    def survival(self, seconds: float) -> float:
        """Give the probability of still running at a time."""
        curve = self.curve
        return 1.0 if curve is None else max(0.0, 1.0 - curve.done(seconds))

    def hazard(self, seconds: float) -> float:
        """Give the rate of finishing, per second, of a task that still runs at a time."""
        curve, alive = self.curve, self.survival(seconds)
        return 0.0 if curve is None or alive <= 0.0 else curve.density(seconds) / alive

    def quantile(self, share: float) -> float:
        """Give the time by which this share of tasks has finished; 0 when nothing was observed."""
        curve = self.curve
        return 0.0 if curve is None else curve.quantile(share)

    def merge_text(self, text: str) -> None:
        """Add what ``to_text`` wrote, as if it had just been seen; what cannot be read is left out."""
        for k, weight in parse_weights(text, coarse_edge(LAST_EDGE, COARSEST)).items():
            low = (k - 1) * COARSEST + 1 if k else 0
            self._end((low, k * COARSEST + 1), weight * self._weight)
            if low:
                self._risk(0, low, weight * self._weight)
        self._recent.clear()
        self._seen = max(self._seen, int(self.count))
        self._renew()

    def to_text(self) -> str:
        """Write the law compactly, for ``from_text``."""
        curve = self.curve
        return print_weights(() if curve is None else [mass * self.count for mass in curve.on_grid(COARSEST)])

    @classmethod
    def from_text(cls, text: str) -> "LatencyLaw":
        """Read what ``to_text`` wrote."""
        law = cls()
        law.merge_text(text)
        return law

    def _number(self, task: int | None) -> int:
        self._newest = max(self._newest, self._newest + 1 if task is None else task)
        return self._newest if task is None else task

    def _risk(self, low: int, high: int, weight: float) -> None:
        steps = self._steps
        steps[low] = steps.get(low, 0.0) + weight
        steps[high] = steps.get(high, 0.0) - weight

    def _end(self, interval: Interval, weight: float) -> None:
        self._finished[interval] = self._finished.get(interval, 0.0) + weight
        self._ended += weight

    def _renew(self) -> None:
        self.version += 1
        self._stale = True
        since = self._seen - self._seen_at_shift
        if since >= _SHAPE_FOR:
            self._shape = None
        count = self.count
        self._bets.on_law(count)
        self._news = 0.0
        self._fresh_after = max(5.0, (_YOUNG_STEP if since < _YOUNG else _OLD_STEP) * count)

    def _read(self) -> LawCurve:
        scale = 1.0 / self._weight
        return read_law(
            {interval: weight * scale for interval, weight in self._finished.items()},
            {edge: weight * scale for edge, weight in self._steps.items()},
            shape=self._shape,
            before=self._curve,
        )

    def _bet(self, low: int, high: int, *, finished: bool) -> None:
        curve = self._curve
        if curve is None or self._stale:
            return
        before = curve.done_at(low)
        expected = (curve.done_at(high) - before) / (1.0 - before) if before < 1.0 - 1e-6 else 0.5
        self._judge(self._bets.add(expected, finished=finished))
        if not finished and self._shape is not None:
            # After a change for the slower there is nothing but such news for a while.
            self._news += expected
            if self._news >= self._fresh_after:
                self._renew()

    def _bet_survived(self, edge: int) -> None:
        curve = self._curve
        if curve is not None and edge and not self._stale:
            hazard = min(MOST_HAZARD, -log(max(1e-9, 1.0 - curve.done_at(edge))))
            self._judge(self._bets.add_survived(hazard))

    def _judge(self, wrong_for: int) -> None:
        if wrong_for and self._seen - self._seen_at_shift >= _BETWEEN_SHIFTS:
            self._shift()

    def _shift(self) -> None:
        """Begin again with the tasks accepted since the law went wrong; keep the shape of the old law."""
        curve = self._curve
        if curve is None:
            return
        self._shape = curve
        self._since = changed_since(self._recent, curve.done_at)
        kept = [trial for trial in self._recent if trial[0] >= self._since]
        self._recent = deque(kept, maxlen=_RECENT)
        self._finished, self._steps, self._ended, self._weight = {}, {}, 0.0, 1.0
        for _, low, high, ending in kept:
            if ending is Ending.HERE:
                self._end((low, high), 1.0)
            else:
                self._risk(low, high, 1.0)
        self._seen_at_shift = self._seen
        self._bets.reset()
        self._renew()

    def _tidy(self) -> None:
        least = _NEGLIGIBLE * self._weight
        self._finished = {cell: w / self._weight for cell, w in self._finished.items() if w >= least}
        self._steps = {edge: w / self._weight for edge, w in self._steps.items() if w}
        self._ended = sum(self._finished.values())
        self._weight = 1.0
