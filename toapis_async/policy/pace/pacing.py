"""How fast the account lets us go: a token bucket that learns its own rate.

Lessons of those who ran such limits (peers §1.5): only a 429 cuts, once per cool-down; a 5xx cuts nothing; what was
sent before a cut does not count after it; only a budget that is used grows; ``Retry-After`` pauses but does not
lengthen the cool-down.
"""

from collections import deque
from math import exp2, inf

import attrs

from toapis_async.policy.pace.rate_limit_status import RateLimitStatus
from toapis_async.policy.pace.refill import RefillMeter

_COOL_DOWN = 1.0  # seconds: the smallest Retry-After; whatever was on its way at the cut has been answered
_CUT = 0.7  # of the rate, when nothing better is known (CUBIC and botocore use 0.7)
_TRUST = 0.98  # of a rate that was measured between two refusals
_LEAST_SERVED = 8  # requests between two refusals, to measure by
_MEASURABLE = 20.0  # seconds between two refusals; after longer ones the bucket may have been full in between
_OPENING = 10  # requests without an answer at the start; each answer lets one more go, so a full burst takes 3 trips
_OPENING_FOR = 3.0  # seconds; a gateway that has not answered by then is slow, not strict
_OPENING_WAIT = 0.01  # seconds
_UNHEARD_FOR = 0.25  # seconds; then one more goes without an answer, which may never come
_PROBE_DOUBLINGS = 1.0  # per second until a refusal has shown the rate: from 5/s to 50/s within four seconds
_STEADY_GROWTH = 0.0004  # of the rate, per second and per request per second: one refusal in more than 100 requests
_STEADY_UP_TO = 50.0  # requests per second: 2 % per second is fast enough
_STEADY_DOUBLING = 15.0  # seconds without a refusal until that growth doubles: a raised limit is found
_FASTEST_GROWTH = 0.5  # of the rate per second
_HOP = 4.0  # a rate from the headers is approached by so much at a time, and measured again in between
_DOUBT = 10.0  # seconds for which headers that led into a refusal are not believed
_DWELL = 3.0  # seconds: at 5 requests per second the headers are understood within two
_GROW_EVERY = 0.25  # seconds
_IDLE = 2.0  # seconds without a reply: what was used before says nothing any more
_BUSY = 0.8  # of the budget must be in use before it grows
_SLOWEST = 0.1  # requests per second; below it a run would seem dead
_LONGEST_PAUSE = 120.0  # seconds; docs: after a refusal wait up to 60 s (images) or 120 s (videos)
_RESERVE = 0.05  # of the burst is left alone: requests may bunch on their way
_LAST_TOKENS = 2.0  # when the gateway has fewer left we go a little slower, to be sure of the next one
_SLOWER = 0.05  # of a token per reply
_SCARCE = 0.1  # of the fullest budget seen: below it there is nothing to probe for
_SHARE = 0.5  # of what the gateway has left, when that is more than we thought
_HISTORY = 200  # changes kept


@attrs.frozen
class RateChange:
    """A change of the rate.

    Attributes:
        at: monotonic seconds.
        per_second: the new rate.
        reason: ``refused``, ``probed`` or ``headers``.

    """

    at: float
    per_second: float
    reason: str


class Bucket:
    """A token bucket; times are monotonic seconds, given by the caller.

    Args:
        per_second, burst: what to start with.
        ceiling: the rate never to pass, or None to look for it.
        now: the current time.

    """

    __slots__ = (
        "_ceiling",
        "_cool_until",
        "_doubt_until",
        "_dwell_until",
        "_fixed",
        "_grown_at",
        "_measured",
        "_meter",
        "_open_at",
        "_opening",
        "_paused_until",
        "_refused_at",
        "_scarce",
        "_served",
        "_served_at_refusal",
        "_taken",
        "_taken_at",
        "_tokens",
        "_unheard",
        "_updated",
        "burst",
        "history",
        "per_second",
    )

    def __init__(self, *, per_second: float, burst: float, ceiling: float | None, now: float) -> None:
        self.per_second = per_second
        self.burst = max(1.0, burst - max(1.0, _RESERVE * burst)) if burst > 1.0 else 1.0
        self.history: deque[RateChange] = deque(maxlen=_HISTORY)
        self._ceiling = ceiling
        self._fixed = ceiling is not None
        self._meter = RefillMeter()
        self._tokens = self.burst
        self._updated = now
        self._paused_until = now
        self._cool_until = now
        self._doubt_until = now
        self._dwell_until = now + _DWELL
        self._refused_at: float | None = None
        self._scarce = False
        self._measured = False
        self._served = 0
        self._served_at_refusal = 0
        self._grown_at = now
        self._taken = 0
        self._taken_at = now
        self._unheard = 0
        self._opening = _OPENING
        self._open_at = inf

    @property
    def known(self) -> bool:
        """Whether the rate rests on a setting, on headers or on a refusal, and is no mere beginning."""
        return self._ceiling is not None or self._refused_at is not None

    @property
    def counted(self) -> bool:
        """Whether ``Remaining`` may be a number of requests, by all that was heard."""
        return self._meter.counts_requests

    def take(self, now: float) -> float:
        """Take one token: 0.0 when it was there, else the seconds to wait before asking again."""
        if now < self._paused_until:
            return self._paused_until - now
        if self._unheard >= self._opening and now < self._open_at and now - self._taken_at < _UNHEARD_FOR:
            return _OPENING_WAIT
        self._refill(now)
        if self._tokens >= 1.0 - 1e-9:
            self._tokens -= 1.0
            self._taken += 1
            self._unheard += 1
            self._taken_at = now
            if self._open_at == inf:
                self._open_at = now + _OPENING_FOR
            return 0.0
        return (1.0 - self._tokens) / self.per_second

    def give_back(self) -> None:
        """Return a token that was taken and not used."""
        self._tokens = min(self.burst, self._tokens + 1.0)
        self._taken -= 1
        self._unheard -= 1

    def on_success(self, now: float, status: RateLimitStatus | None = None) -> None:
        """Hear that a request was taken, and what its reply said about the budget."""
        self._served += 1
        self._unheard -= 1
        self._opening += 1
        if status is not None:
            self._follow(now, status)
        self._grow(now)

    def on_no_answer(self) -> None:
        """Hear that a request ended without a word about the budget: a 5xx, or nothing."""
        self._unheard -= 1

    def on_refused(self, now: float, retry_after_seconds: float | None = None) -> None:
        """Hear a 429: pause as asked, and cut the rate unless that was done within the cool-down."""
        self._refill(now)
        self._unheard -= 1
        if retry_after_seconds is not None:
            self._paused_until = max(self._paused_until, now + min(_LONGEST_PAUSE, retry_after_seconds))
        if now < self._cool_until:
            return
        if not self._fixed and self._ceiling is not None:
            self._ceiling, self._doubt_until = None, now + _DOUBT
        self._cool_until = now + _COOL_DOWN
        if self._tokens >= 1.0 and self._served < self.burst and self._refused_at is None:
            # Refused within the opening burst: that says something about the burst, and nothing about the rate.
            self.burst = max(1.0, _CUT * self.burst)
        else:
            target = self._rate_after_refusal(now)
            self._refused_at, self._served_at_refusal = now, self._served
            self._set_rate(now, max(_SLOWEST, target), "refused")
        # What the gateway's bucket gains during the pause is left in it: it carries the next try for more.
        self._tokens = min(self._tokens, 0.0)
        self._paused_until = self._updated = max(self._paused_until, now + 1.0 / self.per_second)

    def _rate_after_refusal(self, now: float) -> float:
        # At a refusal the gateway's bucket is empty, so what it served between two refusals is what it refilled.
        served = self._served - self._served_at_refusal
        since = self._refused_at
        if since is None or served < _LEAST_SERVED or now - since > _MEASURABLE:
            return _CUT * self.per_second
        self._measured = True
        return min(self.per_second, _TRUST * served / (now - since))

    def _refill(self, now: float) -> None:
        if now > self._updated:
            self._tokens = min(self.burst, self._tokens + (now - self._updated) * self.per_second)
            self._updated = now

    def _follow(self, now: float, status: RateLimitStatus) -> None:
        if status.remaining is not None:
            self._scarce = self._meter.scarce(status.remaining, _SCARCE)
            if status.remaining < _LAST_TOKENS:
                self._refill(now)
                self._tokens -= _SLOWER
            if status.remaining < 1.0:
                self._tokens = min(self._tokens, 0.0)
        if self._fixed:
            return
        finding = self._meter.hear(now, status, served=self._served, unheard=self._unheard)
        if finding is None or now < self._doubt_until:
            return
        self._ceiling = finding.per_second
        if finding.per_second is not None:
            self._set_rate(now, min(finding.per_second, _HOP * self.per_second), "headers")
            self._catch_up(finding.remaining - self._unheard)

    def _catch_up(self, left: float) -> None:
        # Half of what the gateway has left for us: others may share the account.
        self.burst = max(self.burst, _SHARE * left)
        self._tokens = max(self._tokens, _SHARE * left)

    def _grow(self, now: float) -> None:
        elapsed = now - self._grown_at
        if elapsed < _GROW_EVERY or now < self._cool_until:
            return
        busy = self._taken >= _BUSY * elapsed * self.per_second
        self._grown_at, self._taken = now, 0
        if not busy or self._scarce or elapsed > _IDLE:
            return
        rate = self.per_second * self._growth(now, elapsed)
        if self._ceiling is not None:
            rate = min(rate, self._ceiling)
        elif (stop := self._meter.next_meaning(self.per_second, rate)) is not None:
            rate = self._dwell(now, stop, rate)
        self._set_rate(now, rate, "probed")

    def _dwell(self, now: float, stop: float, rate: float) -> float:
        """Stay for a while at a rate that the headers may mean, until they are understood."""
        if stop > self.per_second:
            self._dwell_until = now + _DWELL
            return stop
        return stop if now < self._dwell_until else rate

    def _growth(self, now: float, elapsed: float) -> float:
        if self._refused_at is None or not self._measured:
            return exp2(_PROBE_DOUBLINGS * elapsed)
        share = _STEADY_GROWTH * min(_STEADY_UP_TO, self.per_second)
        share *= exp2(min(30.0, (now - self._refused_at) / _STEADY_DOUBLING))
        return 1.0 + min(_FASTEST_GROWTH, share) * elapsed

    def _set_rate(self, now: float, per_second: float, reason: str) -> None:
        if per_second == self.per_second:
            return
        self._refill(now)
        self.per_second = per_second
        self.history.append(RateChange(now, per_second, reason))
