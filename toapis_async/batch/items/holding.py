"""Items that wait for an outage to end, instead of ending one by one."""

import random as random_module
from collections.abc import Awaitable, Callable

import anyio
import attrs

from toapis_async.client.gateway import Gateway
from toapis_async.client.reachability import silence
from toapis_async.clock import Clock
from toapis_async.errors import ToAPIsError
from toapis_async.policy.money.retrying import RetryPolicy
from toapis_async.policy.network.host_outage import Held, HostFailures, judge
from toapis_async.policy.network.outage import OUTAGE_SECONDS, hold_seconds
from toapis_async.ports.events import HeldUp
from toapis_async.values.files import SavedFile

# A run can wait longer than a single call for a fresh link of what is paid for.
FRESH_LOOK = RetryPolicy(max_retries=8)


@attrs.define(eq=False)
class FileHostWatch:
    """Knows, for a session, which downloads came lately and which did not.

    Attributes:
        came: how many items were fetched.
        down: keys of items that could not be since then.

    """

    came: int = 0
    down: set[str] = attrs.field(factory=set)

    def fetched(self) -> None:
        """Hear that an item's files came: the host is there."""
        self.came += 1
        self.down.clear()


@attrs.define(kw_only=True, eq=False)
class DownloadHold:
    """One item's tries to be fetched.

    Attributes:
        watch: of the session.
        key: of the item.
        clock, random: for waiting between tries.
        under_way: says how many items of the run have not ended.
        given_up: says whether the run is being stopped.
        tell: tells an event.
        stop: stops the run.

    """

    watch: FileHostWatch
    key: str
    clock: Clock
    random: random_module.Random
    under_way: Callable[[], int]
    given_up: Callable[[], bool]
    tell: Callable[..., None]
    stop: Callable[[ToAPIsError], None]
    _tries: int = 0
    _since: float | None = None
    _came_before: int = 0

    async def until_fetched(self, save: Callable[[], Awaitable[tuple[SavedFile, ...]]]) -> tuple[SavedFile, ...]:
        """Save the item's files; while nothing at all can be fetched it is held.

        Raises:
            ToAPIsError: they cannot be had; where that has held everything for minutes, the run was stopped as well.

        """
        while True:
            try:
                files = await save()
            except ToAPIsError as error:
                held = self._judged(error)
                if held is Held.STOP:
                    self.stop(error)
                if held is not Held.HOLD or self.given_up():
                    raise
                seconds = hold_seconds(self._tries, random=self.random)
                self.tell(HeldUp, limit="file_host", seconds=seconds, error=error)
            else:
                self.watch.fetched()
                return files
            self._tries += 1
            await self.clock.sleep(seconds)

    def _judged(self, error: ToAPIsError) -> Held:
        now = self.clock.monotonic()
        if self._since is None:
            # Held time counts from this item's first failure: what came before it says nothing about the host now.
            self._since, self._came_before = now, self.watch.came
        # By key, so that one item whose file is bad, tried again and again, is never taken for a host that is down.
        self.watch.down.add(self.key)
        known = HostFailures(
            in_a_row=len(self.watch.down),
            under_way=self.under_way(),
            held_seconds=now - self._since,
            others_came=self.watch.came > self._came_before,
        )
        return judge(error, known)


@attrs.define(eq=False)
class GatewayHold:
    """Keeps submissions back while the gateway answers nothing at all.

    Attributes:
        gateway: to be asked.
        outages: how many there have been.

    """

    gateway: Gateway
    outages: int = 0
    _lock: anyio.Lock = attrs.field(factory=anyio.Lock, init=False)

    async def over(self) -> int:
        """Wait until no outage is known of; return how many there have been."""
        # Whoever probes holds the lock for the whole outage, so taking it is waiting for the end.
        if self._lock.locked():  # a lock that is free costs a turn of the event loop
            async with self._lock:
                return self.outages
        return self.outages

    async def outlast(self, outages_before: int, tell: Callable[..., None]) -> bool:
        """Wait until the gateway answers; return whether there was an outage at all.

        Args:
            outages_before: how many there had been when the submission was sent.
            tell: tells an event.

        Raises:
            ToAPIsError: it has not answered for minutes.

        """
        clock = self.gateway.clock
        async with self._lock:
            # Whoever waited here for the lock counts anew: an outage that just ended is not held against the next.
            start, tries = clock.monotonic(), 0
            while (error := await silence(self.gateway)) is not None:
                if clock.monotonic() - start >= OUTAGE_SECONDS:
                    raise error
                seconds = hold_seconds(tries, random=self.gateway.random)
                tell(HeldUp, limit="gateway", seconds=seconds, error=error)
                tries += 1
                await clock.sleep(seconds)
            # A first question that is answered at once was no outage: the doubt then stands as it is.
            self.outages += tries > 0
        return self.outages > outages_before
