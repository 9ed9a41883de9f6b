"""Whether recent looks contradict a distribution, and since when.

Each look is a trial: of tasks unfinished at one look, the distribution says how many are finished by the next. Page's
cumulative sum (CUSUM, 1954) of log-likelihood ratios against tasks that finish sooner, or later, than it says notices
a change soon after it began, in whatever order the tasks come. See ``docs/waiting.md#noticing-a-change``.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from math import exp, log, sqrt
from typing import TypeAlias

import attrs

_TILT = 0.6  # the odds are exp(0.6) = 1.8 times as high, or as low: a change that is worth learning anew
_TILT_OF_FEW = 2.0  # more, over the root of the completions learned from: the distribution itself is an estimate
_GROSS_TILT = 3.0  # 20 times the odds: tasks finish where hardly any did, and a handful of looks is enough
_ALARM = 8.4  # nats: with these tilts a false alarm takes exp(8.4) = 4,000 looks or more
_ALARM_MUCH = 10.0  # five looks in a row that find what they should not
MOST_HAZARD = 5.0  # cumulated: one task in 150 outlives it, and it shall not count for more
_SURE = 0.02  # no trial counts as safer than this: the distribution itself is an estimate
_LIKELY = 0.5  # what was likely to be found finished is no sign that tasks are faster by much
_SURE_EARLY = 0.05  # nor, for the larger tilt, to find less finished than this: tails are known least


class Ending(Enum):
    """How a trial ended."""

    HERE = "finished"
    RUNNING = "still running at a look"
    LATER = "known to have run so long only when it was known to have finished"


Trial: TypeAlias = tuple[int, int, int, Ending]
"""A task's number, two edges, and what became of it between them."""


Ratios: TypeAlias = tuple[float, float, float]
"""Log-likelihood ratios, in nats: of tasks that finish sooner, later, and sooner by much."""


@attrs.define
class Cusum:
    """The cumulative sums against one distribution."""

    _tilt: float = _TILT + _TILT_OF_FEW
    _sums: Ratios = (0.0, 0.0, 0.0)

    def rests_on(self, completions: float) -> None:
        """Hear from how many completions the distribution is learned."""
        self._tilt = _TILT + _TILT_OF_FEW / sqrt(max(1.0, completions))

    def add(self, expected: float, *, finished: bool) -> bool:
        """Add a look that was to find its task finished with probability *expected*.

        Returns:
            whether the distribution is contradicted.

        """
        return self._settle(_ratios(expected, finished=finished, tilt=self._tilt))

    def add_survived(self, cumulative_hazard: float) -> bool:
        """Add, as one, all the looks that a task outlived before anything was said of it; see ``add``."""
        return self._settle(_ratios_of_survival(cumulative_hazard, tilt=self._tilt))

    def reset(self) -> None:
        """Begin anew, for a new distribution."""
        self._sums = (0.0, 0.0, 0.0)

    def _settle(self, ratios: Ratios) -> bool:
        sooner, later, much = (max(0.0, total + ratio) for total, ratio in zip(self._sums, ratios, strict=True))
        self._sums = (sooner, later, much)
        return sooner > _ALARM or later > _ALARM or much > _ALARM_MUCH


def _ratios(expected: float, *, finished: bool, tilt: float) -> Ratios:
    p = min(1.0 - _SURE, max(_SURE, expected))
    # To second order, which is near enough and blind to what was as good as certain.
    won = 1.0 - max(p, expected) if finished else -min(p, expected)
    slack = tilt / 2.0 * p * (1.0 - p)
    p = max(_SURE_EARLY, expected)
    much = (_GROSS_TILT if finished else 0.0) - log(1.0 - p + p * exp(_GROSS_TILT))
    if finished and expected > _LIKELY:
        much = 0.0
    return _TILT * (won - slack), _TILT * (-won - slack), much


def _ratios_of_survival(hazard: float, *, tilt: float) -> Ratios:
    slack = tilt / 2.0 * hazard
    return _TILT * (-hazard - slack), _TILT * (hazard - slack), hazard * (1.0 - exp(_GROSS_TILT))


def changed_since(trials: Iterable[Trial], done_at: Callable[[float], float]) -> int:
    """Give the number of the first task that did not follow the distribution.

    It changes for tasks accepted from some moment on: those under way then go on as before, and for as long as they
    take their looks are between those at the new ones.

    Args:
        trials: what was seen.
        done_at: the distribution that is contradicted, by edge.

    """
    scores: tuple[dict[int, float], ...] = ({}, {}, {})
    for task, low, high, ending in trials:
        before = done_at(low)
        p = (done_at(high) - before) / (1.0 - before) if before < 1.0 - 1e-6 else 0.5
        if ending is Ending.LATER:
            ratios = _ratios_of_survival(min(MOST_HAZARD, -log(max(1e-9, 1.0 - p))), tilt=_TILT)
        else:
            ratios = _ratios(p, finished=ending is Ending.HERE, tilt=_TILT)
        for by_task, ratio in zip(scores, ratios, strict=True):
            by_task[task] = by_task.get(task, 0.0) + ratio
    return max(_best_start(by_task) for by_task in scores)[1]


def _best_start(scores: dict[int, float]) -> tuple[float, int]:
    total, best, start = 0.0, 0.0, 0
    for task in sorted(scores, reverse=True):
        total += scores[task]
        if total > best:
            best, start = total, task
    return best, start
