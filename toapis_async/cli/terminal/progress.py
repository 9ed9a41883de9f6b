"""How a run is doing, on stderr: a live panel on a terminal, a plain line now and then elsewhere."""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Self

from toapis_async.batch.outcomes import Statistics
from toapis_async.batch.session import GenerationSession
from toapis_async.cli.terminal.panel import one_line_of
from toapis_async.cli.terminal.snapshot import Pace, Snapshot, snapshot_of
from toapis_async.cli.terminal.streams import Terminal, one_line
from toapis_async.cli.terminal.watching import Watch
from toapis_async.clock import Clock, SystemClock
from toapis_async.ports.events import LimitChanged

if TYPE_CHECKING:
    from toapis_async.cli.terminal.live import LiveDisplay

_FRAME_SECONDS = 0.25
_LINE_SECONDS = 5.0
_NEAR = 0.7


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
        to_come: what is expected to be charged for items that have not been taken from the input yet, in USD.
        watch: hears the session's events; None where nobody does.
        clock: times the frames.

    """

    def __init__(
        self,
        session: GenerationSession,
        terminal: Terminal,
        *,
        total: int | None,
        to_come: Callable[[], Decimal] = Decimal,
        watch: Watch | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.stopping = False
        self._session = session
        self._terminal = terminal
        self._total = total
        self._to_come = to_come
        self._clock = clock or SystemClock()
        self._watch = watch or Watch()
        self._items_pace = Pace()
        self._files_pace = Pace()
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
                self._live.draw(self.snapshot())
                self._live.stop()

    def snapshot(self) -> Snapshot:
        """Look at the session."""
        statistics, report, watch, now = (
            self._session.statistics,
            self._session.report,
            self._watch,
            self._clock.monotonic(),
        )
        self._items_pace.add(now, statistics.saved + statistics.failed)
        self._files_pace.add(now, watch.files)
        return snapshot_of(
            statistics,
            report,
            total=self._total,
            files_per_second=self._files_pace.per_second,
            items_per_second=self._items_pace.per_second,
            projected_usd=report.projected_usd + (Decimal(0) if self.stopping else self._to_come()),
            cap_usd=self._session.settings.max_cost_usd,
            reasons=watch.failed.most(),
            limit=limit_text(statistics, self._items_pace.per_second, watch.limit_change),
            outage=watch.outage.words(),
            stopping=self.stopping,
        )

    async def _show(self) -> None:
        spoken = self._clock.monotonic()
        while True:
            now = self.snapshot()
            if self._live is not None:
                self._live.draw(now)
            else:
                if self._clock.monotonic() - spoken >= _LINE_SECONDS:
                    spoken = self._clock.monotonic()
                    self._terminal.say(one_line_of(now))
                if news := self._watch.outage.news():
                    self._terminal.say(news)
            await self._clock.sleep(_FRAME_SECONDS)


def limit_text(statistics: Statistics, per_second: float | None, change: LimitChanged | None) -> str:
    """Say which limits are in force where they are near or have changed, and why; empty otherwise."""
    rate, slots = statistics.submit_per_second, statistics.limit
    parts = []
    if statistics.in_flight >= slots:
        parts.append(f"all {slots:,} places in flight are taken")
    if rate is not None and per_second is not None and per_second >= _NEAR * rate:
        parts.append(f"{rate:.3g} submissions/s allowed")
    if change is not None:
        what = "in flight" if change.limit == "in_flight" else "submissions/s"
        verb = "lowered" if change.after < change.before else "raised"
        why = one_line(change.why, 80)
        parts.append(f"{what} {verb} from {change.before:.3g} to {change.after:.3g}: {why}")
    return "limit: " + ", ".join(parts) if parts else ""
