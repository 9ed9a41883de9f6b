"""A token bucket whose rate follows the account's limit.

The rate itself, and what a refusal makes of it, is in ``policy.pace.adaptive_rate``; here is how tokens are spent:
softly at the start, not at all during a pause, one at a time while the gateway refuses everything.
"""

from collections import deque
from math import inf

from toapis_async.policy.pace.adaptive_rate import COOL_DOWN_SECONDS, CUT, AdaptiveRate, RateChange, Verdict
from toapis_async.policy.pace.rate_limit_status import RateLimitStatus
from toapis_async.policy.pace.refill import RefillMeter

_OPENING = 10  # requests without an answer at the start; each answer lets one more go, so a full burst takes 3 trips
_OPENING_FOR = 3.0  # seconds; a gateway that has not answered by then is slow, not strict
_OPENING_WAIT = 0.01  # seconds
_UNHEARD_FOR = 0.25  # seconds; then one more goes without an answer, which may never come
_HOP = 4.0  # a rate from the headers is approached by so much at a time, and measured again in between
_DOUBT = 10.0  # seconds for which headers that led into a refusal are not believed
_DWELL = 3.0  # seconds: at 5 requests per second the headers are understood within two
_GROW_EVERY = 0.25  # seconds
_BUSY = 0.8  # of the budget must be in use before it grows
_LONGEST_PAUSE = 120.0  # seconds; after a refusal the gateway's documentation asks for up to 60 (images), 120 (videos)
_SHORT_PAUSE = 2.0  # seconds; so short a wait is the refused request's own, until the refusals show a limit
_RESERVE = 0.05  # of the burst is left alone: requests may bunch on their way
_LAST_TOKENS = 2.0  # when the gateway has fewer left we go a little slower, to be sure of the next one
_SLOWER = 0.05  # of a token per reply
_SCARCE = 0.1  # of the fullest budget seen: below it there is nothing to probe for
_SHARE = 0.5  # of what the gateway has left, when that is more than we thought


class Bucket:
    """A token bucket; times are monotonic seconds, given by the caller.

    Args:
        per_second, burst: what to start with.
        ceiling: the rate never to pass, or None to look for it.
        now: the current time.

    """

    __slots__ = (
        "_burst_before",
        "_ceiling",
        "_doubt_until",
        "_dwell_until",
        "_fixed",
        "_grown_at",
        "_meter",
        "_open_at",
        "_opening",
        "_paused_until",
        "_rate",
        "_scarce",
        "_served",
        "_taken",
        "_taken_at",
        "_tokens",
        "_unheard",
        "_updated",
        "burst",
    )

    def __init__(self, *, per_second: float, burst: float, ceiling: float | None, now: float) -> None:
        self._rate = AdaptiveRate(per_second, now)
        self.burst: float = max(1.0, burst - max(1.0, _RESERVE * burst)) if burst > 1.0 else 1.0
        self._ceiling = ceiling
        self._fixed = ceiling is not None
        self._meter = RefillMeter()
        self._burst_before = self.burst
        self._tokens = self.burst
        self._updated = now
        self._paused_until = now
        self._doubt_until = now
        self._dwell_until = now + _DWELL
        self._scarce = False
        self._served = 0
        self._grown_at = now
        self._taken = 0
        self._taken_at = now
        self._unheard = 0
        self._opening = _OPENING
        self._open_at = inf

    @property
    def per_second(self) -> float:
        """The current rate."""
        return self._rate.per_second

    @property
    def history(self) -> deque[RateChange]:
        """The latest changes of the rate, oldest first."""
        return self._rate.history

    @property
    def known(self) -> bool:
        """Whether the rate rests on a setting, on headers or on a refusal, and is no mere beginning."""
        return self._ceiling is not None or self._rate.refused_at is not None

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
            self.on_sent(now)
            return 0.0
        return (1.0 - self._tokens) / self.per_second

    def give_back(self) -> None:
        """Return a token that was taken and not used."""
        self.repay(1.0)
        self.on_unsent()

    # For those who lend tokens out and hear later what became of them (policy.pace.sharing).

    @property
    def paused_until(self) -> float:
        """When the current pause ends, in monotonic seconds; in the past when there is none."""
        return self._paused_until

    def window(self, now: float) -> float:
        """Give how many more may go before an answer is heard; inf once nothing depends on that."""
        if now >= self._open_at:
            return inf
        if self._unheard >= self._opening and now - self._taken_at >= _UNHEARD_FOR:
            return 1.0
        return float(self._opening - self._unheard)

    def spare(self, now: float) -> float:
        """Give the tokens that are there and not lent; below zero when too many are."""
        self._refill(now)
        return self._tokens

    def lend(self, tokens: float) -> None:
        """Let tokens go without a request, so that somebody else may spend them."""
        self._tokens -= tokens

    def repay(self, tokens: float) -> None:
        """Take back tokens that were lent; a negative number was spent beyond the loan."""
        self._tokens = min(self.burst, self._tokens + tokens)

    def on_sent(self, now: float, *, belated: bool = False) -> None:
        """Hear that a request went, on a token that is already counted.

        Args:
            now: when.
            belated: whether it went at a rate that has been cut since, so that its reply says nothing about this one.

        """
        if belated:
            self._rate.discount()
        self._taken += 1
        self._unheard += 1
        self._taken_at = now
        if self._open_at == inf:
            self._open_at = now + _OPENING_FOR

    def on_unsent(self) -> None:
        """Hear that it did not go after all."""
        self._taken -= 1
        self._unheard -= 1

    def on_success(self, now: float, status: RateLimitStatus | None = None) -> None:
        """Hear that a request was taken, and what its reply said about the budget."""
        self._served += 1
        self._unheard -= 1
        self._opening += 1
        self._rate.on_success(now, self._unheard)
        if status is not None:
            self._follow(now, status)
        self._grow(now)

    def on_no_answer(self) -> None:
        """Hear that a request ended without a word about the budget: a 5xx, or nothing."""
        self._unheard -= 1

    def on_refused(self, now: float, retry_after_seconds: float | None = None) -> None:
        """Hear a 429: pause as asked, and cut the rate once it shows a limit, unless that was done just now."""
        self._refill(now)
        self._unheard -= 1
        # Refused within the opening burst: that says something about the burst, and nothing about the rate.
        in_burst = self._served < self.burst and self._rate.refused_at is None
        pause = min(_LONGEST_PAUSE, retry_after_seconds or 0.0)
        told = pause > _SHORT_PAUSE and not self._rate.background
        verdict = self._rate.on_refused(now, self._unheard, in_burst=in_burst, told=told)
        if told or verdict is Verdict.OUTAGE or (verdict is Verdict.LIMIT and not self._rate.background):
            self._paused_until = max(self._paused_until, now + pause)
        if verdict is Verdict.NOTHING:
            return
        if verdict is Verdict.OUTAGE:
            self._try_one(now, pause)
            return
        if in_burst:
            self._burst_before = self.burst
            self.burst = max(1.0, min(self._served, CUT * self.burst))
        if not self._fixed and self._ceiling is not None:
            self._ceiling, self._doubt_until = None, now + _DOUBT
        # What the gateway's bucket gains during the pause is left in it: it carries the next try for more.
        self._tokens, self._taken = min(self._tokens, 0.0), 0
        self._grown_at = now + COOL_DOWN_SECONDS
        self._paused_until = self._updated = max(self._paused_until, now + 1.0 / self.per_second)

    def _try_one(self, now: float, pause: float) -> None:
        """Let one request go after a while; each that is taken lets two more go, as at the start."""
        self._paused_until = max(self._paused_until, now + (pause or self._rate.probe_seconds))
        self._opening, self._taken = 1, 0
        if not self._served:
            self.burst = self._burst_before  # it was no burst that was too large
        self._open_at = self._paused_until + _OPENING_FOR

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
        if elapsed < _GROW_EVERY or self._rate.cooling(now):
            return
        busy = self._taken >= _BUSY * elapsed * self.per_second
        self._grown_at, self._taken = now, 0
        if not busy or self._scarce:
            return
        rate = self._rate.grown(now, elapsed)
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

    def _set_rate(self, now: float, per_second: float, reason: str) -> None:
        self._refill(now)
        self._rate.set(now, per_second, reason)
