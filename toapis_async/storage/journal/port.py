"""The journal, as the floors above see it."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, Self

from toapis_async.values.records import ItemRecord, ItemState, JournalEvent


class Journal(Protocol):
    """What a run remembers.

    An item's record is the fold of its events by ``policy.money.recovery.apply``; events of one item arrive in order.
    Opening is ``async with``; while it is open no other process can open it. Closing writes what was noted. Once
    something could not be written, every later call raises the same ``JournalError``: the run has to stop, and can
    be resumed.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc_info: object) -> None: ...

    @property
    def run_id(self) -> str:
        """Eight hexadecimal digits, made with the journal and kept for its life."""
        ...

    @property
    def empty_at_open(self) -> bool:
        """Whether no item was in it when it was opened: nothing to resume."""
        ...

    async def record(self, event: JournalEvent) -> None:
        """Apply an event and return once it is durable.

        Cancelling the waiting does not take the event back.

        Raises:
            InvalidRequestError: an intended request holds what cannot be kept; nothing was applied.
            JournalError: it could not be written; the run has to stop.

        """
        ...

    def note(self, event: JournalEvent) -> None:
        """Apply an event soon, in order with the others of its item; durable within a second.

        Raises:
            JournalError: something before it could not be written.

        """
        ...

    async def find(self, keys: Sequence[str]) -> list[ItemRecord | None]:
        """Return the record of each key, in order; None for an unknown key. Sees every event handed over before it."""
        ...

    def items(self, *states: ItemState) -> AsyncIterator[ItemRecord]:
        """Walk the items in these states (all without any), in pages.

        Finished ones come by expiry, oldest first; the others in the order in which they were intended. Items that
        change state during the walk may or may not be seen again.
        """
        ...

    async def counts(self) -> dict[ItemState, int]:
        """How many items stand where; states without any are left out."""
        ...

    async def costs(self) -> dict[str | None, int]:
        """How many items the gateway has charged how much for, by the text of the amount in USD.

        None counts the finished and saved ones of which it has not said.
        """
        ...

    async def remember(self, name: str, text: str) -> None:
        """Keep a small text under a name (how the run was started, learned latencies)."""
        ...

    async def recall(self, name: str) -> str | None:
        """Return what was remembered under a name, or None."""
        ...
