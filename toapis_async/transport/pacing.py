"""The account's budgets, shared by everything in one client."""

import asyncio
from collections import deque
from collections.abc import Mapping
from math import inf
from random import Random

import attrs

from toapis_async.clock import Clock
from toapis_async.errors import ConfigurationError
from toapis_async.policy.pace.pacing import Bucket, RateChange
from toapis_async.policy.pace.rate_reading import Budget, RateReading
from toapis_async.transport.port import Transport
from toapis_async.values.exchange import HttpReply, HttpRequest, Purpose
from toapis_async.values.limits import TIERS, RateLimits, RateLimitSetting
from toapis_async.wire.rate_headers import rate_reading

_DENIALS = 20  # refusals that a first burst at a limit on concurrency may meet (policy.pace.inflight)
_DENIALS_PER_SUCCESS = 0.05  # in the long run the headers may deny one refusal in twenty
_PAUSE_JITTER = 0.1  # of a pause, on top
_DOCUMENTED_LOOKS = 10.0  # queries per submission; every documented tier allows at least that many (contract §4)


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


class _Lane:
    """One budget's line: first come, first served. Whoever is first sleeps for all."""

    __slots__ = ("bucket", "clock", "led", "line", "odd_refusals", "random", "reading", "refused", "sent")

    def __init__(self, bucket: Bucket | None, clock: Clock, random: Random) -> None:
        self.bucket = bucket
        self.clock = clock
        self.random = random
        self.line: deque[asyncio.Future[bool]] = deque()
        self.led = False
        self.sent = 0
        self.refused = 0
        self.reading: RateReading | None = None
        self.odd_refusals = 0.0

    @property
    def rate(self) -> float | None:
        return None if self.bucket is None else self.bucket.per_second

    def heard(self, http_status: int | None, headers: Mapping[str, str], retry_after_seconds: float | None) -> None:
        refused = http_status == 429
        self.refused += refused
        if self.bucket is None and not refused:
            return
        reading = None if http_status is None else rate_reading(headers, now=self.clock.now())
        self.reading = reading
        if self.bucket is None:
            return
        if refused and not self._about_something_else(reading):
            if retry_after_seconds is None and reading is not None:
                retry_after_seconds = reading.retry_after_seconds
            if retry_after_seconds is not None:
                # Processes that share the account were told the same second.
                retry_after_seconds *= 1.0 + _PAUSE_JITTER * self.random.random()
            self.bucket.on_refused(self.clock.monotonic(), retry_after_seconds)
        elif refused or http_status is None or http_status >= 500:
            self.bucket.on_no_answer()
        else:
            self.odd_refusals = max(0.0, self.odd_refusals - _DENIALS_PER_SUCCESS)
            self.bucket.on_success(self.clock.monotonic(), reading)

    def _about_something_else(self, reading: RateReading | None) -> bool:
        """Tell whether a 429 is not about this budget: it says so, or there is something left of it."""
        if reading is None:
            return False
        if reading.budget is Budget.CONCURRENCY:
            return True
        # Headers may be wrong: after some refusals in a row that they deny, the refusals are believed.
        self.odd_refusals += 1.0
        if self.bucket is None or not self.bucket.counted or self.odd_refusals > _DENIALS:
            return False
        return reading.remaining is not None and reading.remaining >= 1.0

    def take_at_once(self) -> bool:
        """Take a token if nobody is in line and one is there."""
        if self.bucket is not None and (self.line or self.led or self.bucket.take(self.clock.monotonic()) > 0.0):
            return False
        self.sent += 1
        return True

    async def acquire(self) -> None:
        if not self.take_at_once() and self.bucket is not None:
            await self._stand_in_line(self.bucket)
            self.sent += 1

    async def _stand_in_line(self, bucket: Bucket) -> None:
        if self.led:
            turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self.line.append(turn)
            try:
                leads = await turn
            except asyncio.CancelledError:
                self._leave(turn, bucket)
                raise
            if not leads:
                return
        self.led = True
        try:
            while (wait := bucket.take(self.clock.monotonic())) > 0.0:
                await self.clock.sleep(wait)
        finally:
            self._pass_on(bucket)

    def _leave(self, turn: "asyncio.Future[bool]", bucket: Bucket) -> None:
        # A cancelled turn stays in the line until whoever leads comes to it: taking it out would cost a search.
        if turn.done() and not turn.cancelled():
            if turn.result():
                self._pass_on(bucket)
            else:
                bucket.give_back()

    def _pass_on(self, bucket: Bucket) -> None:
        now = self.clock.monotonic()
        while self.line:
            turn = self.line.popleft()
            if turn.done():
                continue
            if bucket.take(now) > 0.0:
                turn.set_result(True)
                return
            turn.set_result(False)
        self.led = False


class Pacer:
    """Holds requests back to what the account allows.

    Args:
        setting: see ``RateLimitSetting``; None holds nothing back.
        clock: the time.
        random: for jitter.

    Raises:
        ConfigurationError: a limit is not a positive number.

    """

    def __init__(self, setting: RateLimitSetting, *, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._auto = setting == "auto"
        limits = _limits(setting)
        self._submit = _Lane(self._bucket(limits, submit=True), clock, random)
        self._query = _Lane(self._bucket(limits, submit=False), clock, random)

    def _bucket(self, limits: RateLimits | None, *, submit: bool) -> Bucket | None:
        if limits is None:
            return None
        rate = limits.submit_per_second if submit else limits.query_per_second
        burst = limits.submit_burst if submit else limits.query_burst
        ceiling = None if self._auto else rate
        return Bucket(per_second=rate, burst=burst, ceiling=ceiling, now=self._clock.monotonic())

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
        if self._auto and bucket is not None and not bucket.known:
            return max(_DOCUMENTED_LOOKS, query / submit)
        return query / submit

    def take_at_once(self, purpose: Purpose) -> bool:
        """Tell whether it is this request's turn already; if not, ``acquire()`` has to be awaited."""
        lane = self._lane(purpose)
        return lane is None or lane.take_at_once()

    async def acquire(self, purpose: Purpose) -> None:
        """Wait for this request's turn; a cancelled one costs nothing."""
        lane = self._lane(purpose)
        if lane is not None:
            await lane.acquire()

    def heard(
        self,
        purpose: Purpose,
        http_status: int | None,
        headers: Mapping[str, str],
        retry_after_seconds: float | None = None,
    ) -> None:
        """Learn from a reply; a status of None means that none came."""
        lane = self._lane(purpose)
        if lane is not None:
            lane.heard(http_status, headers, retry_after_seconds)

    def last_reading(self, purpose: Purpose) -> RateReading | None:
        """Give what the latest reply for this purpose said about its budget."""
        lane = self._lane(purpose)
        return None if lane is None else lane.reading

    def snapshot(self) -> dict[Purpose, PaceStatistics]:
        """Give the figures of each budget."""
        return {
            purpose: PaceStatistics(
                per_second=lane.rate,
                waiting=sum(not turn.done() for turn in lane.line) + lane.led,
                sent=lane.sent,
                refused=lane.refused,
                changes=() if lane.bucket is None else tuple(lane.bucket.history),
            )
            for purpose, lane in ((Purpose.SUBMIT, self._submit), (Purpose.QUERY, self._query))
        }

    def _lane(self, purpose: Purpose) -> _Lane | None:
        # Comparing is cheaper than a dictionary, whose keys would be hashed for every request.
        if purpose is Purpose.QUERY:
            return self._query
        return self._submit if purpose is Purpose.SUBMIT else None


class PacedTransport:
    """A transport whose requests wait for their turn."""

    __slots__ = ("_inner", "_pacer")

    def __init__(self, inner: Transport, pacer: Pacer) -> None:
        self._inner = inner
        self._pacer = pacer

    async def send(self, request: HttpRequest) -> HttpReply:
        """See ``Transport.send``."""
        purpose = request.purpose
        if not self._pacer.take_at_once(purpose):
            await self._pacer.acquire(purpose)
        status: int | None = None
        headers: Mapping[str, str] = {}
        try:
            reply = await self._inner.send(request)
            status, headers = reply.http_status, reply.headers
        finally:
            self._pacer.heard(purpose, status, headers)
        return reply


def _limits(setting: RateLimitSetting) -> RateLimits | None:
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
