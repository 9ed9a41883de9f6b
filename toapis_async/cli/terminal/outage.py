"""An outage or a long hold-up in words: a gateway that takes nothing is not waited for in silence."""

import attrs

from toapis_async.cli.formatting.amounts import duration_text
from toapis_async.cli.terminal.streams import one_line
from toapis_async.clock import Clock, SystemClock
from toapis_async.ports.events import AttemptSettled, Event, HeldUp, ItemFailed, ItemUnfinished, TaskFinished

_SILENT_SECONDS = 10.0
_AGAIN_SECONDS = 30.0


@attrs.define(kw_only=True)
class Outage:
    """Hears a session's events, and knows for how long submissions were held up and none was accepted.

    Attributes:
        clock: tells how long.

    """

    clock: Clock = attrs.field(factory=SystemClock)
    _held: set[str] = attrs.field(factory=set, init=False)
    _since: float | None = attrs.field(default=None, init=False)
    _told: float | None = attrs.field(default=None, init=False)
    _message: str = attrs.field(default="", init=False)

    def hear(self, event: Event, /) -> None:
        """Take an event: an acceptance ends the outage, and so does the end of everything that was held up."""
        if isinstance(event, HeldUp):
            if event.error is None:
                return  # we hold it back ourselves; the gateway is well
            self._held.add(event.key or "")
            self._message = event.error.message
            if self._since is None:
                self._since = self.clock.monotonic()
            return
        if isinstance(event, AttemptSettled) and event.result == "accepted":
            self._held.clear()
        elif isinstance(event, TaskFinished | ItemFailed | ItemUnfinished):
            self._held.discard(event.key or "")
        if not self._held:
            self._since = self._told = None

    def news(self) -> str | None:
        """Return a line when one is due: the first after a while, then another now and then; otherwise None."""
        now = self.clock.monotonic()
        if self._since is None or now - self._since < _SILENT_SECONDS:
            return None
        if self._told is not None and now - self._told < _AGAIN_SECONDS:
            return None
        self._told = now
        why = f" ({one_line(self._message, 160)})" if self._message else ""
        return f"The gateway has taken nothing for {duration_text(now - self._since)}; trying again{why}"
