"""Whether recent looks contradict a law.

Each look is a bet: of tasks unfinished at one look, the law says how many are finished by the next. What is won and
lost adds up to nothing when the law holds, in whatever order the tasks come, even while a run starts.
"""

from math import sqrt

import attrs

_ENOUGH = 3.0  # variance of the bets before they are judged: about 15 to 30 looks
_SURPRISE = 4.0  # standard errors: a false alarm in some 10,000 judgements
_SURE = 0.02  # no bet counts as safer than this: the law itself is an estimate


@attrs.define
class Bets:
    """The bets since the last judgement."""

    _won: float = 0.0
    _variance: float = 0.0
    _count: int = 0

    def add(self, expected: float, *, finished: bool) -> None:
        """Add a look that was to find its task finished with probability *expected*."""
        p = min(1.0 - _SURE, max(_SURE, expected))
        self._won += (1.0 - p) if finished else -p
        self._variance += p * (1.0 - p)
        self._count += 1

    def add_survived(self, cumulative_hazard: float) -> None:
        """Add, at once, all the looks that a task outlived before anything was said of it."""
        self._won -= cumulative_hazard
        self._variance += cumulative_hazard
        self._count += 1

    def lost(self, law_count: float) -> bool | None:
        """Judge: True when the law is contradicted, False when it is not, None while the bets are too few."""
        if self._variance < _ENOUGH:
            return None
        # The law was itself estimated from so many completions, so it may be off by its own standard error.
        error = sqrt(self._variance * (1.0 + self._count / max(1.0, law_count)))
        contradicted = abs(self._won) > _SURPRISE * error
        self._won, self._variance, self._count = 0.0, 0.0, 0
        return contradicted
