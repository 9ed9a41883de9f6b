"""A run, as one of its items sees it."""

from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

import anyio

from toapis_async.batch.items.run_context import RunContext
from toapis_async.errors import ToAPIsError

ItemT_contra = TypeVar("ItemT_contra", contravariant=True)


class RunView(Protocol[ItemT_contra]):
    """The run, as one of its items sees it; see ``batch.runs.run.Run``."""

    context: RunContext
    stopped_by: ToAPIsError | None

    @property
    def under_way(self) -> int:
        """Items that were begun and have not been delivered."""
        ...

    def may_submit(self, item_run: ItemT_contra) -> bool:
        """Whether the item may be submitted after all."""
        ...

    def late(self, item_run: ItemT_contra) -> AbstractContextManager[anyio.CancelScope]:
        """Keep the item until only late ones are left."""
        ...

    async def hand_over(self, item_run: ItemT_contra) -> None:
        """Give the item to the download workers."""
        ...

    def slow(self, item_run: ItemT_contra) -> None:
        """Hear that the item's files come slowly."""
        ...

    def ended(self, item_run: ItemT_contra) -> None:
        """Hear that the item was delivered."""
        ...

    def stop(self, error: ToAPIsError | None, *, drain: bool) -> None:
        """Send nothing more, for any item."""
        ...
