"""Places for tasks in flight: a semaphore whose bound the gateway may lower."""

import asyncio
from collections import deque
from contextlib import suppress

from toapis_async.clock import Clock
from toapis_async.policy.pace.inflight import InflightLimit, Refusal
from toapis_async.policy.pace.priority import TurnOrder
from toapis_async.transport.rate_limiter import TaskPlaces
from toapis_async.values.limits import BULK


class Slots:
    """Bounds the tasks in flight.

    Each item: ``await acquire()``, then exactly one of ``accepted()`` followed later by ``release()``, ``refused()``
    (which gives the slot back: wait as told, then acquire again with ``again=True``), or ``release(accepted=False)``.
    Items of priority 0 go before others, of which one in four has its turn all the same.

    Args:
        max_concurrency: the most that are ever in flight, at least one.
        clock: the time.
        places: a bound that is shared with others; None for none.

    """

    __slots__ = (
        "__weakref__",
        "_accepted",
        "_clock",
        "_line",
        "_on_the_way",
        "_paused",
        "_places",
        "_policy",
        "_turns",
        "_urgent",
    )

    def __init__(self, max_concurrency: int, clock: Clock, places: TaskPlaces | None = None) -> None:
        self._policy = InflightLimit(max_concurrency)
        self._clock = clock
        self._line: deque[asyncio.Future[None]] = deque()
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._turns = TurnOrder()
        self._paused = False
        self._accepted = 0
        self._on_the_way = 0
        self._places = places
        if places is not None:
            places.join(self)

    @property
    def limit(self) -> int:
        """Tasks that may be in flight now; never above ``max_concurrency``."""
        return self._policy.limit

    @property
    def in_use(self) -> int:
        """Slots taken."""
        return self._accepted + self._on_the_way

    @property
    def waiting(self) -> int:
        """Items in line."""
        return len(self._line) + len(self._urgent)

    def pause(self) -> None:
        """Give out no slots until ``unpause()``; what has one goes on."""
        self._paused = True

    def unpause(self) -> None:
        """Give out slots again."""
        self._paused = False
        self.call_up()

    def bound(self, max_concurrency: int) -> None:
        """Set another ``max_concurrency``; what is in flight above it is finished."""
        self._policy.bound(max_concurrency)
        self.call_up()

    async def acquire(self, *, again: bool = False, priority: int = BULK) -> None:
        """Wait for a slot, first come, first served within a priority; an item that was refused goes first."""
        line = self._line if priority >= BULK else self._urgent
        # Nobody overtakes a line. One that was refused has stood in it already.
        if (again or not line) and self._admits():
            self._on_the_way += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if again:
            line.appendleft(turn)
        else:
            line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # The slot was given in the very turn of the loop in which the cancellation came.
            if turn.done() and not turn.cancelled():
                self.release(accepted=False)
            else:
                with suppress(ValueError):
                    line.remove(turn)
            raise

    def accepted(self) -> None:
        """Say that the gateway took the task."""
        self._on_the_way -= 1
        self._accepted += 1
        self._policy.on_accepted(self._accepted, self._clock.monotonic())
        self.call_up()

    def refused(self, refusal: Refusal) -> float:
        """Say that the gateway answered 429; give the slot back and the seconds to wait before acquiring again."""
        self._on_the_way -= 1
        wait = self._policy.on_refused(refusal, self._accepted, self._clock.monotonic())
        self.call_up()
        return wait

    def release(self, *, accepted: bool = True) -> None:
        """Give the slot back: the task ended or is late, or (*accepted* false) it never began."""
        if accepted:
            self._accepted -= 1
        else:
            self._on_the_way -= 1
            self._policy.on_gone()
        self.call_up()

    def _admits(self) -> bool:
        if self._paused or not self._policy.admits(self._accepted, self._on_the_way, self._clock.monotonic()):
            return False
        return self._places is None or self._places.free()

    def call_up(self) -> None:
        """Let those in line begin, as far as there are slots."""
        while (self._line or self._urgent) and self._admits():
            turn = self._next_line().popleft()
            # A cancelled turn is still in the line until its task has run: it must not swallow a slot.
            if not turn.done():
                self._on_the_way += 1
                turn.set_result(None)

    def _next_line(self) -> deque["asyncio.Future[None]"]:
        urgent = self._turns.interactive_next(interactive=bool(self._urgent), bulk=bool(self._line))
        return self._urgent if urgent else self._line
