"""What is known of a session beyond its counts: why items did not end well, which limit changed, and an outage."""

from collections import Counter

import attrs

from toapis_async.cli.formatting.layout import clipped
from toapis_async.cli.terminal.outage import Outage
from toapis_async.cli.terminal.streams import printable
from toapis_async.errors import ToAPIsError
from toapis_async.policy.money.reasons import Reason, reason_of
from toapis_async.ports.events import Event, ItemSaved, LimitChanged

_MOST_REASONS = 50
_OTHER = Reason(slug="", title="Other reasons", detail="")
_DETAIL_CELLS = 60


@attrs.define
class Reasons:
    """Errors counted by their reason, with one example each."""

    counts: Counter[Reason] = attrs.field(factory=Counter)
    examples: dict[Reason, ToAPIsError] = attrs.field(factory=dict)

    def add(self, error: ToAPIsError) -> None:
        """Count one more."""
        reason = reason_of(type(error).__name__, error.message)
        if reason not in self.examples and len(self.examples) >= _MOST_REASONS:
            reason = _OTHER  # what a gateway puts into its reasons must not fill the memory
        self.counts[reason] += 1
        self.examples.setdefault(reason, error)

    def most(self) -> tuple[tuple[str, int], ...]:
        """Return reasons in words and counts, the most frequent first."""
        return tuple((reason_words(reason), count) for reason, count in self.counts.most_common())


def reason_words(reason: Reason) -> str:
    """Return a reason on one printable line."""
    detail = clipped(printable(" ".join(reason.detail.split())), _DETAIL_CELLS)
    return f"{reason.title}: {detail}" if detail else reason.title


@attrs.define(kw_only=True)
class Watch:
    """Hears a session's events; cheap enough for thousands a second.

    Attributes:
        outage: what is not reached.
        files: saved by this run.
        limit_change: the latest, or None.
        failed, unfinished: why items ended without their files; told by whoever takes the outcomes.

    """

    outage: Outage = attrs.field(factory=Outage)
    files: int = 0
    limit_change: LimitChanged | None = None
    failed: Reasons = attrs.field(factory=Reasons)
    unfinished: Reasons = attrs.field(factory=Reasons)

    def hear(self, event: Event, /) -> None:
        """Take an event."""
        self.outage.hear(event)
        if isinstance(event, ItemSaved):
            self.files += len(event.files)
        elif isinstance(event, LimitChanged) and event.limit != "query_per_second":
            self.limit_change = event
