"""How a run is doing, on stderr: a live display on a terminal, a plain line now and then elsewhere."""

import asyncio
import os
import sys
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

import attrs

from toapis_async.batch.outcomes import Report, Statistics
from toapis_async.batch.session import GenerationSession
from toapis_async.cli.terminal import Terminal
from toapis_async.clock import Clock, SystemClock

if TYPE_CHECKING:
    from toapis_async.cli.live import LiveDisplay

_FRAME_SECONDS = 0.2
_LINE_SECONDS = 5.0
_PACE_SECONDS = 30.0


@attrs.define
class Pace:
    """Items per second over the last half minute."""

    _samples: deque[tuple[float, int]] = attrs.field(factory=deque)

    def add(self, at: float, done: int) -> None:
        """Note how many items had ended at an instant."""
        samples = self._samples
        if not samples or at - samples[-1][0] >= _FRAME_SECONDS / 2:
            samples.append((at, done))
        while len(samples) > 2 and at - samples[1][0] > _PACE_SECONDS:
            samples.popleft()

    @property
    def per_second(self) -> float | None:
        """Return it, or None before anything is known."""
        if len(self._samples) < 2:
            return None
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        return (after - before) / (last - first) if after > before and last > first else None


@attrs.frozen(kw_only=True)
class Standing:
    """A run at this moment, as shown.

    Attributes:
        statistics, report: of the session.
        total: items of the input, or None where it is not known.
        per_second: items ended, or None.
        note: what holds it up, or empty.

    """

    statistics: Statistics
    report: Report
    total: int | None
    per_second: float | None
    note: str = ""

    @property
    def done(self) -> int:
        """Items that ended."""
        now = self.statistics
        return now.saved + now.skipped + now.failed + now.unfinished

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at this pace, or None."""
        if self.total is None or not self.per_second or self.total <= self.done:
            return None
        return (self.total - self.done) / self.per_second

    def counts(self) -> list[str]:
        """Say how many stand where; zeros are left out."""
        now = self.statistics
        parts = [f"{now.saved:,} saved"]
        parts += [f"{now.skipped:,} were there already"] if now.skipped else []
        parts += [f"{now.failed:,} failed"] if now.failed else []
        parts += [f"{now.unfinished:,} unfinished"] if now.unfinished else []
        parts.append(f"{now.in_flight:,} in flight")
        parts += [f"{now.saving:,} being saved"] if now.saving else []
        parts += [f"{now.late:,} late"] if now.late else []
        return parts

    def figures(self) -> list[str]:
        """Say pace, money and time; what is not known is left out."""
        parts = [] if self.per_second is None else [f"{self.per_second:.1f}/s"]
        if money := cost_text(self.report):
            parts.append(money)
        if self.seconds_left is not None:
            parts.append(f"about {duration_text(self.seconds_left)} left")
        return parts + ([self.note] if self.note else [])

    def line(self) -> str:
        """Return everything on one line."""
        total = "" if self.total is None else f"/{self.total:,}"
        return " · ".join([f"{self.done:,}{total}", *self.counts(), *self.figures()])


def cost_text(report: Report) -> str:
    """Return what the run has cost so far, as far as that is known; empty when nothing is."""
    parts = []
    if report.cost_usd:
        parts.append(f"{usd(report.cost_usd)} USD")
    elif report.estimated_usd:
        parts.append(f"about {usd(report.estimated_usd)} USD")
    return "".join(parts)


def usd(amount: object) -> str:
    """Return an amount with at least two and at most four digits after the point."""
    text = f"{amount:,.4f}"
    return text.removesuffix("0").removesuffix("0")


def duration_text(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def is_live(terminal: Terminal) -> bool:
    """Whether stderr is a terminal that can be drawn on."""
    return not terminal.quiet and sys.stderr.isatty() and os.environ.get("TERM", "") not in {"dumb", ""}


class Progress:
    """Shows a session while it is open: ``async with Progress(…) as progress``.

    Args:
        session: which one.
        terminal: where; a live display takes it over.
        total: items of the input, or None.
        clock: times the frames.

    """

    def __init__(
        self, session: GenerationSession, terminal: Terminal, *, total: int | None, clock: Clock | None = None
    ) -> None:
        self.note = ""
        self._session = session
        self._terminal = terminal
        self._total = total
        self._clock = clock or SystemClock()
        self._pace = Pace()
        self._live: LiveDisplay | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._terminal.quiet:
            return self
        if is_live(self._terminal):
            from toapis_async.cli.live import LiveDisplay  # noqa: PLC0415  # rich costs 50 ms

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
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._live is not None:
            self._terminal.above = None
            self._live.stop()

    def standing(self) -> Standing:
        """Look at the session."""
        session = self._session
        now = Standing(
            statistics=session.statistics,
            report=session.report,
            total=self._total,
            per_second=self._pace.per_second,
            note=self.note,
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
            await self._clock.sleep(_FRAME_SECONDS)
