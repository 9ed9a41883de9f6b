"""Writing for a whole event loop, one batch at a time: what comes close together is written together."""

import asyncio
import copy
from collections.abc import Callable
from typing import Generic, TypeVar

from toapis_async.shielding import wait_shielded
from toapis_async.storage.thread_pool import JOURNALS, ThreadShare

T = TypeVar("T")
R = TypeVar("R")

# Entries in a batch from which the window narrows: then a batch is worth its fixed cost.
_FULL = 100


class GroupWriter(Generic[T]):
    """Collects entries on the event loop and hands them in batches, in order, to ``write`` in a thread.

    The first awaited entry after a pause is written at once; while a batch is being written, and for a window after
    it, entries gather for the next one. The window is short while batches are full and grows while they are not: a
    batch costs the same few hundred microseconds of CPU for one entry as for fifty. After one failure nothing more is
    written: an order with a hole in it is worth less than its beginning.

    Args:
        write: called in the thread with each batch.
        window_seconds: the shortest and the longest window.
        patience_seconds: how long entries that nobody waits for may gather.
        limit: how many entries are written without waiting for the window's end.
        leisure_seconds: how long entries that have time may wait for others of their kind.
        about: what an entry is about; entries about the same keep their order. None where all are about different
            things.

    """

    def __init__(
        self,
        write: Callable[[list[T]], None],
        *,
        window_seconds: tuple[float, float] = (0.005, 0.025),
        patience_seconds: float = 0.05,
        limit: int = 500,
        leisure_seconds: float = 0.5,
        about: Callable[[T], str] | None = None,
    ) -> None:
        self._write = write
        self._shortest, self._longest = window_seconds
        self._window = self._shortest
        self._patience = patience_seconds
        self._limit = limit
        self._leisure = leisure_seconds
        self._about = about
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadShare(JOURNALS)
        self._entries: list[T] = []
        self._unhurried: list[T] = []
        self._unhurried_abouts: set[str] = set()
        self._unhurried_timer: asyncio.Handle | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._timer: asyncio.Handle | None = None
        self._due = False
        self._batches_out = 0
        self._failure: Exception | None = None

    @property
    def failure(self) -> Exception | None:
        """What ended the writing, or None while it goes on."""
        return self._failure

    def add(self, entry: T) -> None:
        """Have an entry written soon.

        Raises:
            Exception: what ``write`` failed with before.

        """
        self._refuse_after_failure()
        self._keep_order(entry)
        self._entries.append(entry)
        self._see_to_it()

    def add_unhurried(self, entry: T) -> None:
        """Have an entry written in a while; what is added until then goes before it, unless it is about the same.

        Raises:
            Exception: what ``write`` failed with before.

        """
        self._refuse_after_failure()
        self._unhurried.append(entry)
        if self._about is not None:
            self._unhurried_abouts.add(self._about(entry))
        if self._unhurried_timer is None:
            self._unhurried_timer = self._loop.call_later(self._leisure, self._hurry)
        elif len(self._unhurried) >= self._limit:
            self._hurry()

    async def write(self, entry: T) -> None:
        """Have an entry written and wait for it; cancelling ends the waiting, not the writing.

        Raises:
            Exception: what ``write`` failed with, now or before.

        """
        self._refuse_after_failure()
        self._keep_order(entry)
        waiter = self._loop.create_future()
        self._entries.append(entry)
        self._waiters.append(waiter)
        if not self._due and not self._batches_out:
            self._write_now()
        await waiter

    async def call(self, work: Callable[[], R]) -> R:
        """Run ``work`` in the thread, after everything added before it has been written.

        Raises:
            Exception: what ``work`` raises, or what ``write`` failed with before.

        """
        self._refuse_after_failure()
        self._hurry()
        if self._entries:
            self._hand_over()
        return await self._loop.run_in_executor(self._thread, self._unless_failed, work)

    async def close(self, last_work: Callable[[], None]) -> None:
        """Write what is left, run ``last_work`` in the thread in any case, and give the thread back.

        A cancellation is obeyed only when that is done.

        Raises:
            Exception: what ``last_work`` raises.

        """
        self._hurry()
        if self._entries and self._failure is None:
            self._hand_over()
        # Even after a failure: the file has to be closed and the directory released.
        ending = self._loop.run_in_executor(self._thread, last_work)
        try:
            await wait_shielded([ending])
        finally:
            self._thread.shutdown()
            self._cancel_timer()
        ending.result()

    def _refuse_after_failure(self) -> None:
        if self._failure is not None:
            # A copy for each: one exception raised in many tasks would gather all their tracebacks.
            raise copy.copy(self._failure)

    def _unless_failed(self, work: Callable[[], R]) -> R:
        self._refuse_after_failure()
        return work()

    def _hurry(self) -> None:
        """Let what was added unhurried take its place, before all that is added from now on."""
        if self._unhurried_timer is not None:
            self._unhurried_timer.cancel()
            self._unhurried_timer = None
        self._entries += self._unhurried
        self._unhurried = []
        self._unhurried_abouts.clear()
        if self._entries and self._failure is None:
            self._see_to_it()

    def _keep_order(self, entry: T) -> None:
        if self._unhurried and self._about is not None and self._about(entry) in self._unhurried_abouts:
            self._hurry()

    def _see_to_it(self) -> None:
        if len(self._entries) >= self._limit and not self._batches_out:
            self._hand_over()
        elif self._timer is None and not self._batches_out:
            self._timer = self._loop.call_later(self._patience, self._hand_over)

    def _write_now(self) -> None:
        """Write at the end of this turn of the loop, so that whoever runs in it shares the batch."""
        self._cancel_timer()
        self._due = True
        self._timer = self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._cancel_timer()
        self._due = False
        entries, waiters = self._entries, self._waiters
        if not entries:
            return
        self._entries, self._waiters = [], []
        # Counted until the loop has heard of it: while one is out, entries gather, and none overtakes another.
        self._batches_out += 1
        widened = self._window * (2.0 if len(entries) < _FULL else 0.5)
        self._window = min(self._longest, max(self._shortest, widened))
        # One thread, so batches keep their order and sqlite sees one writer.
        self._thread.submit(self._work, entries, waiters)

    def _work(self, entries: list[T], waiters: list[asyncio.Future[None]]) -> None:
        if self._failure is None:
            try:
                self._write(entries)
            except Exception as error:  # noqa: BLE001  # it belongs to the waiters, not to this thread
                self._failure = error
        self._loop.call_soon_threadsafe(self._written, waiters)

    def _written(self, waiters: list[asyncio.Future[None]]) -> None:
        self._batches_out -= 1
        if self._failure is not None:
            # What had gathered meanwhile will never be written: those who wait for it hear that too.
            waiters += self._waiters
            self._entries, self._unhurried, self._waiters = [], [], []
        for waiter in waiters:
            # Its caller was cancelled; the entry is written all the same.
            if waiter.done():
                continue
            if self._failure is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(copy.copy(self._failure))
        if self._timer is None and not self._batches_out:
            self._due = True
            self._timer = self._loop.call_later(self._window, self._window_over)

    def _window_over(self) -> None:
        self._timer = None
        self._due = False
        if self._waiters or len(self._entries) >= self._limit:
            self._hand_over()
        elif self._entries:
            self._timer = self._loop.call_later(self._patience, self._hand_over)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
