"""The journal on the disk: one owner, nothing lost by a kill, nothing changed in a file that is not its own."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import attrs
import pytest

from toapis_async.clock import SystemClock
from toapis_async.errors import InvalidRequestError, JournalDamagedError, JournalError, JournalLockedError
from toapis_async.storage.journal import journal_file
from toapis_async.storage.journal.journal_file import SCHEMA_VERSION
from toapis_async.storage.journal.sqlite_journal import SqliteJournal, journal_path
from toapis_async.values.records import Accepted, FailedForGood, Finished, Intended, ItemRecord, ItemState
from toapis_async.values.requests import ImageRequest, VideoRequest


def intended(key: str, prompt: str = "a house") -> Intended:
    return Intended(key=key, attempt=1, client_business_id=f"run-{key}-1", request=ImageRequest(prompt), at=1.0)


def open_journal(directory: Path, *, read_only: bool = False) -> SqliteJournal:
    return SqliteJournal(directory, clock=SystemClock(), read_only=read_only)


async def fill(directory: Path, count: int, prompt: str = "a house") -> None:
    async with open_journal(directory) as journal:
        for number in range(count):
            journal.note(intended(f"item-{number}", prompt))


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


async def test_closing_leaves_one_file(tmp_path: Path) -> None:
    """After closing, everything is in the journal's one file, and the lock is empty."""
    await fill(tmp_path, 3)
    files = {path.name: path.stat().st_size for path in (tmp_path / ".toapis").iterdir()}
    assert set(files) == {"journal.sqlite3", "lock"}
    assert files["lock"] == 0


async def test_durable_settings(tmp_path: Path) -> None:
    """The file is written ahead and synced at each commit; it says whose it is and in which format."""
    await fill(tmp_path, 1)
    connection = sqlite3.connect(journal_path(tmp_path))
    facts = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "application_id")]
    connection.close()
    assert facts == ["wal", 0x746F6170]


async def open_here(directory: Path) -> None:
    await open_journal(directory).__aenter__()


async def open_in_another_process(directory: Path) -> None:
    await asyncio.to_thread(open_elsewhere, directory)


@pytest.mark.parametrize("open_second", [open_here, open_in_another_process])
async def test_second_opening_is_refused(tmp_path: Path, open_second: Callable[[Path], Awaitable[None]]) -> None:
    """A second owner is refused at once, in this process and in another, and the first goes on undisturbed."""
    async with open_journal(tmp_path) as journal:
        await journal.record(intended("a"))
        before = contents(tmp_path)
        with pytest.raises(JournalLockedError, match="in use by") as caught:
            await open_second(tmp_path)
        assert str(tmp_path) in caught.value.message
        assert str(os.getpid()) in caught.value.message or "this very process" in caught.value.message
        assert contents(tmp_path) == before
        await journal.record(intended("b"))
        assert await journal.counts() == {ItemState.INTENDED: 2}


OPEN_ELSEWHERE = """
import asyncio, sys
from pathlib import Path
from toapis_async.clock import SystemClock
from toapis_async.errors import JournalLockedError
from toapis_async.storage.journal.sqlite_journal import SqliteJournal

async def main():
    async with SqliteJournal(Path(sys.argv[1]), clock=SystemClock()):
        pass

try:
    asyncio.run(main())
except JournalLockedError as error:
    sys.stdout.write(error.message)
"""


def open_elsewhere(directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ELSEWHERE, str(directory)], capture_output=True, text=True, timeout=120, check=True
    )
    raise JournalLockedError(done.stdout)


async def test_reading_beside_a_run(tmp_path: Path) -> None:
    """A reader sees what is durable while a run owns the directory, and can change nothing."""
    async with open_journal(tmp_path) as journal:
        await journal.record(intended("a"))
        async with open_journal(tmp_path, read_only=True) as reader:
            assert reader.run_id == journal.run_id
            assert await reader.counts() == {ItemState.INTENDED: 1}
            with pytest.raises(JournalError, match="reading only"):
                await reader.record(intended("b"))
            with pytest.raises(JournalError, match="reading only"):
                reader.note(intended("b"))
        await journal.record(intended("b"))


async def test_reading_without_a_journal(tmp_path: Path) -> None:
    """Looking at a directory without a journal says so and makes nothing."""
    with pytest.raises(JournalError, match="There is no journal"):
        await open_journal(tmp_path, read_only=True).__aenter__()
    assert list(tmp_path.iterdir()) == []


async def test_closed_journals_refuse(tmp_path: Path) -> None:
    """Using a journal before or after its ``async with`` is a clear error."""
    journal = open_journal(tmp_path)
    with pytest.raises(JournalError, match="not open"):
        journal.note(intended("a"))
    async with journal:
        pass
    with pytest.raises(JournalError, match="not open"):
        await journal.find(["a"])


async def test_request_that_cannot_be_kept(tmp_path: Path) -> None:
    """A request that JSON cannot hold is its own caller's error; the journal goes on."""
    bad = Intended(key="a", attempt=1, client_business_id="r", request=ImageRequest("x", extra={"f": object()}), at=1.0)
    async with open_journal(tmp_path) as journal:
        with pytest.raises(InvalidRequestError):
            await journal.record(bad)
        await journal.record(intended("b"))
        assert await journal.counts() == {ItemState.INTENDED: 1}


async def test_zero_length_file_is_fresh(tmp_path: Path) -> None:
    """A file of no length holds nothing, so a journal may be made in its place."""
    journal_path(tmp_path).parent.mkdir()
    journal_path(tmp_path).touch()
    async with open_journal(tmp_path) as journal:
        assert journal.empty_at_open


def garbage(path: Path) -> None:
    path.write_bytes(random.Random(7).randbytes(20_000))


def short_garbage(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00")


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 8192)


def foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE things (name); INSERT INTO things VALUES ('precious')")
    connection.close()


def emptied(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE items")
    connection.close()


def nameless(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("DELETE FROM notes")
    connection.close()


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "spoil", [garbage, short_garbage, truncated, overwritten, foreign, emptied, nameless, directory]
)
@pytest.mark.parametrize("read_only", [False, True])
async def test_damaged_files_are_left_alone(tmp_path: Path, spoil: Callable[[Path], None], read_only: bool) -> None:
    """A broken or foreign file is refused with the way to go on, and not a byte changes."""
    await fill(tmp_path, 200)
    spoil(journal_path(tmp_path))
    before = contents(tmp_path)
    with pytest.raises(JournalDamagedError, match="Nothing was changed") as caught:
        await read_everything(tmp_path, read_only=read_only)
    assert f"mv '{journal_path(tmp_path)}'" in caught.value.hint
    # A reader may leave sqlite's own empty side files; the next owner removes them.
    after = contents(tmp_path)
    assert {name: after[name] for name in (before if read_only else after)} == before


async def read_everything(directory: Path, *, read_only: bool) -> None:
    async with open_journal(directory, read_only=read_only) as journal:
        assert read_only, "an owner finds damage when opening"
        await journal.find([f"item-{number}" for number in range(200)])


async def test_lost_file_beside_its_log_is_damage(tmp_path: Path) -> None:
    """A missing file whose write-ahead log is there was not fresh: nothing is made in its place."""
    log = journal_path(tmp_path).with_name("journal.sqlite3-wal")
    log.parent.mkdir()
    log.write_bytes(b"x" * 100)
    with pytest.raises(JournalDamagedError, match="log is not"):
        await open_journal(tmp_path).__aenter__()
    assert log.read_bytes() == b"x" * 100


async def test_damaged_row_is_found_when_met(tmp_path: Path) -> None:
    """A row that does not decode is damage, and not another request."""
    await fill(tmp_path, 2)
    connection = sqlite3.connect(journal_path(tmp_path))
    connection.execute("UPDATE requests SET request = '{' WHERE seq = 1")
    connection.commit()
    connection.close()
    async with open_journal(tmp_path) as journal:
        with pytest.raises(JournalDamagedError):
            await journal.find(["item-0"])
        assert (await journal.find(["item-1"]))[0] is not None


async def test_newer_format_is_refused(tmp_path: Path) -> None:
    """A journal of a later version is not touched, and the error names the remedy."""
    await fill(tmp_path, 1)
    connection = sqlite3.connect(journal_path(tmp_path))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = contents(tmp_path)
    with pytest.raises(JournalError, match="newer version") as caught:
        await open_journal(tmp_path).__aenter__()
    assert "pip install --upgrade" in caught.value.hint
    assert contents(tmp_path) == before


def version(directory: Path) -> int:
    """Read the format's number as the file says it."""
    return int.from_bytes(journal_path(directory).read_bytes()[60:64], "big")


async def test_an_older_format_is_raised_when_it_is_written_to(tmp_path: Path) -> None:
    """It is read and left as it is by whoever looks, and refused by its own version once this one has written."""
    await fill(tmp_path, 1)
    connection = sqlite3.connect(journal_path(tmp_path))
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    async with open_journal(tmp_path, read_only=True) as journal:
        assert (await journal.find(["item-0"]))[0] is not None
    assert version(tmp_path) == 1
    async with open_journal(tmp_path) as journal:
        assert (await journal.find(["item-0"]))[0] is not None
    assert version(tmp_path) == SCHEMA_VERSION


@pytest.mark.parametrize("read_only", [False, True])
async def test_an_older_library_refuses_a_newer_journal(tmp_path: Path, monkeypatch, read_only: bool) -> None:
    """Going on without what it does not know could charge again."""
    await fill(tmp_path, 1)
    monkeypatch.setattr(journal_file, "SCHEMA_VERSION", SCHEMA_VERSION - 1)
    before = contents(tmp_path)
    with pytest.raises(JournalError, match="newer version"):
        await open_journal(tmp_path, read_only=read_only).__aenter__()
    assert contents(tmp_path) == before


def test_every_fact_belongs_to_a_format() -> None:
    """Whoever adds one raises ``SCHEMA_VERSION`` and writes it down here."""
    facts = {field.name for kind in (ItemRecord, ImageRequest, VideoRequest) for field in attrs.fields(kind)}
    known = sha256(" ".join(sorted(facts)).encode()).hexdigest()[:8]
    assert (SCHEMA_VERSION, known) == (2, "7e46eda1")


async def test_file_in_place_of_the_directory(tmp_path: Path) -> None:
    """A file named as the private directory is a refusal of the system, told as ours."""
    (tmp_path / ".toapis").touch()
    with pytest.raises(JournalError):
        await open_journal(tmp_path).__aenter__()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
async def test_forbidden_file(tmp_path: Path) -> None:
    """A file that may not be read is no damage."""
    await fill(tmp_path, 1)
    journal_path(tmp_path).chmod(0)
    with pytest.raises(JournalError) as caught:
        await open_journal(tmp_path).__aenter__()
    assert not isinstance(caught.value, JournalDamagedError)


async def test_opening_again_after_a_refusal(tmp_path: Path) -> None:
    """A refused opening gives the lock back: once the file is moved away as told, the same command runs."""
    journal_path(tmp_path).parent.mkdir()
    garbage(journal_path(tmp_path))
    with pytest.raises(JournalDamagedError):
        await open_journal(tmp_path).__aenter__()
    journal_path(tmp_path).rename(tmp_path / "broken")
    async with open_journal(tmp_path) as journal:
        await journal.record(intended("a"))


async def test_full_disk_stops_everybody(tmp_path: Path) -> None:
    """When a commit fails, all who wait for it and all later calls get the same refusal; what was durable stays."""
    journal = await open_journal(tmp_path).__aenter__()
    await journal.record(intended("a"))
    limit_pages(journal)
    results = await asyncio.gather(
        *(journal.record(intended(f"item-{number}", "x" * 9000)) for number in range(50)), return_exceptions=True
    )
    assert {type(result) for result in results} == {JournalError}
    with pytest.raises(JournalError, match="full"):
        journal.note(Accepted(key="a", attempt=1, task_id="t", kind="image", at=2.0))
    with pytest.raises(JournalError, match="full"):
        await journal.find(["a"])
    with pytest.raises(JournalError, match="full"):
        await journal.record(intended("b"))
    # Whoever leaves with an error of his own is not given another one.
    await journal.__aexit__(JournalError, None, None)
    async with open_journal(tmp_path) as journal:
        assert await journal.counts() == {ItemState.INTENDED: 1}
        await journal.record(intended("b"))


async def test_full_disk_is_not_silent_at_the_end(tmp_path: Path) -> None:
    """Noted events that cannot be written are an error of closing, even when nobody waited for them."""
    journal = open_journal(tmp_path)
    await journal.__aenter__()
    limit_pages(journal)
    for number in range(50):
        journal.note(intended(f"item-{number}", "x" * 9000))
    with pytest.raises(JournalError, match="full"):
        await journal.__aexit__(None, None, None)


def limit_pages(journal: SqliteJournal) -> None:
    assert journal._table is not None
    connection = journal._table._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")


async def test_cancelled_closing_still_writes(tmp_path: Path) -> None:
    """Cancelling whoever closes the journal does not keep what was noted from the disk."""

    async def run() -> None:
        async with open_journal(tmp_path) as journal:
            for number in range(2000):
                journal.note(intended(f"item-{number}"))

    task = asyncio.ensure_future(run())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])
    async with open_journal(tmp_path) as journal:
        assert (await journal.counts()).get(ItemState.INTENDED, 0) in {0, 2000}


async def test_rows_leave_the_cache(tmp_path: Path) -> None:
    """Memory follows what is in flight: items that ended are read back from the file when they change again."""
    async with open_journal(tmp_path) as journal:
        for number in range(300):
            journal.note(intended(f"item-{number}"))
            journal.note(FailedForGood(key=f"item-{number}", error_type="ContentPolicyError", message="", at=2.0))
        await journal.counts()
        assert journal._table is not None
        assert journal._table._live == {}
        journal.note(Finished(key="item-7", task_id="t", urls=(), expires_at=None, cost_usd=None, at=3.0))
        assert [record.key async for record in journal.items(ItemState.FINISHED)] == ["item-7"]


async def test_a_first_attempt_that_was_there_already(tmp_path: Path) -> None:
    """An ended item that is intended anew as a first attempt keeps its row, beside new ones of the same batch."""
    async with open_journal(tmp_path) as journal:
        for key in ("one", "two"):
            await journal.record(intended(key))
            journal.note(Accepted(key=key, attempt=1, task_id=f"tsk-{key}", kind="image", at=2.0))
            journal.note(FailedForGood(key=key, error_type="TaskFailedError", message="no", at=3.0))
        assert await journal.counts() == {ItemState.FAILED: 2}
        before = await journal.find(["one", "two"])
        await asyncio.gather(*(journal.record(intended(key)) for key in ("three", "one", "four")))
        assert await journal.find(["one", "two"]) == before
        assert await journal.counts() == {ItemState.FAILED: 2, ItemState.INTENDED: 2}


@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 200])
async def test_batches_of_any_size(tmp_path: Path, count: int) -> None:
    """However many rows a batch has, each is written once and as it is."""
    keys = [f"item-{number}" for number in range(count)]
    async with open_journal(tmp_path) as journal:
        await asyncio.gather(*(journal.record(intended(key, f"prompt {key}")) for key in keys))
        for key in keys:
            journal.note(Accepted(key=key, attempt=1, task_id=f"tsk-{key}", kind="image", at=2.0))
    async with open_journal(tmp_path, read_only=True) as journal:
        records = await journal.find(keys)
    assert [(record.task_id, record.request.prompt) for record in records] == [
        (f"tsk-{key}", f"prompt {key}") for key in keys
    ]


async def test_a_killed_owner_is_known_to_be_gone(tmp_path: Path) -> None:
    """A journal that was not closed is whole at the next opening, and its owner is known to be gone."""
    reported = await asyncio.to_thread(writer_killed_after, tmp_path, 5)
    async with open_journal(tmp_path) as journal:
        assert journal._lock.abandoned
        found = await journal.find(reported)
        assert all(record is not None for record in found)


WRITE_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from toapis_async.clock import SystemClock
from toapis_async.storage.journal.sqlite_journal import SqliteJournal
from toapis_async.values.records import Accepted, Intended
from toapis_async.values.requests import ImageRequest

async def work(journal, worker):
    for number in range(100_000):
        key = f"{worker}-{number}"
        request = ImageRequest("a house")
        await journal.record(Intended(key=key, attempt=1, client_business_id="r" + key, request=request, at=1.0))
        sys.stdout.write(key + "\\n")
        sys.stdout.flush()
        journal.note(Accepted(key=key, attempt=1, task_id="t" + key, kind="image", at=1.0))

async def main():
    async with SqliteJournal(Path(sys.argv[1]), clock=SystemClock()) as journal:
        await asyncio.gather(*(work(journal, worker) for worker in range(20)))

asyncio.run(main())
"""


def writer_killed_after(directory: Path, lines: int) -> list[str]:
    """Start a run elsewhere, kill it after so many durable records, and return all that it reported durable."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_UNTIL_KILLED, str(directory)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        keys = [process.stdout.readline().strip() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        keys += process.stdout.read().split("\n")
    # The last word may be cut short by the kill.
    return keys[:-1]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught")
async def test_kills_lose_nothing_durable(tmp_path: Path) -> None:
    """Runs of one directory, killed at random instants: every record that was reported durable is there."""
    rng = random.Random(3)
    for _ in range(10):
        before = await known(tmp_path)
        reported = await asyncio.to_thread(writer_killed_after, tmp_path, rng.randint(1, 400))
        async with open_journal(tmp_path) as journal:
            found = await journal.find(reported)
            assert [key for key, record in zip(reported, found, strict=True) if record is None] == []
            assert sum((await journal.counts()).values()) >= max(before, len(set(reported)))


async def known(directory: Path) -> int:
    async with open_journal(directory) as journal:
        return sum((await journal.counts()).values())
