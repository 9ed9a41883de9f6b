"""The manifest's file: whole lines, one per key at the end, nothing of others lost."""

import asyncio
from pathlib import Path

import attrs
import pytest

from toapis_async.clock import SystemClock
from toapis_async.errors import StorageError
from toapis_async.policy.money.recovery import apply
from toapis_async.storage.journal.memory_journal import MemoryJournal
from toapis_async.storage.journal.no_journal import NoJournal
from toapis_async.storage.journal.port import Journal
from toapis_async.storage.journal.sqlite_journal import SqliteJournal
from toapis_async.storage.manifest.manifest import Manifest, read_manifest
from toapis_async.values.records import FailedForGood, Finished, Intended, JournalEvent, SavedToDisk
from toapis_async.values.requests import ImageRequest
from toapis_async.wire.manifest import manifest_line


def intended(key: str) -> Intended:
    return Intended(key=key, attempt=1, client_business_id=f"r-{key}", request=ImageRequest(f"of {key}"), at=1.0)


def finished(key: str) -> Finished:
    return Finished(key=key, task_id=f"t-{key}", urls=("https://f",), expires_at=None, cost_usd=None, at=2.0)


def saved(key: str) -> SavedToDisk:
    return SavedToDisk(key=key, files=(), at=3.0)


def live(journal: Journal, manifest: Manifest, key: str, *events: JournalEvent) -> None:
    """Let an item end in this run: its events into the journal, its line into the manifest."""
    record = None
    for event in (intended(key), *events):
        journal.note(event)
        record = apply(record, event)
    assert record is not None
    manifest.append(manifest_line(record))


def found(directory: Path) -> list[tuple[str, str]]:
    return [(entry.id, entry.status) for entry in read_manifest(directory)]


async def test_lines_of_one_run(tmp_path: Path) -> None:
    """A first run leaves a line for each item, in the order of their ends."""
    journal = MemoryJournal()
    async with Manifest(tmp_path).writing(journal) as manifest:
        live(journal, manifest, "b", finished("b"), saved("b"))
        live(journal, manifest, "a", finished("a"))
    assert found(tmp_path) == [("b", "saved"), ("a", "unfinished")]
    assert await journal.recall("manifest") == "whole"


async def test_lines_appear_during_the_run(tmp_path: Path) -> None:
    """Lines can be read while the run goes on, shortly after they were added."""
    journal = MemoryJournal()
    async with Manifest(tmp_path).writing(journal) as manifest:
        live(journal, manifest, "a", finished("a"))
        async with asyncio.timeout(120):
            while not found(tmp_path):
                await asyncio.sleep(0.01)


async def test_second_run_leaves_one_line_per_key(tmp_path: Path) -> None:
    """An item that a later run ends has one line afterwards, that of its end; the others keep theirs."""
    out = tmp_path / "out"
    for key, more in [("a", ()), ("a", (saved("a"),)), ("b", (saved("b"),))]:
        async with SqliteJournal(out, clock=SystemClock()) as journal, Manifest(out).writing(journal) as manifest:
            live(journal, manifest, key, finished(key), *more)
    assert found(out) == [("a", "saved"), ("b", "saved")]
    assert sorted(path.name for path in (out / ".toapis").iterdir()) == ["journal.sqlite3", "lock"]


async def test_a_run_that_adds_nothing_writes_nothing(tmp_path: Path) -> None:
    """Skipping everything leaves the file untouched."""
    journal = MemoryJournal()
    async with Manifest(tmp_path).writing(journal) as manifest:
        live(journal, manifest, "a", saved("a"))
    before = (tmp_path / "manifest.jsonl").stat()
    async with journal, Manifest(tmp_path).writing(journal):
        pass
    after = (tmp_path / "manifest.jsonl").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


async def test_killed_run_is_made_good(tmp_path: Path) -> None:
    """Lines that a killed run had no time to write, or wrote half of, are there after the next run."""
    journal = MemoryJournal()
    for key in ("a", "b"):
        for event in (intended(key), finished(key), saved(key)):
            journal.note(event)
    await journal.remember("manifest", "open")
    (tmp_path / "manifest.jsonl").write_text('{"id": "a", "sta')
    async with journal, Manifest(tmp_path).writing(journal):
        pass
    assert found(tmp_path) == [("a", "saved"), ("b", "saved")]


async def test_an_error_leaves_the_rest_to_the_next_run(tmp_path: Path) -> None:
    """A run that ends with an error keeps its lines, and the next one makes the file anew."""
    journal = MemoryJournal()
    with pytest.raises(ZeroDivisionError):
        await failing(journal, tmp_path)
    assert found(tmp_path) == [("a", "saved")]
    assert await journal.recall("manifest") == "open"
    journal.note(intended("b"))
    async with journal, Manifest(tmp_path).writing(journal):
        pass
    assert found(tmp_path) == [("a", "saved"), ("b", "unknown")]


async def failing(journal: Journal, directory: Path) -> None:
    async with Manifest(directory).writing(journal) as manifest:
        live(journal, manifest, "a", saved("a"))
        raise ZeroDivisionError


async def test_without_a_journal_lines_are_only_added(tmp_path: Path) -> None:
    """Without a journal nothing is made anew: later lines stand behind earlier ones, half a line is dropped."""
    for key in ("a", "b"):
        async with Manifest(tmp_path).writing(NoJournal("00000000")) as manifest:
            live(MemoryJournal(), manifest, key, saved(key))
        with (tmp_path / "manifest.jsonl").open("a") as file:
            file.write('{"id": "torn')
    assert found(tmp_path) == [("a", "saved"), ("b", "saved")]


async def test_lines_older_than_the_journal_are_kept(tmp_path: Path) -> None:
    """Where a journal was begun beside an older manifest, lines of items that it does not know stay."""
    async with Manifest(tmp_path).writing(NoJournal("00000000")) as manifest:
        live(MemoryJournal(), manifest, "old", saved("old"))
        live(MemoryJournal(), manifest, "both", finished("both"))
    journal = MemoryJournal()
    async with Manifest(tmp_path).writing(journal) as manifest:
        live(journal, manifest, "both", saved("both"))
    assert found(tmp_path) == [("both", "saved"), ("old", "saved")]


async def test_whole_last_line_without_its_end_is_kept(tmp_path: Path) -> None:
    """A last line that lacks only its end is a line."""
    record = apply(None, intended("a"))
    assert record is not None
    (tmp_path / "manifest.jsonl").write_text(manifest_line(record))
    assert found(tmp_path) == []
    async with Manifest(tmp_path).writing(NoJournal("00000000")):
        pass
    assert found(tmp_path) == [("a", "unknown")]


async def test_long_half_line_is_dropped_whole(tmp_path: Path) -> None:
    """Half a line longer than any buffer is dropped back to the end of the line before."""
    record = apply(None, intended("a"))
    assert record is not None
    (tmp_path / "manifest.jsonl").write_text(manifest_line(record) + "\n" + '{"id": "' + "x" * 200_000)
    async with Manifest(tmp_path).writing(NoJournal("00000000")):
        pass
    assert found(tmp_path) == [("a", "unknown")]
    assert (tmp_path / "manifest.jsonl").stat().st_size < 1000


async def test_many_items_in_pages(tmp_path: Path) -> None:
    """A manifest of more items than a page holds is made anew completely, in the journal's order."""
    keys = [f"item-{number}" for number in range(1300)]
    journal = MemoryJournal()
    for key in keys:
        journal.note(intended(key))
        journal.note(FailedForGood(key=key, error_type="ContentPolicyError", message="no", at=2.0))
    async with journal, Manifest(tmp_path).writing(journal):
        pass
    assert found(tmp_path) == [(key, "failed") for key in keys]


async def test_any_key_is_one_line(tmp_path: Path) -> None:
    """Keys and prompts with line ends and lone surrogates are one line each, and read back."""
    journal = MemoryJournal()
    event = attrs.evolve(intended("a\n\ud800\u2028"), request=ImageRequest("x\r\n\x85"))
    journal.note(event)
    async with journal, Manifest(tmp_path).writing(journal):
        pass
    assert found(tmp_path) == [("a\n\ud800\u2028", "unknown")]


async def test_what_the_disk_refuses(tmp_path: Path) -> None:
    """A directory in the manifest's place is told as the disk's refusal, with what to do."""
    (tmp_path / "manifest.jsonl").mkdir()
    with pytest.raises(StorageError, match="could not be written"):
        await Manifest(tmp_path).writing(NoJournal("00000000")).__aenter__()
    with pytest.raises(StorageError, match="not open"):
        Manifest(tmp_path).append("{}")


def test_missing_and_foreign_lines(tmp_path: Path) -> None:
    """A missing manifest has no lines; lines that are none of ours are passed over."""
    assert found(tmp_path) == []
    (tmp_path / "manifest.jsonl").write_bytes(b"hello\n\xff\n{}\n")
    assert found(tmp_path) == []
