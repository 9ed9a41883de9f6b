"""What failed in earlier runs of a directory, chosen by reason."""

from collections import Counter
from pathlib import Path

import attrs

from toapis_async.clock import SystemClock
from toapis_async.errors import InvalidRequestError
from toapis_async.policy.money.reasons import reason_of
from toapis_async.storage.journal.sqlite_journal import SqliteJournal
from toapis_async.values.records import ItemState
from toapis_async.values.requests import GenerationRequest


async def failed_for(directory: Path, reason: str) -> tuple[GenerationRequest, ...]:
    """Return the requests that failed for a reason, each with the key of its item as its id.

    Args:
        directory: of the run.
        reason: a reason's slug, or its beginning up to a dash: ``task-failed`` takes every kind of it.

    Raises:
        InvalidRequestError: nothing failed for it.
        JournalError: there is no journal, or none that can be read.

    """
    found: list[GenerationRequest] = []
    counts: Counter[str] = Counter()
    async with SqliteJournal(directory, clock=SystemClock(), read_only=True) as journal:
        async for record in journal.items(ItemState.FAILED):
            slug = reason_of(record.error_type, record.error_message).slug
            counts[slug] += 1
            if f"{slug}-".startswith(f"{reason}-"):
                found.append(attrs.evolve(record.request, id=record.key))
    if found:
        return tuple(found)
    known = ", ".join(f"{slug} ({count:,})" for slug, count in counts.most_common(12))
    raise InvalidRequestError(
        f"Nothing in {directory} failed for the reason {reason!r}; nothing was sent.",
        hint=f"It has: {known}." if known else "Nothing failed there.",
    )
