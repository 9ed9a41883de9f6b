"""The only door to time. Whatever waits or dates takes a ``Clock``; policies take plain seconds."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time as the library sees it. All durations are in seconds."""

    def monotonic(self) -> float:
        """Seconds since some fixed instant; never goes back."""
        ...

    def now(self) -> float:
        """Seconds since the Unix epoch, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a value of zero or less only lets others run."""
        ...


class SystemClock:
    """The machine's own clock and the running event loop's sleep."""

    __slots__ = ()

    def monotonic(self) -> float:
        """See ``Clock.monotonic``."""
        return time.monotonic()

    def now(self) -> float:
        """See ``Clock.now``."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """See ``Clock.sleep``."""
        await asyncio.sleep(max(0.0, seconds))
