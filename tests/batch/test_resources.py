"""Everything that a session opens: all of it or nothing."""

import asyncio
from pathlib import Path

import pytest

from toapis_async import ImageRequest, JournalLockedError
from toapis_async.storage.journal.key_ledger import KeyLedger
from toapis_async.storage.journal.sqlite_journal import SqliteJournal
from toapis_async.storage.manifest.manifest import Manifest


def open_files():
    return sorted(str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink())


class BreakingError(Exception):
    """Something that no part expects."""


@pytest.mark.parametrize("part", [SqliteJournal, KeyLedger, Manifest])
async def test_what_breaks_while_opening_closes_the_rest(live, tmp_path, monkeypatch, part):
    """When one part cannot be opened the others are closed, and the directory opens the next time."""

    async def broken(self, *_):
        raise BreakingError

    def broken_manager(self, *_):
        raise BreakingError

    async with live() as (_, client):
        with monkeypatch.context() as patched:
            if part is Manifest:
                patched.setattr(part, "writing", broken_manager)
            else:
                patched.setattr(part, "__aenter__", broken)
            with pytest.raises(BreakingError):
                async with client.session(tmp_path):
                    pass
        assert [name for name in open_files() if str(tmp_path) in name] == []
        async with client.session(tmp_path) as session:
            assert (await session.run([ImageRequest("a fox")])).complete
        assert [name for name in open_files() if str(tmp_path) in name] == []


async def test_a_locked_directory_is_left_alone(live, tmp_path):
    """Whoever comes second changes nothing, and leaves the first one's lock in lease."""
    async with live() as (_, client), client.session(tmp_path) as session:
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.suffix != ".sqlite3"}
        for _ in range(2):
            with pytest.raises(JournalLockedError):
                await client.session(tmp_path).__aenter__()
        assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path in before}
        assert (await session.run([ImageRequest("a fox")])).complete


async def test_cancelled_while_opening_leaves_nothing_open(live, tmp_path):
    """Cancelled at any step of opening, a session holds no file and no lock."""
    async with live() as (_, client):

        async def open_and_close():
            async with client.session(tmp_path):
                pass

        for steps in range(12):
            opening = asyncio.create_task(open_and_close())
            for _ in range(steps):
                await asyncio.sleep(0.0005)
            opening.cancel()
            await asyncio.wait((opening,))
            assert opening.cancelled() or opening.exception() is None
        assert [name for name in open_files() if str(tmp_path) in name] == []
        async with client.session(tmp_path) as session:
            assert (await session.run([ImageRequest("a fox")])).complete


async def test_what_is_cleared_away_is_only_ours(live, tmp_path):
    """Files that others put into the directory stay."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "fox.png").write_bytes(b"mine")
    async with live() as (_, client), client.session(tmp_path) as session:
        assert (await session.run([ImageRequest("a fox")])).complete
    assert ((tmp_path / "notes.txt").read_text(), (tmp_path / "fox.png").read_bytes()) == ("mine", b"mine")
