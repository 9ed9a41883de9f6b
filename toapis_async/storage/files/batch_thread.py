"""One thread for many small jobs. It takes whatever has gathered, does it in one go, and reports it in one go.

Under load, waking a thread and the loop costs more than writing a small file; a batch pays for both once.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")

_LARGEST_BATCH = 64


class _Entry(Generic[T]):
    """A job and whoever waits for it."""

    __slots__ = ("ended", "error", "finish", "future", "prepare", "reported", "result", "taken")

    def __init__(self, prepare: Callable[[], None], finish: Callable[[], T], future: "asyncio.Future[T]") -> None:
        self.prepare = prepare
        self.finish = finish
        self.future = future
        self.taken = Lock()
        self.ended: asyncio.Event | None = None
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
            self.ended.set()
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


class BatchThread:
    """A thread that works in batches. It starts with the first job; ``close`` ends it.

    Args:
        seal: what makes a batch complete; when it raises, every job of the batch has failed.

    """

    __slots__ = ("_queue", "_seal", "_thread")

    def __init__(self, seal: Callable[[], None]) -> None:
        self._seal = seal
        self._queue: SimpleQueue[_Entry[object] | None] = SimpleQueue()
        self._thread: Thread | None = None

    async def run(self, prepare: Callable[[], None], finish: Callable[[], T]) -> T:
        """Run a job and return what ``finish`` returns, once its batch is complete.

        The jobs of a batch are all prepared before the first is finished, so that the first sync finds the work of
        all. When cancelled, a job that has not begun never begins, and one that has is waited for.
        """
        loop = asyncio.get_running_loop()
        if self._thread is None:
            # A daemon: a program that dies without closing us must not hang; what it wrote is atomic.
            self._thread = Thread(target=self._work, args=(loop,), name="toapis-save", daemon=True)
            self._thread.start()
        entry: _Entry[T] = _Entry(prepare, finish, loop.create_future())
        self._queue.put(entry)  # type: ignore[arg-type]
        try:
            return await entry.future
        except asyncio.CancelledError:
            if not entry.taken.acquire(blocking=False):
                await _see_through(entry)
            raise

    def close(self) -> None:
        """End the thread. Nobody may be waiting for a job."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (first := self._queue.get()) is not None:
            batch = [entry for entry in self._gathered(first) if entry.taken.acquire(blocking=False)]
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
                loop.call_soon_threadsafe(_report, batch)

    def _gathered(self, first: _Entry[object]) -> list[_Entry[object]]:
        gathered = [first]
        with suppress(Empty):
            while len(gathered) < _LARGEST_BATCH:
                entry = self._queue.get_nowait()
                if entry is None:
                    self._queue.put(None)
                    break
                gathered.append(entry)
        return gathered


def _report(batch: Sequence[_Entry[object]]) -> None:
    for entry in batch:
        entry.report()


async def _see_through(entry: _Entry[T]) -> None:
    """Wait until a job that has begun is done, however often the waiting task is cancelled."""
    entry.ended = asyncio.Event()
    # The report may have come between the cancellation and this line. The shield keeps anyio, which repeats a
    # cancellation in every turn of the loop, from making this a busy one.
    with anyio.CancelScope(shield=True):
        while not entry.reported:
            with suppress(asyncio.CancelledError):
                await entry.ended.wait()
