"""The ledger of a web application's jobs: one owner for each id, over processes and openings."""

import asyncio
import sqlite3

import pytest

from toapis_async import ImageRequest
from toapis_async.clock import SystemClock
from toapis_async.errors import InvalidRequestError, JournalDamagedError, JournalError
from toapis_async.storage.jobs.job_ledger import JobLedger
from toapis_async.values.jobs import StoredJob, StoredResult


def job(name, worker="worker-0", at=1.0, **fields):
    request = ImageRequest(f"the prompt of {name}", **fields)
    return StoredJob(id=name, worker=worker, state="queued", request=request, created_at=at, changed_at=at)


def ledger(directory):
    return JobLedger(directory, clock=SystemClock())


async def test_what_was_added_is_there_after_opening_again(tmp_path):
    """Request, worker and dates come back as they were."""
    async with ledger(tmp_path / "new" / "jobs") as jobs:
        added = await jobs.add(job("a", label="ann", priority=0))
        jobs.note("a", "failed", StoredResult(task_id="t", error_type="TaskFailedError"))
    async with ledger(tmp_path / "new" / "jobs") as jobs:
        found = await jobs.find("a")
    assert (found.request, found.worker, found.created_at) == (added.request, "worker-0", 1.0)
    assert (found.state, found.result.task_id, found.result.error_type) == ("failed", "t", "TaskFailedError")
    assert found.changed_at > 1.0


async def test_an_id_belongs_to_the_first(tmp_path):
    """Two ledgers over one file, many at once: one of them has the id, and all learn who."""
    async with ledger(tmp_path) as ann, ledger(tmp_path) as bob:
        asked = [where.add(job("a", worker)) for where, worker in ((ann, "worker-0"), (bob, "worker-1")) * 20]
        owners = {found.worker for found in await asyncio.gather(*asked)}
        assert len(owners) == 1
        assert owners == {(await bob.find("a")).worker}


async def test_unended_jobs_are_given_by_worker_and_age(tmp_path):
    """Oldest first, without those that are saved or failed."""
    async with ledger(tmp_path) as jobs:
        for at, name in enumerate("dcba"):
            await jobs.add(job(name, at=at))
        await jobs.add(job("other", "worker-1"))
        jobs.note("c", "saved", StoredResult())
        jobs.note("b", "unfinished", StoredResult())
        assert await jobs.unended("worker-0") == ["d", "b", "a"]
        assert await jobs.workers() == {"worker-0", "worker-1"}
        jobs.note("other", "failed", StoredResult())
        assert await jobs.workers() == {"worker-0"}


async def test_states_of_many_are_asked_for_together(tmp_path):
    """More than sqlite takes in one statement, and unknown ones among them."""
    async with ledger(tmp_path) as jobs:
        await asyncio.gather(*(jobs.add(job(str(number))) for number in range(600)))
        jobs.note("7", "running", StoredResult())
        states = await jobs.states([str(number) for number in range(700)])
    assert (len(states), states["7"], states["8"]) == (600, "running", "queued")


async def test_what_cannot_be_written_is_refused(tmp_path):
    """And stops nobody else."""
    async with ledger(tmp_path) as jobs:
        with pytest.raises(InvalidRequestError):
            await jobs.add(job("a", extra={"what": object()}))
        await jobs.add(job("b"))
        assert await jobs.find("a") is None


async def test_a_file_of_something_else_is_not_touched(tmp_path):
    """It is said to be damaged, and stays as it was."""
    (tmp_path / "jobs.sqlite3").write_bytes(b"not sqlite at all " * 100)
    with pytest.raises(JournalDamagedError):
        async with ledger(tmp_path):
            pass
    assert (tmp_path / "jobs.sqlite3").read_bytes().startswith(b"not sqlite")


async def test_a_row_that_was_spoilt_says_so(tmp_path):
    """Whoever wrote into the file by hand hears that it cannot be read."""
    async with ledger(tmp_path) as jobs:
        await jobs.add(job("a"))
    with sqlite3.connect(tmp_path / "jobs.sqlite3") as connection:
        connection.execute("UPDATE jobs SET result = '{'")
    connection.close()
    async with ledger(tmp_path) as jobs:
        with pytest.raises(JournalDamagedError):
            await jobs.find("a")


async def test_a_closed_ledger_says_so(tmp_path):
    """With an error of the family."""
    async with ledger(tmp_path) as jobs:
        pass
    with pytest.raises(JournalError, match="closed"):
        await jobs.find("a")
    await jobs.aclose()
