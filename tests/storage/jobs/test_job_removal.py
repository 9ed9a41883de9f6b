"""Forgetting jobs that have ended, with their files."""

import asyncio

import pytest

from toapis_async import ImageRequest, SavedFile
from toapis_async.clock import SystemClock
from toapis_async.storage.jobs.job_ledger import JobLedger
from toapis_async.storage.jobs.job_removal import remove_ended
from toapis_async.values.jobs import StoredJob, StoredResult

STATES = ("queued", "running", "unfinished", "saved", "failed", "cancelled")


def queued(name):
    return StoredJob(
        id=name, worker="worker-0", state="queued", request=ImageRequest("x"), created_at=1.0, changed_at=1.0
    )


@pytest.fixture
def picture(tmp_path):
    """Make a file of a job and say what it is."""

    def make(name, directory):
        directory.mkdir(exist_ok=True)
        (directory / name).write_bytes(b"png")
        return SavedFile(uri=str(directory / name), bytes=3, sha256="0", mime="image/png")

    return make


async def test_only_what_has_ended_goes_and_only_below_the_directory(tmp_path, picture):
    """Whatever may still be paid for stays, and so does a file that is not the store's."""
    directory, elsewhere = tmp_path / "jobs", tmp_path / "elsewhere"
    async with JobLedger(directory, clock=SystemClock()) as jobs:
        files = {"saved": (picture("a.png", directory / "worker-0"), picture("b.png", elsewhere))}
        for state in STATES:
            await jobs.add(queued(state))
            if state != "queued":
                jobs.note(state, state, StoredResult(files=files.get(state, ())))
        assert await remove_ended(jobs, directory, before=1.0) == 0
        assert await remove_ended(jobs, directory, before=1e12) == 3
        left = {name for name in STATES if await jobs.find(name)}
    assert left == {"queued", "running", "unfinished"}
    assert not (directory / "worker-0" / "a.png").exists()
    assert (elsewhere / "b.png").exists()


@pytest.mark.parametrize("way", ["dots", "link"])
async def test_no_path_leads_out_of_the_directory(tmp_path, picture, way):
    """A file that is named below the directory and lies elsewhere is not the store's."""
    directory, elsewhere = tmp_path / "jobs", tmp_path / "elsewhere"
    picture("b.png", elsewhere)
    async with JobLedger(directory, clock=SystemClock()) as jobs:
        (directory / "out").symlink_to(elsewhere)
        named = directory / ".." / "elsewhere" / "b.png" if way == "dots" else directory / "out" / "b.png"
        await jobs.add(queued("fox"))
        jobs.note(
            "fox", "saved", StoredResult(files=(SavedFile(uri=str(named), bytes=3, sha256="0", mime="image/png"),))
        )
        assert await remove_ended(jobs, directory, before=1e12) == 1
    assert (elsewhere / "b.png").exists()


async def test_a_job_whose_files_cannot_be_removed_stays(tmp_path, picture):
    """It keeps no other job from being removed, however many there are."""
    async with JobLedger(tmp_path, clock=SystemClock()) as jobs:
        stuck = tmp_path / "stuck.png"
        (stuck / "inside").mkdir(parents=True)  # a directory cannot be unlinked
        file = SavedFile(uri=str(stuck), bytes=3, sha256="0", mime="image/png")
        names = [f"job-{number:03}" for number in range(300)]
        await asyncio.gather(*(jobs.add(queued(name)) for name in names))
        for name in names:
            jobs.note(name, "saved", StoredResult(files=(file,) if name == "job-007" else ()))
        assert await remove_ended(jobs, tmp_path, before=1e12) == 299
        assert (await jobs.find("job-007")).state == "saved"
