"""How long a model takes, learned from looks: see ``docs/waiting.md#learning-online``."""

from collections import deque
from collections.abc import Sequence
from math import log

from toapis_async.policy.waiting.change_detection import MOST_HAZARD, Cusum, Ending, Trial, changed_since
from toapis_async.policy.waiting.latency_curve import (
    COARSEST,
    LAST_EDGE,
    LONGEST,
    LatencyCurve,
    coarse_edge,
    edge_index,
    fine_edge,
)
from toapis_async.policy.waiting.latency_estimate import estimate
from toapis_async.policy.waiting.likelihood import Observations

_MEMORY = 800.0  # completions after which an observation weighs 1/e; a sudden change is noticed by itself
_GROWTH = 1.0 / (1.0 - 1.0 / _MEMORY)
_TIDY_EVERY = 512  # observations between two clean-ups, which bound the number of intervals kept
_FRESH_AT = 30  # completions before the first plan rests on the distribution
_YOUNG = 200  # completions until which it is estimated again often
_YOUNG_STEP, _OLD_STEP = 0.15, 0.5  # of what it remembers: how much news makes it worth another estimate
_BETWEEN_CHANGES = 40  # completions: a new distribution is given time to be learned
_RECENT = 4096  # looks kept, to begin a new distribution with those at tasks accepted since the change
_SHAPE_COUNT = 30.0  # completions that the shape from before a change stands for
_SHAPE_FOR = 400  # completions after a change for which it counts at all

_MARK = "v1"
_LEAST_WRITTEN = 0.005  # completions; less is not written
_MOST_READ = 1e4  # completions; more is nonsense


class LatencyDistribution:
    """How long one kind of task takes, from acceptance to completion; in seconds.

    The weight of an observation decays with the completions after it. When recent looks contradict the distribution,
    what was learned from tasks accepted before the change is dropped, and only the shape of the old one is kept.
    """

    __slots__ = (
        "_curve",
        "_cusum",
        "_fresh_after",
        "_newest",
        "_news",
        "_observations",
        "_recent",
        "_seen",
        "_seen_at_change",
        "_shape",
        "_since",
        "_stale",
        "_weight",
        "version",
    )

    def __init__(self) -> None:
        self._observations = Observations()
        self._recent: deque[Trial] = deque(maxlen=_RECENT)
        self._cusum = Cusum()
        self._weight = 1.0
        self._seen = 0
        self._seen_at_change = 0
        self._since = 0
        self._shape: LatencyCurve | None = None
        self._newest = 0
        self._news = 0.0
        self._fresh_after = float(_FRESH_AT)
        self._curve: LatencyCurve | None = None
        self._stale = True
        self.version: int = 0
        """Changes when enough has been learned to be worth a new plan."""

    @property
    def count(self) -> float:
        """How many completions it rests on; decayed ones count for less."""
        return self._observations.count / self._weight + (0.0 if self._shape is None else _SHAPE_COUNT)

    @property
    def curve(self) -> LatencyCurve | None:
        """What is believed; None when nothing was observed."""
        if self._stale and (self._observations.ends or self._shape is not None):
            seen = self._observations.scaled(1.0 / self._weight)
            self._stale, self._curve = False, estimate(seen, shape=self._shape, before=self._curve)
        return self._curve

    def unfinished(self, known: int, elapsed: float, *, task: int | None = None) -> int:
        """Learn that a task still runs.

        Without this only finished tasks would teach, which while a run starts are the fast ones.

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
            self._observations.survived(known, edge, self._weight)
            self._test(known, edge, finished=False)
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
            self._observations.survived(known, low, self._weight)
        self._recent.append((task, low, high, Ending.HERE))
        self._observations.ended((low, high), self._weight)
        self._weight *= _GROWTH
        self._seen += 1
        self._news += 1.0
        if not known:
            self._test_survived(low)
        self._test(known or low, high, finished=True)
        if self._seen % _TIDY_EVERY == 0:
            self._observations, self._weight = self._observations.tidied(1.0 / self._weight), 1.0
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
        for k, weight in _parse(text, coarse_edge(LAST_EDGE, COARSEST)).items():
            low = fine_edge(k, COARSEST)
            self._observations.ended((low, fine_edge(k + 1, COARSEST)), weight * self._weight)
            if low:
                self._observations.survived(0, low, weight * self._weight)
        self._recent.clear()
        self._seen = max(self._seen, int(self.count))
        self._renew()

    def to_text(self) -> str:
        """Write the distribution compactly, for ``from_text``."""
        curve = self.curve
        return _print(() if curve is None else [mass * self.count for mass in curve.on_grid(COARSEST)])

    @classmethod
    def from_text(cls, text: str) -> "LatencyDistribution":
        """Read what ``to_text`` wrote."""
        distribution = cls()
        distribution.merge_text(text)
        return distribution

    def _number(self, task: int | None) -> int:
        self._newest = max(self._newest, self._newest + 1 if task is None else task)
        return self._newest if task is None else task

    def _renew(self) -> None:
        self.version += 1
        self._stale = True
        since = self._seen - self._seen_at_change
        if since >= _SHAPE_FOR:
            self._shape = None
        count = self.count
        self._cusum.rests_on(count)
        self._news = 0.0
        self._fresh_after = max(5.0, (_YOUNG_STEP if since < _YOUNG else _OLD_STEP) * count)

    def _test(self, low: int, high: int, *, finished: bool) -> None:
        curve = self._curve
        if curve is None or self._stale:
            return
        before = curve.done_at(low)
        expected = (curve.done_at(high) - before) / (1.0 - before) if before < 1.0 - 1e-6 else 0.5
        self._judge(contradicted=self._cusum.add(expected, finished=finished))
        if not finished and self._shape is not None:
            # After a change for the slower there is nothing but such news for a while.
            self._news += expected
            if self._news >= self._fresh_after:
                self._renew()

    def _test_survived(self, edge: int) -> None:
        curve = self._curve
        if curve is not None and edge and not self._stale:
            hazard = min(MOST_HAZARD, -log(max(1e-9, 1.0 - curve.done_at(edge))))
            self._judge(contradicted=self._cusum.add_survived(hazard))

    def _judge(self, *, contradicted: bool) -> None:
        if contradicted and self._seen - self._seen_at_change >= _BETWEEN_CHANGES:
            self._begin_anew()

    def _begin_anew(self) -> None:
        """Begin again with the tasks accepted since the change; keep the shape of the old distribution."""
        curve = self._curve
        if curve is None:
            return
        self._shape, self._curve = curve.coarsest(), None
        self._since = changed_since(self._recent, curve.done_at)
        kept = [trial for trial in self._recent if trial[0] >= self._since]
        self._recent = deque(kept, maxlen=_RECENT)
        self._observations, self._weight = Observations(), 1.0
        for _, low, high, ending in kept:
            if ending is Ending.HERE:
                self._observations.ended((low, high), 1.0)
            else:
                self._observations.survived(low, high, 1.0)
        self._seen_at_change = self._seen
        self._cusum.reset()
        self._renew()


def _print(weights: Sequence[float]) -> str:
    """Write how many completions each bin stands for: the first bin's number, then the weights from there."""
    known = [k for k, weight in enumerate(weights) if weight >= _LEAST_WRITTEN]
    if not known:
        return f"{_MARK} 0"
    first, last = known[0], known[-1] + 1
    return f"{_MARK} {first} " + ",".join(f"{weight:.3g}" for weight in weights[first:last])


def _parse(text: str, bins: int) -> dict[int, float]:
    """Read what ``_print`` wrote: completions by bin; empty when it makes no sense, for it is only a hint."""
    try:
        mark, first_text, body = text.split(" ")
        first = int(first_text)
        weights = [float(word) for word in body.split(",")]
    except ValueError:
        return {}
    if mark != _MARK or first < 0 or first + len(weights) > bins or not all(0.0 <= w <= _MOST_READ for w in weights):
        return {}
    return {first + k: weight for k, weight in enumerate(weights) if weight >= _LEAST_WRITTEN}
