"""The threads that touch the disk, so that the event loop never does."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from toapis_async.shielding import wait_shielded

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
            loop = asyncio.get_running_loop()
            # A future of its own: one that is chained to the job would complain of an error that nobody asked for.
            ended = loop.create_future()
            running.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set_result, None))
            await wait_shielded([ended])
            raise
