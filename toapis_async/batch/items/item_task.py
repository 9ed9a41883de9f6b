"""The asyncio task that brings one item on its way, and how it is interrupted.

Plain tasks and not a task group's: a group of anyio costs ten times as much for each, and items come by the million.
What a group promises is kept here and in ``batch.runs.run``: every task has an owner who outlasts it, and a
cancellation reaches it once, and never between an intent on the books and the reply on the books.
"""

import asyncio
from collections.abc import Coroutine


class ItemTask:
    """One task. It is held from its making until it lets itself go, and again whenever nothing may come between.

    An interruption that comes meanwhile strikes at the first wait after the hold.
    """

    __slots__ = ("_due", "_shielded", "_task")

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._shielded = True
        self._due = False

    def shield(self) -> None:
        """Put interruptions off."""
        self._shielded = True

    def unshield(self) -> None:
        """Let interruptions through, and the one that was put off."""
        self._shielded = False
        if self._due:
            self._due = False
            self._strike()

    def cancel(self) -> None:
        """Raise ``CancelledError`` where the task waits, as soon as it is not held."""
        if self._shielded:
            self._due = True
        else:
            self._strike()

    def uncancel(self) -> None:
        """Go on after an interruption that was meant for a part of the work only; called in the task itself."""
        if self._task is not None:
            self._task.uncancel()

    def _strike(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Begin; the caller owns the task."""
        self._task = asyncio.get_running_loop().create_task(work)
        return self._task
