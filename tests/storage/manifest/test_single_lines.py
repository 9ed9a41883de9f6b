"""Lines that are added to a manifest from outside its runs."""

import asyncio

import pytest

from toapis_async.errors import StorageError
from toapis_async.policy.money.recovery import apply
from toapis_async.storage.journal.memory_journal import MemoryJournal
from toapis_async.storage.manifest.manifest import Manifest, read_manifest
from toapis_async.storage.manifest.single_lines import add_line, was_added_to
from toapis_async.values.records import Intended
from toapis_async.values.requests import ImageRequest
from toapis_async.wire.manifest import manifest_line


def event(key):
    return Intended(key=key, attempt=1, client_business_id=f"r-{key}", request=ImageRequest(key), at=1.0)


def line(key):
    return manifest_line(apply(None, event(key)))


def keys(directory):
    return [entry.id for entry in read_manifest(directory)]


def test_a_new_manifest_is_private(tmp_path):
    """It is made for its owner only, and no journal is begun for it."""
    add_line(tmp_path / "out", line("a"))

    assert (tmp_path / "out" / "manifest.jsonl").stat().st_mode & 0o777 == 0o600
    assert not was_added_to(tmp_path / "out")
    assert keys(tmp_path / "out") == ["a"]


def test_an_unended_line_does_not_swallow_the_next(tmp_path):
    """What a killed run left of its last line stays by itself."""
    (tmp_path / "manifest.jsonl").write_text(line("a") + '\n{"id": "b", "sta')
    add_line(tmp_path, line("c"))

    assert keys(tmp_path) == ["a", "c"]


def test_a_link_is_not_followed(tmp_path):
    """Nothing is added to a file elsewhere."""
    (tmp_path / "other").write_text("")
    (tmp_path / "manifest.jsonl").symlink_to(tmp_path / "other")
    with pytest.raises(StorageError):
        add_line(tmp_path, line("a"))

    assert (tmp_path / "other").read_text() == ""


async def test_lines_stay_while_the_manifest_is_made_anew_again_and_again(tmp_path):
    """Whoever adds and whoever replaces the file never lose each other's lines."""
    (tmp_path / ".toapis").mkdir()
    journal = MemoryJournal()
    async with journal, Manifest(tmp_path).writing(journal) as manifest:
        journal.note(event("own"))

        async def add():
            for number in range(40):
                await asyncio.to_thread(add_line, tmp_path, line(f"added-{number}"))

        adding = asyncio.create_task(add())
        while not adding.done():
            await manifest.rebuild(journal)
        await adding
        await manifest.rebuild(journal)

    assert keys(tmp_path) == ["own", *(f"added-{number}" for number in range(40))]
