"""Taking over what lies in the output directory and the journal does not know, so that it is not bought again."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import attrs

from toapis_async.batch.outcomes import Item
from toapis_async.clock import Clock
from toapis_async.policy.files.naming import client_business_id, file_stem
from toapis_async.policy.money.recovery import apply
from toapis_async.storage.files.verifying import is_intact
from toapis_async.storage.journal.port import Journal
from toapis_async.storage.manifest.earlier_output import EarlierOutput
from toapis_async.values.files import SavedFile, is_address
from toapis_async.values.kinds import kind_of
from toapis_async.values.records import (
    Accepted,
    FailedForGood,
    Finished,
    Intended,
    ItemRecord,
    ItemState,
    JournalEvent,
    NotAccepted,
    SavedToDisk,
)
from toapis_async.wire.manifest import ManifestEntry
from toapis_async.wire.records import uri_below

# References are numbered in the order in which attempts were made; nobody gets near so many.
_MOST_ATTEMPTS = 64
_ANOTHER = "id {!r} belongs to another request that was sent from this directory; give it a new id"
_LIES_THERE = (
    "a file of the name {!r} lies in the output directory, and neither journal nor manifest says what it is; move it "
    "away to have it made, or bring the journal (.toapis) or manifest.jsonl that belongs to it"
)


@attrs.define(kw_only=True, eq=False, repr=False)
class Adoption:
    """Writes what an earlier run's manifest proves into the journal that does not have it.

    Attributes:
        output: what lies in the directory.
        journal: where it is written.
        root: where the files are, as the ``uri`` of saved files begins.
        clock: dates what has no date.
        canonical: gives a model the catalogue's own name.
        spent: hears of each item that was charged before.

    """

    output: EarlierOutput
    journal: Journal
    root: str
    clock: Clock
    canonical: Callable[[str], str]
    spent: Callable[[ItemRecord], None]

    async def adopt(
        self, items: Sequence[tuple[Item, str | None]], records: Sequence[ItemRecord | None]
    ) -> tuple[list[ItemRecord | None], list[str | None]]:
        """Return what is known of each item now, and why it must not be sent, if so.

        Args:
            items: each with the key that earlier versions gave it, or None where that is the same.
            records: what the journal has of each.

        Raises:
            JournalError: what was found could not be written.
            StorageError: it could not be read.

        """
        open_items = [pair if _may_be_sent(record) else None for pair, record in zip(items, records, strict=True)]
        # In a thread, since files are read to see that they are whole; nothing of the journal is touched there.
        found = await asyncio.to_thread(lambda: [self._look(pair) for pair in open_items])
        known, wrong = list(records), [one[1] for one in found]
        last: JournalEvent | None = None
        for place, (line, _) in enumerate(found):
            if line is None:
                continue
            for event in self._events(items[place][0], line, records[place]):
                # One behind: the last event of all is the one that is waited for, so that a thousand lines cost one
                # sync.
                if last is not None:
                    self.journal.note(last)
                known[place], last = apply(known[place], event), event
            # Only what had a task was charged; the budget has to know of it before anything new is sent.
            if (record := known[place]) is not None and record.task_id is not None:
                self.spent(record)
        if last is not None:
            await self.journal.record(last)  # and with it everything before it
        return known, wrong

    def _look(self, pair: tuple[Item, str | None] | None) -> tuple[ManifestEntry | None, str | None]:
        """Find an item's line, or why the item must not be sent."""
        if pair is None:
            return None, None
        item, former_key = pair
        keys = [item.key] if former_key is None else [item.key, former_key]
        line = next((line for line in self.output.find(keys) if line is not None and _can_be_told(line)), None)
        if line is None:
            # Without a manifest an own file of the user may well have the name that he has given an item.
            named_by_us = item.request.id is None or self.output.lines > 0
            stems = [stem for key in keys if self.output.has_file(stem := file_stem(key))] if named_by_us else []
            return None, _LIES_THERE.format(stems[0]) if stems else None
        if self._is_same(item, line):
            return attrs.evolve(line, files=tuple(self._dated(file) for file in line.files)), None
        return None, None if line.status == "failed" else _ANOTHER.format(item.key)

    def _dated(self, file: SavedFile) -> SavedFile:
        """Read a file once, so that its modification time tells in later runs that it is untouched."""
        here = attrs.evolve(file, uri=uri_below(self.root, file.uri))
        if is_address(here.uri):
            return here
        try:
            mtime_ns = here.path.stat().st_mtime_ns
        except OSError:
            return here  # it will be fetched again by its task
        return attrs.evolve(here, mtime_ns=mtime_ns) if is_intact(here, Path(self.root)) else here

    def _is_same(self, item: Item, line: ManifestEntry) -> bool:
        if item.request.id is None:
            return True  # its key was made from everything that it asks for
        if line.request_digest is not None:
            # A manifest of a newer version says exactly what was asked for; below is what older ones leave to compare.
            return line.request_digest == item.digest
        request = item.request
        if request.namespace is not None:
            return False  # earlier versions had none
        # Old manifests lack some fields: what they do not say is no difference.
        same_model = self.canonical(line.model or "") == self.canonical(request.model)
        rest = (line.size, request.size), (line.resolution, request.resolution), (line.seed, request.seed)
        return same_model and line.prompt == request.prompt and all(had is None or had == has for had, has in rest)

    def _events(self, item: Item, line: ManifestEntry, record: ItemRecord | None) -> list[JournalEvent]:
        """Tell a line as the events that led to it."""
        key, at = item.key, _epoch(line.submitted_at, self.clock.now())
        ended_at = _epoch(line.ended_at, at)
        attempt, name = self._attempt(item, line, record)
        events: list[JournalEvent] = [
            Intended(key=key, attempt=attempt, client_business_id=name, request=item.request, at=at, digest=item.digest)
        ]
        task_id = line.task_id
        if task_id is not None:
            kind = kind_of(item.request).name
            events.append(
                Accepted(key=key, attempt=attempt, task_id=task_id, kind=kind, at=_epoch(line.accepted_at, at))
            )
        # Without a task, and not in doubt: it was refused. An unknown attempt stays intended, and is asked about.
        elif line.status != "unknown":
            events.append(NotAccepted(key=key, attempt=attempt, at=ended_at))
        if line.status == "saved" and task_id is not None:
            expires_at = None if line.expires_at is None else line.expires_at.timestamp()
            cost = None if line.cost_usd is None else str(line.cost_usd)
            events.append(
                Finished(key=key, task_id=task_id, urls=(), expires_at=expires_at, cost_usd=cost, at=ended_at)
            )
            events.append(SavedToDisk(key=key, files=line.files, at=ended_at))
        elif line.status == "failed":
            error, message = line.error_type or "ToAPIsError", line.error_message or ""
            events.append(FailedForGood(key=key, error_type=error, message=message, at=ended_at))
        return events

    def _attempt(self, item: Item, line: ManifestEntry, record: ItemRecord | None) -> tuple[int, str]:
        """Number the line's attempt, so that the next one does not get its reference."""
        own, first = item.request.client_business_id, 1 if record is None else record.attempt
        name = line.client_business_id
        if name is None:
            # No reference was written: one has to be made, since the fold needs it.
            return first, client_business_id(self.journal.run_id, item.key, first, own=own)
        if own is None:
            # A reference made from another run's id cannot collide with those of this journal.
            return first, name
        tried = (n for n in range(1, _MOST_ATTEMPTS) if client_business_id("", item.key, n, own=own) == name)
        return max(first, next(tried, 1)), name


def _can_be_told(line: ManifestEntry) -> bool:
    """Whether a line says enough to go on with: files that were saved can be fetched again by their task only."""
    return line.status != "saved" or line.task_id is not None


def _may_be_sent(record: ItemRecord | None) -> bool:
    if record is None or record.state is ItemState.OPEN:
        return True
    return record.state is ItemState.FAILED and record.task_id is None


def _epoch(at: datetime | None, otherwise: float) -> float:
    return otherwise if at is None else at.timestamp()
