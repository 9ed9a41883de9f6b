"""How a run is doing, on stderr: a live display on a terminal, a plain line now and then elsewhere."""

import asyncio
import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Self

from toapis_async.batch.session import GenerationSession
from toapis_async.cli.terminal.outage import Outage
from toapis_async.cli.terminal.standing import Pace, Standing
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.clock import Clock, SystemClock

if TYPE_CHECKING:
    from toapis_async.cli.terminal.live import LiveDisplay

_FRAME_SECONDS = 0.2
_LINE_SECONDS = 5.0


def is_live(terminal: Terminal) -> bool:
    """Whether stderr is a terminal that can be drawn on, and there is something to draw with."""
    if terminal.quiet or not sys.stderr.isatty() or os.environ.get("TERM", "") in {"dumb", ""}:
        return False
    return find_spec("rich") is not None


class Progress:
    """Shows a session while it is open: ``async with Progress(…) as progress``.

    Args:
        session: which one.
        terminal: where; a live display takes it over.
        total: items of the input, or None.
        outage: hears the session's events; None where nobody does.
        clock: times the frames.

    """

    def __init__(
        self,
        session: GenerationSession,
        terminal: Terminal,
        *,
        total: int | None,
        outage: Outage | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.stopping = False
        self._session = session
        self._terminal = terminal
        self._total = total
        self._clock = clock or SystemClock()
        self._outage = outage or Outage(clock=self._clock)
        self._pace = Pace()
        self._live: LiveDisplay | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._terminal.quiet:
            return self
        if is_live(self._terminal):
            from toapis_async.cli.terminal.live import LiveDisplay  # noqa: PLC0415  # rich costs 50 ms

            self._live = LiveDisplay()
            self._live.start()
            self._terminal.above = self._live.print
        self._task = asyncio.create_task(self._show())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A terminal that has gone away is no reason to lose a run.
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await self._task
        if self._live is not None:
            self._terminal.above = None
            with suppress(OSError):
                self._live.stop()

    def standing(self) -> Standing:
        """Look at the session."""
        session = self._session
        now = Standing(
            statistics=session.statistics,
            report=session.report,
            total=self._total,
            per_second=self._pace.per_second,
            stopping=self.stopping,
        )
        self._pace.add(self._clock.monotonic(), now.done - now.statistics.skipped)
        return now

    async def _show(self) -> None:
        spoken = self._clock.monotonic()
        while True:
            now = self.standing()
            if self._live is not None:
                self._live.draw(now)
            elif self._clock.monotonic() - spoken >= _LINE_SECONDS:
                spoken = self._clock.monotonic()
                self._terminal.say(now.line())
            if news := self._outage.news():
                self._terminal.say(news)
            await self._clock.sleep(_FRAME_SECONDS)
