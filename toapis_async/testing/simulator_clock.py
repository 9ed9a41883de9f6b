"""The simulator's clock: it runs with the machine's, as fast as wanted, and can be pushed forward."""

import asyncio

import attrs
from attrs.validators import gt

from toapis_async.clock import SystemClock

_SYSTEM = SystemClock()


@attrs.define(eq=False)
class SimulatorClock:
    """The machine's time, faster if wanted, plus what it was advanced by; links expire and tasks finish by it.

    A client that is given this clock waits by it too. Sleepers that an advance makes due wake at once. All times are
    in seconds.

    Attributes:
        speed: how many of its seconds pass in one of the machine's.

    """

    speed: float = attrs.field(default=1.0, validator=gt(0))
    _ahead: float = attrs.field(default=0.0, init=False)
    _began: float = attrs.field(factory=_SYSTEM.monotonic, init=False, repr=False)
    _moved: asyncio.Event | None = attrs.field(default=None, init=False, repr=False)

    def monotonic(self) -> float:
        """Seconds since some fixed instant, the advances included."""
        return _SYSTEM.monotonic() + self._gained()

    def now(self) -> float:
        """Seconds since the Unix epoch, the advances included."""
        return _SYSTEM.now() + self._gained()

    def advance(self, seconds: float) -> None:
        """Push the clock forward.

        Raises:
            ValueError: a negative number of seconds.

        """
        if seconds < 0:
            message = f"a clock never goes back, and {seconds} is negative; advance by zero or more seconds"
            raise ValueError(message)
        self._ahead += seconds
        if self._moved is not None:
            self._moved.set()
            self._moved = None

    async def sleep(self, seconds: float) -> None:
        """Wait until this clock has moved by so many seconds; zero or less only lets others run."""
        if seconds <= 0:
            await _SYSTEM.sleep(0)
            return
        due = self.monotonic() + seconds
        while (left := due - self.monotonic()) > 0:
            if self._moved is None:
                self._moved = asyncio.Event()
            moved = self._moved
            try:
                async with asyncio.timeout(left / self.speed):
                    await moved.wait()
            except TimeoutError:
                return

    def _gained(self) -> float:
        """How far it is ahead of the machine."""
        return self._ahead + (_SYSTEM.monotonic() - self._began) * (self.speed - 1)
