"""Jobs in threads are seen to their end."""

import asyncio
import threading

import pytest

from toapis_async.storage.files.disk_threads import DiskThreads


async def test_jobs_return_and_raise():
    """A hop looks like a call."""
    threads = DiskThreads(2)

    assert await threads.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    threads.close()


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_job_that_has_begun_is_waited_for(fails):
    """However often it is cancelled, and whether or not the job fails."""
    gate = threading.Event()
    threads = DiskThreads(1)
    task = asyncio.ensure_future(threads.run(lambda: gate.wait() and (1 // 0 if fails else 1)))
    await asyncio.sleep(0.01)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.005)
    assert not task.done()
    gate.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    threads.close()


async def test_a_cancelled_job_that_has_not_begun_never_begins():
    """A job that waits for a thread is dropped."""
    gate, begun = threading.Event(), []
    threads = DiskThreads(1)
    first = asyncio.ensure_future(threads.run(gate.wait))
    second = asyncio.ensure_future(threads.run(lambda: begun.append(True)))
    await asyncio.sleep(0.01)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.set()
    await first
    threads.close()

    assert begun == []
