"""What a session's events tell beyond its counts: why items failed, which limit changed, and an outage."""

from collections import Counter

import attrs

from toapis_async.cli.formatting.reasons import reason_of
from toapis_async.cli.terminal.outage import Outage
from toapis_async.errors import ToAPIsError
from toapis_async.ports.events import Event, ItemFailed, ItemSaved, ItemUnfinished, LimitChanged

_MOST_REASONS = 50
_OTHER = "other reasons"


@attrs.define
class Reasons:
    """Errors counted by their reason, with one example each."""

    counts: Counter[str] = attrs.field(factory=Counter)
    examples: dict[str, ToAPIsError] = attrs.field(factory=dict)

    def add(self, error: ToAPIsError) -> None:
        """Count one more."""
        reason = reason_of(error)
        if reason not in self.examples and len(self.examples) >= _MOST_REASONS:
            reason = _OTHER  # what a gateway puts into its reasons must not fill the memory
        self.counts[reason] += 1
        self.examples.setdefault(reason, error)

    def most(self) -> tuple[tuple[str, int], ...]:
        """Return reasons and counts, the most frequent first."""
        return tuple(self.counts.most_common())


@attrs.define(kw_only=True)
class Watch:
    """Hears a session's events; cheap enough for thousands a second.

    Attributes:
        outage: what is not reached.
        failed: why items failed.
        unfinished: why items could not be brought to their end.
        files: saved by this run.
        limit_change: the latest, or None.

    """

    outage: Outage = attrs.field(factory=Outage)
    failed: Reasons = attrs.field(factory=Reasons)
    unfinished: Reasons = attrs.field(factory=Reasons)
    files: int = 0
    limit_change: LimitChanged | None = None

    def hear(self, event: Event, /) -> None:
        """Take an event."""
        self.outage.hear(event)
        match event:
            case ItemSaved():
                self.files += len(event.files)
            case ItemFailed():
                self.failed.add(event.error)
            case ItemUnfinished():
                self.unfinished.add(event.error)
            case LimitChanged():
                if event.limit != "query_per_second":
                    self.limit_change = event
