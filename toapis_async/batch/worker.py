"""The asyncio task that brings one item on its way, and how it is interrupted.

Plain tasks and not a task group's: a group of anyio costs ten times as much for each, and items come by the million.
What a group promises is kept here and in ``batch.run``: every task has an owner who outlasts it, and a cancellation
reaches it once, and never between an intent on the books and the reply on the books.
"""

import asyncio
from collections.abc import Coroutine

import anyio


class Worker:
    """One task. It is held from its making until it lets itself go, and again whenever nothing may come between.

    An interruption that comes meanwhile strikes at the first wait after the hold.
    """

    __slots__ = ("_due", "_held", "_task")

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._held = True
        self._due = False

    def hold(self) -> None:
        """Put interruptions off."""
        self._held = True

    def let_go(self) -> None:
        """Let interruptions through, and the one that was put off; called in the task itself."""
        self._held = False
        if self._due:
            self._due = False
            self._cancel()

    def interrupt(self) -> None:
        """Raise ``CancelledError`` where the task waits, as soon as it is not held."""
        if self._held:
            self._due = True
        else:
            self._cancel()

    def forgive(self) -> None:
        """Go on after an interruption that was meant for a part of the work only; called in the task itself."""
        if self._task is not None:
            self._task.uncancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Begin; the caller owns the task."""
        self._task = asyncio.get_running_loop().create_task(work)
        return self._task


async def outlast(tasks: set[asyncio.Task[None]]) -> None:
    """Wait until every task has ended, however often whoever waits is cancelled; what they raised is left to them.

    A cancellation is obeyed when that is done.
    """
    cancelled: asyncio.CancelledError | None = None
    # anyio repeats a cancellation in every turn of the loop; the shield keeps this from being a busy one.
    with anyio.CancelScope(shield=True):
        while running := [task for task in tasks if not task.done()]:
            try:
                await asyncio.wait(running)
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        raise cancelled
