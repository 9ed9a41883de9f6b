"""What the machine refuses in mid-run is said as what it is, and the next run goes on."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from toapis_async.cli.terminal import progress
from toapis_async.storage.journal import journal_table
from toapis_async.testing import Uniform

LATENCY = Uniform(0.05, 0.4)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Refusal:
    """Makes calls about paths below a directory raise, once it is on."""

    def __init__(self, monkeypatch, number):
        self.monkeypatch, self.number, self.on = monkeypatch, number, False

    def about(self, module, name, *, applies=lambda *_, **__: True):
        """Put it before a function."""
        real = getattr(module, name)

        def call(*arguments, **more):
            if self.on and applies(*arguments, **more):
                raise OSError(self.number, os.strerror(self.number), str(arguments[0]))
            return real(*arguments, **more)

        self.monkeypatch.setattr(module, name, call)


@pytest.fixture
def disk(monkeypatch, tmp_path):
    """``disk(errno)``: refuses every write from the tenth accepted task on, journal included."""

    def install(number):
        refusal = Refusal(monkeypatch, number)
        here = str(tmp_path)
        refusal.about(os, "open", applies=lambda path, flags=0, *_, **__: here in str(path) and flags & WRITING)
        for name in ("replace", "unlink", "ftruncate", "mkdir", "rename"):
            refusal.about(os, name)
        refusal.about(Path, "unlink")
        refusal.about(Path, "replace")
        monkeypatch.setattr(journal_table.JournalTable, "_fold_and_put", _refusing(refusal, "_fold_and_put"))
        return refusal

    return install


def _refusing(refusal, name):
    real = getattr(journal_table.JournalTable, name)

    def call(self, *arguments, **more):
        if refusal.on:
            raise sqlite3.OperationalError("attempt to write a readonly database")
        return real(self, *arguments, **more)

    return call


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT])
async def test_a_disk_that_turns_away_in_mid_run(toapis, gateway, prompts, quick, tmp_path, disk, number):
    """No defect is spoken of, nothing paid for is lost or bought twice, and the run goes on once it is mended."""
    out = tmp_path / "out"
    refusal = disk(number)
    async with gateway(latency=LATENCY) as sim:
        watched = progress.Progress.snapshot

        def snapshot(self):
            refusal.on = refusal.on or sim.books.accepted >= 10
            return watched(self)

        progress.Progress.snapshot = snapshot
        try:
            broken = await toapis("batch", prompts(60), "-o", out, "--max-concurrency", 4, *quick)
        finally:
            progress.Progress.snapshot = watched
            refusal.on = False
        again = await toapis("resume", out, *quick)

        assert broken.code == 5, broken.err
        assert "defect" not in broken.err
        assert "Traceback" not in broken.err
        assert "toapis resume" in broken.err
        assert again.code == 0, again.err
        assert sim.books.duplicates == {}
        assert sim.books.accepted == 60


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EIO, "Input/output error", "/some/where"), "Input/output error (/some/where)"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (MemoryError(), "no memory left"),
    ],
)
async def test_what_the_system_refuses_is_no_defect(toapis, monkeypatch, error, said):
    """Whatever door it came through, the system's word is told, with the way on."""

    def refuse(*_, **__):
        raise error

    monkeypatch.setattr("toapis_async.cli.commands.models.packaged_catalogue", refuse)
    ended = await toapis("models")

    assert ended.code == 5
    assert said in ended.err
    assert "defect" not in ended.err


@pytest.mark.parametrize("what", ["file", "leads nowhere", "through a file"])
async def test_an_output_that_is_no_directory(toapis, gateway, prompts, tmp_path, what):
    """A file as -o is said to be one before anything is sent, by every command that writes."""
    place = tmp_path / "fox.png"
    if what == "leads nowhere":
        place.symlink_to(tmp_path / "gone" / "far")
    else:
        place.write_bytes(b"my own picture")
    given = place / "deep" if what == "through a file" else place
    async with gateway() as sim:
        for words in (("batch", prompts(1)), ("generate", "a fox"), ("demo",)):
            ended = await toapis(*words, "-o", given)
            assert ended.code == 2, words
            assert ("leads nowhere" if what == "leads nowhere" else "is a file") in ended.err
            assert "takes a directory" in ended.err
        assert sim.books.posts == 0
    assert place.is_symlink() or place.read_bytes() == b"my own picture"
