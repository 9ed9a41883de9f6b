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
    """Errors counted by their reason, and within it by what to do about them: a refund is no charge."""

    _counts: Counter[tuple[Reason, str]] = attrs.field(factory=Counter)

    def add(self, error: ToAPIsError) -> None:
        """Count one more."""
        named = reason_of(type(error).__name__, error.message), error.hint
        if named not in self._counts and len(self._counts) >= _MOST_REASONS:
            named = _OTHER, ""  # what a gateway puts into its reasons must not fill the memory
        self._counts[named] += 1

    def most(self) -> tuple[tuple[str, int], ...]:
        """Return reasons in a few words and their counts, the most frequent first."""
        by_reason: Counter[Reason] = Counter()
        for (reason, _), count in self._counts.items():
            by_reason[reason] += count
        titles = Counter(reason.title for reason in by_reason)
        return tuple(
            (reason.title if titles[reason.title] == 1 else reason_words(reason), count)
            for reason, count in by_reason.most_common()
        )

    def with_hints(self) -> list[tuple[str, str, int]]:
        """Return reasons in words, what to do about each, and counts, the most frequent first."""
        return [(reason_words(reason), hint, count) for (reason, hint), count in self._counts.most_common()]


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
