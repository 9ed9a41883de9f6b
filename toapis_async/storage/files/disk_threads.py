"""The threads that touch the disk, so that the event loop never does."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import anyio

T = TypeVar("T")


class DiskThreads:
    """A small pool of threads. ``close`` ends it; a job that was begun is always seen to its end."""

    __slots__ = ("_pool",)

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="toapis-disk")

    def close(self) -> None:
        """End the threads. Nobody may be waiting for a job."""
        self._pool.shutdown(wait=True)

    async def run(self, job: Callable[[], T]) -> T:
        """Run a job in a thread and return what it returns.

        When cancelled, a job that has not begun never begins, and one that has is waited for: nothing is left
        happening behind the caller's back.
        """
        running = self._pool.submit(job)
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            await _outlast(running)
            raise


async def _outlast(running: Future[T]) -> None:
    """Wait until a thread is done, however often the waiting task is cancelled."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    running.add_done_callback(lambda _: loop.call_soon_threadsafe(done.set))
    # anyio repeats a cancellation in every turn of the loop; the shield keeps this from being a busy one.
    with anyio.CancelScope(shield=True):
        while not done.is_set():
            with suppress(asyncio.CancelledError):
                await done.wait()
