"""The disk fills up or refuses in mid-run: the run stops, keeps what it has paid for, and is gone on with."""

import os
import subprocess
import sys

import attrs
import pytest

from toapis_async.errors import JournalError, StorageError
from toapis_async.testing import Scenario, Uniform

SCENARIO = Scenario(latency=Uniform(0.05, 0.3), files="small", small_bytes=20_000)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


async def test_a_full_disk_stops_the_run_and_loses_nothing(journey, small_disk):
    """The error comes out of the stream; with room again a resume completes, and every prompt is charged once."""
    async with journey(SCENARIO, count=80) as going:
        going.directory = small_disk / "out"
        with pytest.raises((StorageError, JournalError)) as caught:
            await going.run(max_concurrency=20)
        assert "room" in caught.value.hint or "space" in caught.value.hint
        assert going.sim.books.accepted < 80
        with pytest.raises((StorageError, JournalError)):
            await going.run(max_concurrency=20)
        going.assert_never_charged_twice()
        subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
        _, report = await going.run(resume=True)
        assert report.complete
        await going.run()
        going.assert_charged_once()
        going.assert_on_disk()


async def test_a_read_only_directory_sends_nothing(journey, small_disk):
    """Where nothing can be written nothing is submitted; once it can, the run goes on."""
    async with journey(SCENARIO, count=8) as going:
        going.directory = small_disk / "out"
        await going.run(going.requests(3))
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        posts = going.sim.books.posts
        with pytest.raises((StorageError, JournalError)):
            await going.run()
        assert going.sim.books.posts == posts
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
        await going.run()
        going.assert_charged_once()
        going.assert_on_disk()


async def test_a_directory_that_vanishes_stops_the_run(journey, tmp_path):
    """Where the output directory is replaced by a file in mid-run, the stream says so and the journal survives."""
    async with journey(attrs.evolve(SCENARIO, small_bytes=2000), count=30) as going:
        blocked = tmp_path / "elsewhere"

        def requests():
            for number, request in enumerate(going.requests()):
                if number == 15:
                    going.directory.rename(blocked)
                    going.directory.write_text("no directory")
                yield request

        with pytest.raises((StorageError, JournalError)):
            await going.run(requests(), max_concurrency=5)
        going.directory.unlink()
        blocked.rename(going.directory)
        await going.run()
        going.assert_charged_once()
        going.assert_on_disk()
