"""How many tasks the gateway lets us have unfinished, where it counts them.

No such limit is documented, so none is assumed: the limit is the caller's until a 429 says otherwise. A 429 about the
rate is left to ``policy.pace.pacing``. One that comes while nothing of ours is unfinished is about neither.
"""

from enum import Enum

import attrs

from toapis_async.policy.pace.rate_limit_status import Budget, RateLimitStatus

_CONCURRENCY_WORDS = ("concurren", "并发", "in progress", "unfinished", "too many tasks", "进行中", "排队")
_OPENING = 20  # submissions on their way before the first answer; a burst that no limit of use would refuse
_OPENING_SHARE = 0.5  # of the accepted tasks may be on their way: the number grows by half per round trip
_STEP_SHARE = 0.25  # of the limit: no step is larger
_SHRINK = 0.95  # of the limit, for refusals below it
_FIRST_WAIT = 1.0  # seconds until one more is tried; the pages ask for 1 s after a refusal, then double
_AT_THE_EDGE = 8.0  # seconds between tries where a refusal is likely; each may end in one or two
_NO_CHANCE = 3  # refusals in a row; a single one among others that are taken says nothing about a limit
_CONVINCED = 3  # tries that succeed at the edge: it was none, or is none any more
_LONGEST_WAIT = 60.0  # seconds
_PER_TRY = 120  # submissions taken since the last refusal, after which one more is tried however long the wait
_LEAST_HELD = 10  # submissions taken above the edge without a refusal, that it may be none any more
_UNSEEN_ENDS = 3.0  # seconds; for so long the gateway may know of other ends than we do
_FALLEN = 0.9  # of the accepted tasks, for refusals that go on while tasks end and none is taken


class Cause(Enum):
    """What a 429 was about."""

    RATE = "rate"
    CONCURRENCY = "concurrency"
    UNCLEAR = "unclear"


@attrs.frozen(kw_only=True)
class Refusal:
    """A 429 to a submission.

    Attributes:
        message: the gateway's text.
        status: its rate headers, or None.
        retry_after_seconds: how long it asks to wait, or None.

    """

    message: str = ""
    status: RateLimitStatus | None = None
    retry_after_seconds: float | None = None

    @property
    def cause(self) -> Cause:
        """Which limit it names, if any."""
        text = self.message.lower()
        if any(word in text for word in _CONCURRENCY_WORDS):
            return Cause.CONCURRENCY
        if self.status is None:
            return Cause.UNCLEAR
        if self.status.budget is Budget.CONCURRENCY:
            return Cause.CONCURRENCY
        if self.status.remaining is None:
            return Cause.UNCLEAR
        return Cause.CONCURRENCY if self.status.remaining >= 1.0 else Cause.RATE


class InflightLimit:
    """The current limit; times are monotonic seconds, given by the caller.

    Refusals that say so, or three in a row, with *n* tasks accepted show that the gateway takes about *n*; those on
    the way that are still accepted raise it. After a wait that doubles with each refused try, one more is tried. Below
    the last such *n* steps double; at it they are rare and small, until a few in a row, or submissions that are taken
    above it, have shown that it was none.
    """

    __slots__ = (
        "_before_row",
        "_cap",
        "_edge",
        "_held",
        "_most",
        "_refused_at",
        "_refused_with",
        "_row",
        "_row_since",
        "_step",
        "_successes",
        "_taken",
        "_try_at",
        "_trying",
        "_wait",
    )

    def __init__(self, most: int) -> None:
        self._most = most
        self._cap = most
        self._step = 1
        self._wait = _FIRST_WAIT
        self._try_at = 0.0
        self._trying = 0
        self._edge = most
        self._successes = 0
        self._row = 0
        self._before_row, self._row_since = (most, most), 0.0
        self._taken = 0
        self._held = 0
        self._refused_at = 0.0
        self._refused_with = most

    @property
    def limit(self) -> int:
        """Tasks that may be unfinished at a time."""
        return self._cap

    def bound(self, most: int) -> None:
        """Set another bound of the caller's; what was learned of the gateway's own stays."""
        learned = self._cap < self._most
        self._cap = min(self._cap, most) if learned else most
        self._edge = min(self._edge, most) if learned else most
        self._most = most

    def admits(self, accepted: int, on_the_way: int, now: float) -> bool:
        """Tell whether one more may be submitted; a yes is taken to be acted on."""
        total = accepted + on_the_way
        if total >= self._most or on_the_way >= max(_OPENING, int(_OPENING_SHARE * accepted)):
            return False
        if total < self._cap:
            return True
        if total > self._cap or self._trying or not self._may_try(now):
            return False
        # Answers come in the order of the submissions, near enough: the one to this try is the last of these.
        self._trying = on_the_way + 1
        return True

    def _may_try(self, now: float) -> bool:
        if now >= self._try_at:
            return True
        return self._taken >= _PER_TRY and now >= self._refused_at + _FIRST_WAIT

    def on_accepted(self, accepted: int, now: float) -> None:
        """Hear that a submission was taken; *accepted* counts it."""
        self._cap = min(self._most, max(self._cap, accepted))
        self._row = 0
        self._taken += 1
        if not self._trying:
            self._hold(accepted, now)
            return
        self._trying -= 1
        if self._trying:
            return
        self._successes += 1
        far = self._cap < self._edge or self._successes > _CONVINCED
        self._cap = min(self._most, self._cap + (self._step if far else 1))
        if far:
            self._step = min(2 * self._step, max(1, int(_STEP_SHARE * self._cap)))
        self._wait = max(_FIRST_WAIT, self._wait / 2.0)
        self._try_at = now if far else now + max(_AT_THE_EDGE, self._wait)
        self._taken = self._held = 0

    def _hold(self, accepted: int, now: float) -> None:
        """Count what is taken above the edge: fewer than a round of tasks may have had the places of unseen ends."""
        if self._successes and accepted > self._edge:
            self._held += 1
            if self._held == max(_LEAST_HELD, self._edge):
                self._successes, self._try_at = _CONVINCED, now

    def _no_limit_of_tasks(self, now: float) -> None:
        """Take back what the refusals in a row did: nothing is unfinished, so it is an outage, or about the rate."""
        self._cap, self._edge = self._before_row
        self._wait, self._try_at, self._trying = _FIRST_WAIT, now, 0
        self._refused_at, self._refused_with = now, 0

    def on_gone(self) -> None:
        """Hear that a submission ended without an answer to whether there is room."""
        self._trying = 0

    def on_refused(self, refusal: Refusal, accepted: int, now: float) -> float:
        """Hear a 429 with so many tasks accepted; give the seconds to wait before trying that item again."""
        least = max(refusal.retry_after_seconds or 0.0, _FIRST_WAIT)
        if refusal.cause is Cause.RATE:
            self._trying = 0
            return least
        self._row += 1
        if self._row == 1:
            self._before_row, self._row_since = (self._cap, self._edge), now
        if accepted == 0 and refusal.cause is Cause.UNCLEAR and now - self._row_since >= _UNSEEN_ENDS:
            self._no_limit_of_tasks(now)
            return least
        above = self._trying or (self._cap < self._most and accepted >= self._edge)
        if refusal.cause is Cause.UNCLEAR and self._row < _NO_CHANCE and not above:
            return least
        falling = self._row > _NO_CHANCE and accepted < self._refused_with
        self._edge = max(accepted, min(self._cap, self._edge))
        if falling:
            self._cap = int(_FALLEN * accepted)
        elif self._cap == self._most:
            self._cap = self._edge = accepted
        elif not self._trying:
            # Refused below what was accepted before: others use the account, or the gateway has less to give, or
            # what was accepted then took the places of tasks whose end we had not seen yet.
            self._cap = max(accepted, int(_SHRINK * self._cap))
        self._cap = max(1, min(self._most, self._cap))
        if now >= self._try_at:
            if not self._trying and now > self._try_at + self._wait:
                self._wait = _FIRST_WAIT
            self._wait = max(least, self._wait)
            self._try_at = now + self._wait
            self._wait = min(_LONGEST_WAIT, 2.0 * self._wait)
        self._step, self._trying, self._successes = 1, 0, 0
        self._taken = self._held = 0
        self._refused_at, self._refused_with = now, accepted
        # When there is room is decided when it asks for a slot again; an item that slept until the next try would
        # still sleep when all others have ended.
        return least
