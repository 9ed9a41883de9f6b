"""A clock on which waiting takes a fraction of the time, on a busy machine too."""

import asyncio
import math
import time
from weakref import WeakKeyDictionary

import attrs

_IDLE = WeakKeyDictionary()


class Idle:
    """The seconds that an event loop has waited because nobody in it had anything to do.

    A wait that took longer than the loop had planned took longer because the machine was busy; that does not count.
    """

    def __init__(self, loop):
        self.seconds = 0.0
        self._began = time.monotonic()
        self._selector = getattr(loop, "_selector", None)  # uvloop has none: then all of its time counts
        if self._selector is not None:
            self._select = self._selector.select
            self._selector.select = self._measured

    def _measured(self, timeout=None):
        before = time.monotonic()
        events = self._select(timeout)
        took = time.monotonic() - before
        if timeout is not None:
            took = max(0.0, min(took, math.ceil(timeout * 1000.0) / 1000.0))  # epoll waits whole milliseconds
        self.seconds += took
        return events


def idle_seconds():
    """How long the running loop has been idle, since it was first asked."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return 0.0
    idle = _IDLE.get(loop)
    if idle is None:
        idle = _IDLE[loop] = Idle(loop)
    return idle.seconds if idle._selector is not None else time.monotonic() - idle._began


@attrs.frozen
class HurriedClock:
    """Hurries through what is waited for, and not through work: a machine under load only makes it slower.

    Dates are the machine's own, so that runs agree on them.

    Attributes:
        speed: seconds of this clock in one idle second of the event loop.

    """

    speed: float = 10.0

    def monotonic(self) -> float:
        return time.monotonic() + idle_seconds() * (self.speed - 1.0)

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait until this clock has gone on by so much: while the loop is busy it stands almost still."""
        end = self.monotonic() + max(0.0, seconds)
        left = max(0.0, seconds)
        while True:
            await asyncio.sleep(left / self.speed)
            left = end - self.monotonic()
            if left <= 0.0:
                return
