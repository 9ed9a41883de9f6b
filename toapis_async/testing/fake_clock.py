"""Time that jumps: when every task of the event loop waits, the clock moves to the next one that is due."""

import asyncio
import heapq
import itertools

import attrs

from toapis_async.clock import SystemClock
from toapis_async.errors import ConfigurationError


@attrs.define
class FakeClock:
    """A ``Clock`` without waiting, for tests of whatever sleeps.

    A sleeper is woken when nothing else in the event loop can run, so a thousand jobs over ten minutes take some
    milliseconds and always end in the same order. It looks into asyncio's own loop (not uvloop) and knows nothing
    of sockets and threads: use it with scripted replies, or with ``auto=False`` and ``advance`` only.

    Attributes:
        epoch: what ``now()`` says at the start, seconds since the Unix epoch.
        auto: whether the clock jumps by itself; without, only ``advance`` moves it.

    """

    epoch: float = 1_800_000_000.0
    auto: bool = attrs.field(default=True, kw_only=True)
    _elapsed: float = attrs.field(default=0.0, init=False)
    _order: "itertools.count[int]" = attrs.field(factory=itertools.count, init=False, repr=False)
    _sleepers: list[tuple[float, int, "asyncio.Future[None]"]] = attrs.field(factory=list, init=False, repr=False)
    _watching: bool = attrs.field(default=False, init=False, repr=False)

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._elapsed

    def now(self) -> float:
        """``epoch`` and the seconds since."""
        return self.epoch + self._elapsed

    @property
    def sleeping(self) -> int:
        """How many sleepers wait for this clock."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved by so many seconds; zero or less only lets others run."""
        if seconds <= 0:
            await SystemClock().sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), future))
        self._watch()
        await future

    def advance(self, seconds: float) -> None:
        """Move the clock now and wake whoever is due by then, earliest first.

        Raises:
            ValueError: a negative number of seconds.

        """
        if seconds < 0:
            message = f"a clock never goes back, and {seconds} is negative; advance by zero or more seconds"
            raise ValueError(message)
        self._elapsed += seconds
        self._wake()

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    def _watch(self) -> None:
        if self.auto and not self._watching:
            self._watching = True
            asyncio.get_running_loop().call_soon(self._jump_when_idle)

    def _jump_when_idle(self) -> None:
        loop = asyncio.get_running_loop()
        # asyncio's private queue of what can run now: empty means that everybody waits.
        ready = getattr(loop, "_ready", None)
        self._watching = False
        self._drop_cancelled()
        if not self._sleepers:
            return
        if ready is None:
            _, _, future = heapq.heappop(self._sleepers)
            future.set_exception(_wrong_loop())
        elif not ready:
            self._elapsed = self._sleepers[0][0]
            self._wake()
        if self._sleepers:
            self._watch()

    def _drop_cancelled(self) -> None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)


def _wrong_loop() -> ConfigurationError:
    return ConfigurationError(
        "FakeClock cannot see whether this event loop is idle",
        hint="run the test on asyncio's own event loop, or use FakeClock(auto=False) and advance it yourself",
    )
