"""A journal that lives as long as its object: for tests, and the reference for what a journal means."""

import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Self

from toapis_async.policy.money.recovery import apply
from toapis_async.values.records import ItemRecord, ItemState, JournalEvent


class MemoryJournal:
    """See ``Journal``. Opening it again goes on with what it holds."""

    def __init__(self) -> None:
        self._records: dict[str, ItemRecord] = {}
        self._notes: dict[str, str] = {}
        self._run_id = secrets.token_hex(4)
        self._empty_at_open = True

    async def __aenter__(self) -> Self:
        self._empty_at_open = not self._records
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    @property
    def run_id(self) -> str:
        """See ``Journal.run_id``."""
        return self._run_id

    @property
    def empty_at_open(self) -> bool:
        """See ``Journal.empty_at_open``."""
        return self._empty_at_open

    async def record(self, event: JournalEvent) -> None:
        """See ``Journal.record``."""
        self.note(event)

    def note(self, event: JournalEvent) -> None:
        """See ``Journal.note``."""
        record = apply(self._records.get(event.key), event)
        if record is not None:
            self._records[event.key] = record

    async def find(self, keys: Sequence[str]) -> list[ItemRecord | None]:
        """See ``Journal.find``."""
        return [self._records.get(key) for key in keys]

    async def items(self, *states: ItemState) -> AsyncIterator[ItemRecord]:
        """See ``Journal.items``."""
        wanted = frozenset(states or ItemState)
        records = [record for record in self._records.values() if record.state in wanted]
        finished = [record for record in records if record.state is ItemState.FINISHED]
        for record in sorted(finished, key=_death):
            yield record
        for record in records:
            if record.state is not ItemState.FINISHED:
                yield record

    async def counts(self) -> dict[ItemState, int]:
        """See ``Journal.counts``."""
        counts: dict[ItemState, int] = {}
        for record in self._records.values():
            counts[record.state] = counts.get(record.state, 0) + 1
        return counts

    async def costs(self) -> dict[str | None, int]:
        """See ``Journal.costs``."""
        costs: dict[str | None, int] = {}
        for record in self._records.values():
            if record.cost_usd is not None or record.state in {ItemState.FINISHED, ItemState.SAVED}:
                costs[record.cost_usd] = costs.get(record.cost_usd, 0) + 1
        return costs

    async def remember(self, name: str, text: str) -> None:
        """See ``Journal.remember``."""
        self._notes[name] = text

    async def recall(self, name: str) -> str | None:
        """See ``Journal.recall``."""
        return self._notes.get(name)


def _death(record: ItemRecord) -> float:
    return float("inf") if record.expires_at is None else record.expires_at
