"""How fast the account lets us go: a token bucket that learns its own rate.

Lessons of those who ran such limits (peers §1.5): only a 429 cuts, once per cool-down; a 5xx cuts nothing; what was
sent before a cut does not count after it; only a budget that is used grows; ``Retry-After`` pauses but does not
lengthen the cool-down.
"""

from collections import deque

import attrs

from toapis_async.policy.rate_reading import RateReading

_COOL_DOWN = 1.0  # seconds: the smallest Retry-After; whatever was on its way at the cut has been answered
_CUT = 0.7  # of the rate, when nothing better is known (CUBIC and botocore use 0.7)
_TRUST = 0.98  # of a rate that was measured between two refusals
_PROBE_GROWTH = 2.0  # per second while nothing was ever refused: from 5/s to 50/s within four seconds
_STEADY_GROWTH = 0.02  # of the rate per second after a refusal
_STEADY_DOUBLING = 15.0  # seconds without a refusal until that growth doubles: a raised limit is found
_FASTEST_GROWTH = 0.5  # per second
_BUSY = 0.8  # of the budget must be in use before it grows
_SLOWEST = 0.1  # requests per second; below it a run would seem dead
_LONGEST_PAUSE = 120.0  # seconds; docs: after a refusal wait up to 60 s (images) or 120 s (videos)
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
        "_counted_from",
        "_empty_since",
        "_grown_at",
        "_paused_until",
        "_refused_at",
        "_served",
        "_taken",
        "_tokens",
        "_updated",
        "burst",
        "history",
        "per_second",
    )

    def __init__(self, *, per_second: float, burst: float, ceiling: float | None, now: float) -> None:
        self.per_second = per_second
        self.burst = burst
        self.history: deque[RateChange] = deque(maxlen=_HISTORY)
        self._ceiling = ceiling
        self._tokens = burst
        self._updated = now
        self._paused_until = now
        self._cool_until = now
        self._refused_at: float | None = None
        self._empty_since: float | None = None
        self._served = 0
        self._grown_at = now
        self._counted_from = now
        self._taken = 0

    @property
    def ever_refused(self) -> bool:
        """Whether a 429 was ever heard."""
        return self._refused_at is not None

    def take(self, now: float) -> float:
        """Take one token: 0.0 when it was there, else the seconds to wait before asking again."""
        if now < self._paused_until:
            return self._paused_until - now
        self._refill(now)
        if self._tokens >= 1.0 - 1e-9:
            self._tokens -= 1.0
            self._taken += 1
            return 0.0
        return (1.0 - self._tokens) / self.per_second

    def give_back(self) -> None:
        """Return a token that was taken and not used."""
        self._tokens = min(self.burst, self._tokens + 1.0)
        self._taken -= 1

    def on_success(self, now: float, reading: RateReading | None = None) -> None:
        """Hear that a request was not refused."""
        del reading
        self._served += 1
        self._grow(now)

    def on_refused(self, now: float, retry_after_seconds: float | None = None) -> None:
        """Hear a 429: pause as asked, and cut the rate unless that was done within the cool-down."""
        self._refill(now)
        if retry_after_seconds is not None:
            self._paused_until = max(self._paused_until, now + min(_LONGEST_PAUSE, retry_after_seconds))
        if now < self._cool_until:
            return
        measured = None
        if self._empty_since is not None and self._served >= 5:
            measured = self._served / max(1e-6, now - self._empty_since)
        target = _CUT * self.per_second if measured is None else min(self.per_second, _TRUST * measured)
        self._tokens = min(self._tokens, 0.0)
        self._empty_since, self._served = now, 0
        self._refused_at, self._cool_until = now, now + _COOL_DOWN
        self._paused_until = max(self._paused_until, now + 1.0 / self.per_second)
        self._set_rate(now, max(_SLOWEST, target), "refused")

    def _refill(self, now: float) -> None:
        if now > self._updated:
            self._tokens = min(self.burst, self._tokens + (now - self._updated) * self.per_second)
            self._updated = now

    def _grow(self, now: float) -> None:
        elapsed = now - self._grown_at
        if elapsed < 0.25 or now < self._cool_until:
            return
        busy = self._taken >= _BUSY * elapsed * self.per_second
        self._grown_at, self._taken = now, 0
        if not busy or elapsed > 2.0:
            return
        if self._refused_at is None:
            factor = _PROBE_GROWTH**elapsed
        else:
            share = _STEADY_GROWTH * 2.0 ** ((now - self._refused_at) / _STEADY_DOUBLING)
            factor = 1.0 + min(_FASTEST_GROWTH, share) * elapsed
        rate = self.per_second * factor
        self._set_rate(now, rate if self._ceiling is None else min(rate, self._ceiling), "probed")

    def _set_rate(self, now: float, per_second: float, reason: str) -> None:
        if per_second == self.per_second:
            return
        self._refill(now)
        self.per_second = per_second
        self.history.append(RateChange(now, per_second, reason))
