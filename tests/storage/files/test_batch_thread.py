"""Small jobs go through one thread together."""

import asyncio
import threading

import pytest

from toapis_async.storage.files.batch_thread import BatchThread


async def test_jobs_that_wait_together_are_done_together():
    """All of a batch are prepared, then all finished, then the batch is sealed once."""
    events: list[str] = []
    gate = threading.Event()
    thread = BatchThread(lambda: events.append("seal"))
    first = asyncio.ensure_future(thread.run(gate.wait, lambda: 0))
    await asyncio.sleep(0.01)
    others = [
        asyncio.ensure_future(
            thread.run(lambda n=n: events.append(f"prepare {n}"), lambda n=n: events.append(f"finish {n}") or n)
        )
        for n in (1, 2)
    ]
    await asyncio.sleep(0)
    gate.set()

    assert await asyncio.gather(first, *others) == [0, 1, 2]
    assert events == ["seal", "prepare 1", "prepare 2", "finish 1", "finish 2", "seal"]
    thread.close()


async def test_a_failing_job_fails_alone():
    """Neither a failure to prepare nor one to finish touches the neighbours."""
    thread = BatchThread(lambda: None)

    results = await asyncio.gather(
        thread.run([].pop, lambda: 1),
        thread.run(lambda: None, lambda: 1 // 0),
        thread.run(lambda: None, lambda: 3),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [IndexError, ZeroDivisionError, int]
    thread.close()


async def test_a_batch_that_cannot_be_sealed_has_failed():
    """A job is done only when its batch is durable."""

    def seal() -> None:
        raise OSError("no")

    thread = BatchThread(seal)
    with pytest.raises(OSError, match="no"):
        await thread.run(lambda: None, lambda: 1)
    thread.close()


async def test_a_cancelled_job_that_has_begun_is_waited_for():
    """Cancelling never leaves work going on behind the caller's back."""
    gate, done = threading.Event(), []
    thread = BatchThread(lambda: done.append(True))
    task = asyncio.ensure_future(thread.run(gate.wait, lambda: 1))
    await asyncio.sleep(0.01)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.005)
    assert not task.done()
    gate.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [True]
    thread.close()


async def test_a_cancelled_job_that_has_not_begun_never_begins():
    """Nobody waits for a queue that they have left."""
    gate, begun = threading.Event(), []
    thread = BatchThread(lambda: None)
    first = asyncio.ensure_future(thread.run(gate.wait, lambda: 1))
    await asyncio.sleep(0.01)
    second = asyncio.ensure_future(thread.run(lambda: begun.append(True), lambda: 2))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.set()

    assert await first == 1
    thread.close()
    assert begun == []


async def test_a_closed_thread_has_ended_and_can_start_again():
    """Closing joins the thread, also when it never began."""
    before = threading.active_count()
    thread = BatchThread(lambda: None)
    thread.close()
    for _ in range(2):
        assert await thread.run(lambda: None, lambda: 7) == 7
        thread.close()

    assert threading.active_count() == before
