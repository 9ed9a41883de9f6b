"""Whether recent looks contradict a law.

Each look is a bet: of tasks unfinished at one look, the law says how many are finished by the next. What is won and
lost adds up to nothing while the law holds, in whatever order the tasks come, even while a run starts. Page's
cumulative sum (1954) of the bets, one for either direction, notices a change soon after it began, and when it began.
"""

from math import sqrt

import attrs

_SLACK = 0.3  # of the variance per bet: a law may be off by so much before it is worth learning anew
_SLACK_OF_LAW = 1.0  # standard errors of the law itself
_ALARM = 14.0  # with this slack a false alarm takes some exp(2 * 0.3 * 14) = 4,000 completions or more
_SURE = 0.02  # no bet counts as safer than this: the law itself is an estimate


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
        p = min(1.0 - _SURE, max(_SURE, expected))
        return self._settle((1.0 - p) if finished else -p, p * (1.0 - p))

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
