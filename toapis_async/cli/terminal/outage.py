"""An outage or a long hold-up in words: what takes or gives nothing is not waited for in silence."""

from typing import Literal, TypeAlias

import attrs

from toapis_async.cli.formatting.amounts import count_text, duration_text
from toapis_async.cli.terminal.streams import one_line
from toapis_async.clock import Clock, SystemClock
from toapis_async.ports.events import (
    AttemptSettled,
    Event,
    HeldUp,
    ItemFailed,
    ItemSaved,
    ItemUnfinished,
    TaskFinished,
    TaskLookedAt,
)

_SILENT_SECONDS = 10.0
_AGAIN_SECONDS = 30.0

Side: TypeAlias = Literal["gateway", "file_host"]

_WORDS: dict[Side, str] = {
    "gateway": "The gateway has taken nothing for",
    "file_host": "The file host has given nothing for",
}


@attrs.define
class _HoldUp:
    held: set[str] = attrs.field(factory=set)
    since: float | None = None
    message: str = ""

    def add(self, event: HeldUp | TaskLookedAt, now: float) -> None:
        self.held.add(event.key or "")
        self.message = event.error.message if event.error is not None else ""
        if self.since is None:
            self.since = now

    def drop(self, key: str | None) -> None:
        self.held.discard(key or "")
        if not self.held:
            self.since = None

    def end(self) -> None:
        self.held.clear()
        self.since = None


@attrs.define(kw_only=True)
class Outage:
    """Hears a session's events, and knows for how long items were held up and none went on.

    Attributes:
        clock: tells how long.

    """

    clock: Clock = attrs.field(factory=SystemClock)
    _gateway: _HoldUp = attrs.field(factory=_HoldUp, init=False)
    _file_host: _HoldUp = attrs.field(factory=_HoldUp, init=False)
    _told: float | None = attrs.field(default=None, init=False)

    def hear(self, event: Event, /) -> None:
        """Take an event: an acceptance ends the gateway's outage, a saved file the file host's."""
        match event:
            case HeldUp(error=None):
                pass  # we hold it back ourselves, and all is well
            case HeldUp(limit="file_host"):
                self._file_host.add(event, self.clock.monotonic())
            case HeldUp():
                self._gateway.add(event, self.clock.monotonic())
            case TaskLookedAt(status=None):
                self._gateway.add(event, self.clock.monotonic())
            case AttemptSettled(result="accepted") | TaskLookedAt():
                self._gateway.end()
            case TaskFinished():
                self._gateway.drop(event.key)
            case ItemSaved():
                self._file_host.end()
            case ItemFailed() | ItemUnfinished():
                self._gateway.drop(event.key)
                self._file_host.drop(event.key)
        if self._gateway.since is None and self._file_host.since is None:
            self._told = None

    def words(self) -> str:
        """Say what has gone on for longer than is worth no word; empty while all is well."""
        sides: tuple[tuple[Side, _HoldUp], ...] = (("gateway", self._gateway), ("file_host", self._file_host))
        now = self.clock.monotonic()
        return " ".join(
            f"{_WORDS[side]} {duration_text(now - hold_up.since)}; {count_text(len(hold_up.held), 'item')} held, "
            f"trying again{_why(hold_up.message)}"
            for side, hold_up in sides
            if hold_up.since is not None and now - hold_up.since >= _SILENT_SECONDS
        )

    def news(self) -> str | None:
        """Return a line when one is due: the first after a while, then another now and then; otherwise None."""
        words, now = self.words(), self.clock.monotonic()
        if not words or (self._told is not None and now - self._told < _AGAIN_SECONDS):
            return None
        self._told = now
        return words


def _why(message: str) -> str:
    return f" ({one_line(message, 160)})" if message else ""
