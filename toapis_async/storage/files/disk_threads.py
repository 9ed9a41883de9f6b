"""The threads that touch the disk, so that the event loop never does."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from toapis_async.shielding import wait_shielded
from toapis_async.storage.thread_pool import FILES, ThreadPool, ThreadShare

T = TypeVar("T")


class DiskThreads:
    """A share of the process's threads. A job that was begun is always seen to its end.

    Args:
        threads: how many jobs are done at once, at most.
        pool: whose threads.

    """

    __slots__ = ("_share",)

    def __init__(self, threads: int, pool: ThreadPool = FILES) -> None:
        self._share = ThreadShare(pool, threads)

    def close(self) -> None:
        """Give the share back. Nobody may be waiting for a job."""
        self._share.shutdown()

    async def run(self, job: Callable[[], T]) -> T:
        """Run a job in a thread and return what it returns.

        When cancelled, a job that has not begun never begins, and one that has is waited for: nothing is left
        happening behind the caller's back.
        """
        running = self._share.submit(job)
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            loop = asyncio.get_running_loop()
            # A future of its own: one that is chained to the job would complain of an error that nobody asked for.
            ended = loop.create_future()
            running.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set_result, None))
            await wait_shielded([ended])
            raise
