"""``SharedRateLimits``: the rate limits of one account, kept by several processes together."""

import asyncio
import logging
import os
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from random import Random
from typing import Self
from uuid import uuid4

from toapis_async.clock import Clock, SystemClock
from toapis_async.errors import ConfigurationError
from toapis_async.limits.lease_owner import LeaseOwner, OwnerMaker, Terms
from toapis_async.limits.leased_bucket import LeasedBucket
from toapis_async.limits.leased_places import LeasedPlaces
from toapis_async.limits.machine_owner import MachineOwner
from toapis_async.limits.ray_owner import RayOwner
from toapis_async.policy.pace.sharing.leases import Report
from toapis_async.transport.pacing import Pacer, limits_of
from toapis_async.values.exchange import Purpose
from toapis_async.values.limits import INTERACTIVE, RateLimitSetting

logger: logging.Logger = logging.getLogger("toapis_async.limits")

_PATIENCE = 2.0  # seconds for one exchange
_OPENING_PATIENCE = 15.0  # seconds for the first one: what keeps the shared state may have to be started
_APART = 0.02  # seconds between two exchanges, at least
_IDLE = 1.0  # seconds between two of a worker that does nothing
_REPORT_SECONDS = 0.1  # until the first lease says more
_AGAIN = 1.0  # seconds until the next try while the shared state is out of reach


class SharedRateLimits(Pacer):
    """Rate limits that several workers of one account keep together.

    Make one with ``on_this_machine()``, ``redis()`` or ``ray()`` and give it to ``AsyncToAPIs(rate_limits=…)`` in each
    worker. It pickles as its settings: the copy in another process joins by itself.
    What any of them learns about the limits holds for all, a 429 slows all of them down once, and each has a fair
    part by demand. A client tells it which account it is; one object may serve clients of several accounts.

    While the shared state cannot be reached, a worker goes on at four fifths of its last known part.

    Args:
        owner: makes what keeps the shared state of an account.
        rate_limits: what to start with, as for ``AsyncToAPIs``; workers of one account should agree.
        account: its name; None takes one from the client's address and key. Give one where several keys belong to
            one user, whose limits they share.
        max_in_flight: the most unfinished tasks of the sessions of all workers together, as far as they can be heard;
            None for no such bound. Single calls do not count.
        clock, random: for tests.

    Raises:
        ConfigurationError: a setting is wrong.

    """

    def __init__(
        self,
        owner: OwnerMaker,
        *,
        rate_limits: RateLimitSetting = "auto",
        account: str | None = None,
        max_in_flight: int | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
    ) -> None:
        limits = limits_of(rate_limits)
        if limits is None or (max_in_flight is not None and max_in_flight < 1):
            raise ConfigurationError(
                f"SharedRateLimits has rate_limits={rate_limits!r} and max_in_flight={max_in_flight!r}.",
                hint="Limits that are shared cannot be None, and max_in_flight is at least one.",
            )
        self._buckets: list[LeasedBucket] = []
        super().__init__(rate_limits, clock=clock or SystemClock(), random=random or Random(), bucket=self._leased)
        self._make_owner = owner
        self._terms = Terms(limits=limits, fixed=rate_limits != "auto", max_in_flight=max_in_flight)
        self._places = None if max_in_flight is None else LeasedPlaces(self._report_soon)
        self._account = account
        self._others: dict[str, SharedRateLimits] = {}
        self._copy = partial(
            SharedRateLimits, owner, rate_limits=rate_limits, max_in_flight=max_in_flight, clock=clock, random=random
        )
        self._owner: LeaseOwner | None = None
        self._exchanging, self._starting = asyncio.Lock(), asyncio.Lock()
        self._beat: asyncio.Task[None] | None = None
        self._soon: asyncio.Task[None] | None = None
        self._users = 0
        self._name = ""
        self._exchanged_at = self._clock.monotonic()
        self._report_seconds = _REPORT_SECONDS

    @classmethod
    def on_this_machine(
        cls,
        *,
        rate_limits: RateLimitSetting = "auto",
        account: str | None = None,
        max_in_flight: int | None = None,
        directory: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Share with the processes of this user on this machine, through a file. There is no server.

        Args:
            rate_limits, account, max_in_flight: see the class.
            directory: where the files are, private to this user; None for one among the machine's temporary files.

        """
        owner = partial(MachineOwner.named, directory=directory)
        return cls(owner, rate_limits=rate_limits, account=account, max_in_flight=max_in_flight)

    @classmethod
    def redis(
        cls,
        url: str,
        *,
        rate_limits: RateLimitSetting = "auto",
        account: str | None = None,
        max_in_flight: int | None = None,
        prefix: str = "toapis",
    ) -> Self:
        """Share with every process that reaches a Redis; needs the extra ``redis``.

        Args:
            url: ``redis://`` or ``rediss://``.
            rate_limits, account, max_in_flight: see the class.
            prefix: of the keys.

        """
        try:
            from toapis_async.limits.redis_owner import RedisOwner  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise ImportError(
                f"SharedRateLimits.redis needs {error.name}: pip install 'toapis-async[redis]'"
            ) from error
        owner = partial(RedisOwner, url, prefix)
        return cls(owner, rate_limits=rate_limits, account=account, max_in_flight=max_in_flight)

    @classmethod
    def ray(
        cls,
        name: str = "toapis",
        *,
        rate_limits: RateLimitSetting = "auto",
        account: str | None = None,
        max_in_flight: int | None = None,
    ) -> Self:
        """Share with every process of a Ray cluster, jobs beside this one too; needs the extra ``ray``.

        A small actor keeps what is shared. It is started where there is none, needs no CPU of the cluster's count, is
        started again should it die, and ends a minute after the last worker.

        Args:
            name: of the actor; those who give the same one share.
            rate_limits, account, max_in_flight: see the class.

        Raises:
            ImportError: Ray is not installed.

        """
        if find_spec("ray") is None:
            raise ImportError("SharedRateLimits.ray needs Ray: pip install 'toapis-async[ray]'", name="ray")
        return cls(partial(RayOwner, name), rate_limits=rate_limits, account=account, max_in_flight=max_in_flight)

    def __reduce__(self) -> tuple[partial["SharedRateLimits"], tuple[()]]:
        return partial(self._copy, account=self._account), ()

    def for_account(self, account: str) -> "SharedRateLimits":
        """Give the limits of that account: these, where they have a name of their own."""
        if self._account is not None:
            return self
        return self._others.setdefault(account, self._copy(account=account))

    @property
    def places(self) -> LeasedPlaces | None:
        """The shared bound on the tasks of sessions; None for none."""
        return self._places

    def take_at_once(self, purpose: Purpose, priority: int = INTERACTIVE) -> bool:
        """See ``RateLimiter.take_at_once``."""
        return (self._running or purpose is Purpose.ACCOUNT) and super().take_at_once(purpose, priority)

    async def acquire(self, purpose: Purpose, priority: int = INTERACTIVE) -> None:
        """See ``RateLimiter.acquire``."""
        if purpose is not Purpose.ACCOUNT and not self._running:
            await self._start()
        await super().acquire(purpose, priority)

    async def open(self) -> None:
        """See ``RateLimiter.open``; where nothing can be reached it goes on alone, and says so in the log."""
        self._users += 1
        await self._start()

    async def aclose(self) -> None:
        """See ``RateLimiter.aclose``; whoever else has opened it keeps it."""
        self._users = max(0, self._users - 1)
        if self._users:
            return
        async with self._starting:
            for task in (self._beat, self._soon):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
            self._beat = self._soon = None
            if self._owner is not None:
                if not self._alone:
                    await self._exchange(leaving=True)
                owner, self._owner = self._owner, None
                await owner.aclose()

    @property
    def _running(self) -> bool:
        return self._beat is not None and not self._beat.done()

    @property
    def _alone(self) -> bool:
        return any(bucket.alone for bucket in self._buckets)

    def _leased(self, *, per_second: float, **_: object) -> LeasedBucket:
        bucket = LeasedBucket(per_second=per_second, clock=self._clock, due=self._report_soon)
        self._buckets.append(bucket)
        return bucket

    async def _start(self) -> None:
        async with self._starting:
            if self._running:
                return
            self._owner = self._make_owner(self._account or "default", self._terms)
            self._name = uuid4().hex
            await self._exchange(patience=_OPENING_PATIENCE)
            self._beat = asyncio.create_task(self._report_on(), name="toapis-shared-limits")

    async def _report_on(self) -> None:
        """Report for as long as these limits are open: often while there is something to say."""
        while True:
            await self._clock.sleep(_AGAIN if self._alone else self._report_seconds)
            since = self._clock.monotonic() - self._exchanged_at
            busy = any(bucket.busy for bucket in self._buckets) or any(
                limit.queue for limit in (self._submit, self._query)
            )
            busy = busy or (self._places is not None and self._places.waiting > 0)
            if since >= (0.5 * self._report_seconds if busy else _IDLE):
                await self._exchange()

    def _report_soon(self) -> None:
        # It is tried again once a second; asking more often would not bring it back.
        if self._running and self._alone:
            return
        if self._soon is None or self._soon.done():
            self._soon = asyncio.create_task(self._report_at_once(), name="toapis-shared-limits-soon")

    async def _report_at_once(self) -> None:
        wait = self._exchanged_at + _APART - self._clock.monotonic()
        if wait > 0.0:
            await self._clock.sleep(wait)
        if self._running:
            await self._exchange()
        else:  # closed while requests still wait here
            await self._start()

    async def _exchange(self, *, leaving: bool = False, patience: float = _PATIENCE) -> None:
        async with self._exchanging:
            if self._owner is None:
                return
            asked_at = self._exchanged_at = self._clock.monotonic()
            report = self._report(asked_at, leaving=leaving)
            try:
                async with asyncio.timeout(patience):
                    lease = await self._owner.exchange(report)
            except OSError as error:
                self._unreachable(error)
                return
            if self._alone:
                logger.info("The shared rate limits of account %s are reached again.", self._account)
            self._report_seconds = lease.report_seconds
            submit, query = self._buckets
            submit.leased(lease.submit, report.submit, asked_at)
            query.leased(lease.query, report.query, asked_at)
            if self._places is not None and lease.tasks is not None:
                self._places.lend(lease.tasks)

    def _report(self, now: float, *, leaving: bool) -> Report:
        submit, query = (
            bucket.report(now, (0, 0) if limit.queue is None else limit.queue.waiting)
            for bucket, limit in zip(self._buckets, (self._submit, self._query), strict=True)
        )
        process = "" if self._owner is None else self._owner.process
        return Report(
            worker=self._name,
            at=now,
            process=process,
            submit=submit,
            query=query,
            in_flight=0 if self._places is None else self._places.in_use,
            tasks_waiting=0 if self._places is None else self._places.waiting,
            leaving=leaving,
        )

    def _unreachable(self, error: OSError) -> None:
        now = self._clock.monotonic()
        # A lease that still runs is used to its end: a short outage of Redis changes nothing.
        if self._alone or not all(bucket.expired(now) for bucket in self._buckets):
            return
        self._name = uuid4().hex  # what was lent under the old name is taken back
        for bucket in self._buckets:
            bucket.go_alone(now)
        if self._places is not None and self._terms.max_in_flight is not None:
            self._places.lend_at_least(max(1, self._terms.max_in_flight // 4))
        logger.warning(
            "The shared rate limits of account %s cannot be reached (%s); this process goes on alone at %.3g "
            "submissions per second.",
            self._account,
            type(error.__cause__ or error).__name__,
            self._buckets[0].per_second,
        )
