"""Whether recent looks contradict a law.

Each look is a bet: of tasks unfinished at one look, the law says how many are finished by the next. What is won and
lost adds up to nothing while the law holds, in whatever order the tasks come, even while a run starts. Page's
cumulative sum (1954) of the bets, one for either direction, notices a change soon after it began, and when it began.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from math import log, sqrt
from typing import TypeAlias

import attrs

_SLACK = 0.3  # of the variance per bet: a law may be off by so much before it is worth learning anew
_SLACK_OF_LAW = 1.0  # standard errors of the law itself
_ALARM = 14.0  # with this slack a false alarm takes some exp(2 * 0.3 * 14) = 4,000 completions or more
MOST_HAZARD = 5.0  # cumulated: one task in 150 outlives it, and it shall not count for more
_SURE = 0.02  # no bet counts as safer than this: the law itself is an estimate


class Ending(Enum):
    """How a trial ended."""

    HERE = "finished"
    RUNNING = "still running at a look"
    LATER = "known to have run so long only when it was known to have finished"


Trial: TypeAlias = tuple[int, int, int, Ending]
"""A task's number, two edges, and what became of it between them."""


@attrs.define
class Bets:
    """The running account of the bets on one law."""

    _slack: float = _SLACK + _SLACK_OF_LAW
    _sooner: float = 0.0
    _later: float = 0.0
    _sooner_for: int = 0
    _later_for: int = 0

    def on_law(self, count: float) -> None:
        """Hear that the law now rests on so many completions."""
        self._slack = _SLACK + _SLACK_OF_LAW / sqrt(max(1.0, count))

    def add(self, expected: float, *, finished: bool) -> int:
        """Add a look that was to find its task finished with probability *expected*.

        Returns:
            for how many looks the law has been wrong; 0 while there is no reason to think so.

        """
        return self._settle(*_won(expected, finished=finished))

    def add_survived(self, cumulative_hazard: float) -> int:
        """Add, as one, all the looks that a task outlived before anything was said of it; see ``add``."""
        return self._settle(-cumulative_hazard, cumulative_hazard)

    def reset(self) -> None:
        """Begin anew, for a new law."""
        self._sooner = self._later = 0.0
        self._sooner_for = self._later_for = 0

    def _settle(self, won: float, variance: float) -> int:
        self._sooner = max(0.0, self._sooner + won - self._slack * variance)
        self._later = max(0.0, self._later - won - self._slack * variance)
        self._sooner_for = self._sooner_for + 1 if self._sooner else 0
        self._later_for = self._later_for + 1 if self._later else 0
        if self._sooner > _ALARM:
            return self._sooner_for
        return self._later_for if self._later > _ALARM else 0


def _won(expected: float, *, finished: bool) -> tuple[float, float]:
    """Give what a bet won, and its variance. What went as surely expected wins nothing, however often."""
    p = min(1.0 - _SURE, max(_SURE, expected))
    won = 1.0 - max(p, expected) if finished else -min(p, expected)
    return won, p * (1.0 - p)


def changed_since(trials: Iterable[Trial], done_at: Callable[[float], float]) -> int:
    """Give the number of the first task that did not follow the law.

    A law changes for tasks accepted from some moment on: those under way then go on as before, and for as long as they
    take their looks are between those at the new ones.

    Args:
        trials: what was seen.
        done_at: the law that is contradicted.

    """
    later: dict[int, float] = {}
    sooner: dict[int, float] = {}
    for task, low, high, ending in trials:
        before = done_at(low)
        p = (done_at(high) - before) / (1.0 - before) if before < 1.0 - 1e-6 else 0.5
        if ending is Ending.LATER:
            hazard = min(MOST_HAZARD, -log(max(1e-9, 1.0 - p)))
            won, variance = -hazard, hazard
        else:
            won, variance = _won(p, finished=ending is Ending.HERE)
        sooner[task] = sooner.get(task, 0.0) + won - _SLACK * variance
        later[task] = later.get(task, 0.0) - won - _SLACK * variance
    return max(_best_start(sooner), _best_start(later))[1]


def _best_start(scores: dict[int, float]) -> tuple[float, int]:
    total, best, start = 0.0, 0.0, 0
    for task in sorted(scores, reverse=True):
        total += scores[task]
        if total > best:
            best, start = total, task
    return best, start
