"""The account's two limits, kept by one process alone: the ``RateLimiter`` of every client that is given no other."""

from collections import deque
from collections.abc import Callable, Mapping
from math import inf
from random import Random
from typing import Protocol

import attrs

from toapis_async.clock import Clock
from toapis_async.errors import ConfigurationError
from toapis_async.policy.pace.adaptive_rate import RateChange
from toapis_async.policy.pace.pacing import Bucket
from toapis_async.policy.pace.rate_limit_status import Budget, RateLimitStatus
from toapis_async.transport.token_queue import TokenQueue, TokenSource
from toapis_async.values.exchange import Purpose
from toapis_async.values.limits import INTERACTIVE, TIERS, RateLimits, RateLimitSetting
from toapis_async.wire.rate_headers import rate_limit_status

_DENIALS = 20  # refusals that a first burst at a limit on concurrency may meet (policy.pace.inflight)
_DENIALS_PER_SUCCESS = 0.05  # in the long run the headers may deny one refusal in twenty
_PAUSE_JITTER = 0.1  # of a pause, on top
_DOCUMENTED_LOOKS = 10.0  # queries per submission; every documented tier allows at least that many


class LearningBucket(TokenSource, Protocol):
    """A ``Bucket``, or what a worker has of a bucket that several share."""

    @property
    def per_second(self) -> float:
        """The current rate."""
        ...

    @property
    def history(self) -> deque[RateChange]:
        """The latest changes of the rate, oldest first."""
        ...

    @property
    def known(self) -> bool:
        """See ``Bucket.known``."""
        ...

    @property
    def counted(self) -> bool:
        """See ``Bucket.counted``."""
        ...

    def on_success(self, now: float, status: RateLimitStatus | None = None) -> None:
        """See ``Bucket.on_success``."""
        ...

    def on_refused(self, now: float, retry_after_seconds: float | None = None) -> None:
        """See ``Bucket.on_refused``."""
        ...

    def on_no_answer(self) -> None:
        """See ``Bucket.on_no_answer``."""
        ...


@attrs.frozen(kw_only=True)
class PaceStatistics:
    """One budget, at one moment.

    Attributes:
        per_second: the current rate; None for unlimited.
        waiting: requests in line.
        sent: requests let through.
        refused: 429 replies heard.
        changes: the latest changes of the rate, oldest first.

    """

    per_second: float | None
    waiting: int
    sent: int
    refused: int
    changes: tuple[RateChange, ...]


class _Limit:
    """One of the account's limits: its bucket, its line and what was heard about it."""

    __slots__ = ("bucket", "clock", "odd_refusals", "queue", "random", "refused", "sent", "status")

    def __init__(self, bucket: LearningBucket | None, clock: Clock, random: Random) -> None:
        self.bucket = bucket
        self.queue = None if bucket is None else TokenQueue(bucket, clock)
        self.clock = clock
        self.random = random
        self.sent = 0
        self.refused = 0
        self.status: RateLimitStatus | None = None
        self.odd_refusals = 0.0

    @property
    def rate(self) -> float | None:
        return None if self.bucket is None else self.bucket.per_second

    def heard(self, http_status: int | None, headers: Mapping[str, str], retry_after_seconds: float | None) -> None:
        refused = http_status == 429
        self.refused += refused
        # Without limits nothing is learned from success, and reading the headers would cost every reply.
        if self.bucket is None and not refused:
            return
        status = None if http_status is None else rate_limit_status(headers, now=self.clock.now())
        self.status = status
        if self.bucket is None:
            return
        if refused and not self._about_something_else(status):
            if retry_after_seconds is None and status is not None:
                retry_after_seconds = status.retry_after_seconds
            if retry_after_seconds is not None:
                # Processes that share the account were told the same second.
                retry_after_seconds *= 1.0 + _PAUSE_JITTER * self.random.random()
            self.bucket.on_refused(self.clock.monotonic(), retry_after_seconds)
        # A 5xx may come from before or behind the limiter: it says nothing about the budget.
        elif refused or http_status is None or http_status >= 500:
            self.bucket.on_no_answer()
        else:
            self.odd_refusals = max(0.0, self.odd_refusals - _DENIALS_PER_SUCCESS)
            self.bucket.on_success(self.clock.monotonic(), status)

    def _about_something_else(self, status: RateLimitStatus | None) -> bool:
        """Tell whether a 429 is not about this budget: it says so, or there is something left of it."""
        if status is None:
            return False
        # It is policy.pace.inflight's to act on; cutting the rate as well would punish twice.
        if status.budget is Budget.CONCURRENCY:
            return True
        # Headers may be wrong: after some refusals in a row that they deny, the refusals are believed.
        self.odd_refusals += 1.0
        if self.bucket is None or not self.bucket.counted or self.odd_refusals > _DENIALS:
            return False
        return status.remaining is not None and status.remaining >= 1.0

    def take_at_once(self) -> bool:
        if self.queue is not None and not self.queue.take_at_once():
            return False
        self.sent += 1
        return True

    async def acquire(self, priority: int) -> None:
        if not self.take_at_once() and self.queue is not None:
            await self.queue.acquire(priority)
            self.sent += 1

    def give_back(self) -> None:
        self.sent -= 1
        if self.bucket is not None:
            self.bucket.give_back()


class Pacer:
    """Holds requests back to what the account allows.

    Args:
        setting: see ``RateLimitSetting``; None holds nothing back.
        clock: the time.
        random: for jitter.
        bucket: makes what keeps one limit, from the arguments of ``Bucket``.

    Raises:
        ConfigurationError: a limit is not a positive number.

    """

    def __init__(
        self,
        setting: RateLimitSetting,
        *,
        clock: Clock,
        random: Random,
        bucket: Callable[..., LearningBucket] = Bucket,
    ) -> None:
        self._clock = clock
        self._auto = setting == "auto"
        limits = limits_of(setting)

        def limit(rate: float, burst: float) -> _Limit:
            ceiling = None if self._auto else rate
            return _Limit(bucket(per_second=rate, burst=burst, ceiling=ceiling, now=clock.monotonic()), clock, random)

        self._submit = (
            _Limit(None, clock, random) if limits is None else limit(limits.submit_per_second, limits.submit_burst)
        )
        self._query = (
            _Limit(None, clock, random) if limits is None else limit(limits.query_per_second, limits.query_burst)
        )

    @property
    def submit_rate(self) -> float | None:
        """Submissions per second that are let through now; None for unlimited."""
        return self._submit.rate

    @property
    def query_rate(self) -> float | None:
        """Status queries per second that are let through now; None for unlimited."""
        return self._query.rate

    def looks_per_task(self) -> float | None:
        """Give how many looks per task the query budget allows at the current submit rate; None is no bound."""
        submit, query = self.submit_rate, self.query_rate
        if submit is None or query is None:
            return None
        bucket = self._query.bucket
        # While the query rate is a first guess it must not starve the looks.
        if self._auto and bucket is not None and not bucket.known:
            return max(_DOCUMENTED_LOOKS, query / submit)
        return query / submit

    def take_at_once(self, purpose: Purpose, priority: int = INTERACTIVE) -> bool:
        """See ``RateLimiter.take_at_once``."""
        limit = self._limit(purpose)
        return limit is None or limit.take_at_once()

    async def acquire(self, purpose: Purpose, priority: int = INTERACTIVE) -> None:
        """See ``RateLimiter.acquire``."""
        limit = self._limit(purpose)
        if limit is not None:
            await limit.acquire(priority)

    def give_back(self, purpose: Purpose) -> None:
        """See ``RateLimiter.give_back``."""
        limit = self._limit(purpose)
        if limit is not None:
            limit.give_back()

    def heard(
        self,
        purpose: Purpose,
        http_status: int | None,
        headers: Mapping[str, str],
        retry_after_seconds: float | None = None,
    ) -> None:
        """See ``RateLimiter.heard``."""
        limit = self._limit(purpose)
        if limit is not None:
            limit.heard(http_status, headers, retry_after_seconds)

    def last_status(self, purpose: Purpose) -> RateLimitStatus | None:
        """See ``RateLimiter.last_status``."""
        limit = self._limit(purpose)
        return None if limit is None else limit.status

    async def open(self) -> None:
        """See ``RateLimiter.open``: nothing is shared."""

    async def aclose(self) -> None:
        """See ``RateLimiter.aclose``: nothing is leased."""

    def snapshot(self) -> dict[Purpose, PaceStatistics]:
        """Give the figures of each budget."""
        return {
            purpose: PaceStatistics(
                per_second=limit.rate,
                waiting=0 if limit.queue is None else len(limit.queue),
                sent=limit.sent,
                refused=limit.refused,
                changes=() if limit.bucket is None else tuple(limit.bucket.history),
            )
            for purpose, limit in ((Purpose.SUBMIT, self._submit), (Purpose.QUERY, self._query))
        }

    def _limit(self, purpose: Purpose) -> _Limit | None:
        # Comparing is cheaper than a dictionary, whose keys would be hashed for every request.
        if purpose is Purpose.QUERY:
            return self._query
        return self._submit if purpose is Purpose.SUBMIT else None


def limits_of(setting: RateLimitSetting) -> RateLimits | None:
    """Give the limits that a setting begins with; None for none.

    Raises:
        ConfigurationError: one is not a positive number.

    """
    if isinstance(setting, RateLimits):
        return _sensible(setting)
    if setting is None:
        return None
    return TIERS["default" if setting == "auto" else setting]


def _sensible(limits: RateLimits) -> RateLimits:
    for name, value in attrs.asdict(limits).items():
        least = 1.0 if name.endswith("_burst") else 0.0
        if not (least <= value < inf and value > 0.0):
            raise ConfigurationError(
                f"rate_limits has {name}={value!r}, but it must be {'at least 1' if least else 'above 0'}.",
                hint="Give requests per second and bucket sizes, or one of 'auto', 'default', 'vip', 'svip', None.",
            )
    return limits
