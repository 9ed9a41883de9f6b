"""The journal of a session that keeps none: nothing is written, nothing can be resumed."""

from collections.abc import AsyncIterator, Sequence
from typing import Self

from toapis_async.values.records import ItemRecord, ItemState, JournalEvent


class NoJournal:
    """Forgets everything at once; see ``Journal`` for what each method stands for.

    Args:
        run_id: eight hexadecimal digits, so that references of different runs differ.

    """

    empty_at_open = True

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    async def record(self, event: JournalEvent) -> None:
        """Forget an event."""

    def note(self, event: JournalEvent) -> None:
        """Forget an event."""

    async def find(self, keys: Sequence[str]) -> list[ItemRecord | None]:
        """Know none of them."""
        return [None] * len(keys)

    async def items(self, *states: ItemState) -> AsyncIterator[ItemRecord]:
        """Have none."""
        nothing: tuple[ItemRecord, ...] = ()
        for record in nothing:
            yield record

    async def counts(self) -> dict[ItemState, int]:
        """Have none."""
        return {}

    async def costs(self) -> dict[str | None, int]:
        """Have none."""
        return {}

    async def remember(self, name: str, text: str) -> None:
        """Forget a text."""

    async def recall(self, name: str) -> str | None:
        """Know no text."""
        return None
