"""One thread for many small jobs. What has gathered is done in one go and reported in one go.

Under load, waking a thread and the loop costs more than writing a small file; a batch pays for both once.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from toapis_async.shielding import wait_shielded
from toapis_async.storage.thread_pool import FILES, ThreadShare

T = TypeVar("T")

_LARGEST_BATCH = 64
_WINDOW_SECONDS = 0.005


class _Entry(Generic[T]):
    """A job and whoever waits for it."""

    __slots__ = ("ended", "error", "finish", "future", "prepare", "reported", "result")

    def __init__(self, prepare: Callable[[], None], finish: Callable[[], T], future: "asyncio.Future[T]") -> None:
        self.prepare = prepare
        self.finish = finish
        self.future = future
        self.ended: asyncio.Future[None] | None = None
        self.reported = False
        self.result: T | None = None
        self.error: BaseException | None = None

    def begin(self) -> None:
        try:
            self.prepare()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            self.error = error

    def complete(self) -> None:
        if self.error is not None:
            return
        try:
            self.result = self.finish()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            self.error = error

    def report(self) -> None:
        self.reported = True
        if self.ended is not None:
            self.ended.set_result(None)
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


class BatchThread:
    """Works in batches, one at a time, in a thread that it has from the first job to ``close``.

    The first job after a pause is done at once; while a batch is being done, and for 5 ms after it, jobs gather for
    the next one.

    Args:
        seal: what makes a batch complete; when it raises, every job of the batch has failed.

    """

    __slots__ = ("_busy", "_gathered", "_seal", "_thread", "_timer")

    def __init__(self, seal: Callable[[], None]) -> None:
        self._seal = seal
        self._thread: ThreadShare | None = None
        # What has not begun; a dictionary, so that one whose caller leaves is found at once.
        self._gathered: dict[_Entry[object], None] = {}
        self._busy = False
        self._timer: asyncio.Handle | None = None

    async def run(self, prepare: Callable[[], None], finish: Callable[[], T]) -> T:
        """Run a job and return what ``finish`` returns, once its batch is complete.

        The jobs of a batch are all prepared before the first is finished, so that the first sync finds the work of
        all. When cancelled, a job that has not begun never begins, and one that has is waited for.
        """
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = ThreadShare(FILES)
        entry: _Entry[T] = _Entry(prepare, finish, loop.create_future())
        self._gathered[entry] = None  # type: ignore[index]
        if not self._busy:
            if self._timer is None:
                self._timer = loop.call_soon(self._hand_over, loop)
            elif len(self._gathered) == _LARGEST_BATCH:
                self._timer.cancel()
                self._hand_over(loop)
        try:
            return await entry.future
        except asyncio.CancelledError:
            if entry in self._gathered:
                del self._gathered[entry]  # type: ignore[arg-type]
            elif not entry.reported:  # the report may have come between the cancellation and this line
                entry.ended = loop.create_future()
                await wait_shielded([entry.ended])
            raise

    def close(self) -> None:
        """Give the thread back. Nobody may be waiting for a job."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if not self._gathered or self._thread is None:
            return
        batch = list(self._gathered)[:_LARGEST_BATCH]
        for entry in batch:
            del self._gathered[entry]
        self._busy = True
        self._thread.submit(self._work, batch, loop)

    def _work(self, batch: Sequence[_Entry[object]], loop: asyncio.AbstractEventLoop) -> None:
        for entry in batch:
            entry.begin()
        for entry in batch:
            entry.complete()
        try:
            self._seal()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            for entry in batch:
                entry.error = entry.error or error
        with suppress(RuntimeError):  # the loop was closed over our heads
            loop.call_soon_threadsafe(self._report, batch, loop)

    def _report(self, batch: Sequence[_Entry[object]], loop: asyncio.AbstractEventLoop) -> None:
        self._busy = False
        for entry in batch:
            entry.report()
        if self._thread is not None:
            self._timer = loop.call_later(_WINDOW_SECONDS, self._hand_over, loop)
