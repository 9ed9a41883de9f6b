"""Ending a part of a coroutine from outside, by a clock of ours or by whoever says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from toapis_async.clock import Clock
from toapis_async.shielding import wait_shielded


class Interruption:
    """The body of a ``with`` that others may end, as ``asyncio.timeout`` does by the loop's time.

    A cancellation from elsewhere goes on as one, and comes first. Ended by ``strike()``, the body is left without an
    error, and ``struck`` is true.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None
        self._before = 0
        self.due: bool = False
        self.struck: bool = False

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        # A task may be cancelled already when it comes here; that count is not ours.
        self._before = 0 if self._task is None else self._task.cancelling()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        task, self._task = self._task, None
        # As asyncio.timeout does: only where nobody else has cancelled meanwhile is it ours to swallow.
        if self.due and task is not None and task.uncancel() <= self._before:
            self.struck = exc_type is not None and issubclass(exc_type, asyncio.CancelledError)
        return self.struck

    def strike(self) -> None:
        """End the body, from another task; nothing happens once it has ended."""
        if self._task is not None and not self.due:
            self.due = True
            self._task.cancel()


@asynccontextmanager
async def time_limit(seconds: float, clock: Clock) -> AsyncIterator[Interruption]:
    """End the body after so many seconds of the clock; see ``Interruption``."""
    with Interruption() as limit:
        timer = asyncio.create_task(_strike_after(seconds, clock, limit))
        try:
            yield limit
        finally:
            timer.cancel()
            await wait_shielded((timer,))


async def _strike_after(seconds: float, clock: Clock, limit: Interruption) -> None:
    await clock.sleep(seconds)
    limit.strike()
