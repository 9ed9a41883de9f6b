"""Private files, and reading below a directory."""

import os
import stat
from pathlib import PurePath

import pytest

from toapis_async.clock import SystemClock
from toapis_async.errors import JournalError, StorageError
from toapis_async.storage.files.private_files import make_private_directory, open_within, replace_private_text
from toapis_async.storage.journal.no_journal import NoJournal
from toapis_async.storage.journal.sqlite_journal import SqliteJournal
from toapis_async.storage.manifest.manifest import Manifest
from toapis_async.values.records import Intended
from toapis_async.values.requests import ImageRequest

INTENDED = Intended(key="a", attempt=1, client_business_id="c", request=ImageRequest("private"), at=1.0)


def test_a_text_replaces_a_link_and_not_its_target(tmp_path):
    """What a link leads to is neither emptied nor written, and the new file is its owner's only."""
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "ours").symlink_to(tmp_path / "theirs")

    replace_private_text(tmp_path / "ours", ["né", "w\ud800"])

    assert (tmp_path / "theirs").read_text() == "theirs"
    assert (tmp_path / "ours").read_bytes() == "néw\\ud800".encode()
    assert stat.S_IMODE((tmp_path / "ours").lstat().st_mode) == 0o600


def test_a_refused_text_leaves_what_was_there(tmp_path):
    """The old file stays and no draft is left when the chunks cannot be written."""

    def breaks():
        yield "new"
        raise OSError(28, "No space left on device")

    (tmp_path / "page").write_text("old")
    with pytest.raises(StorageError):
        replace_private_text(tmp_path / "page", breaks())
    with pytest.raises(StorageError):
        replace_private_text(tmp_path / "none" / "page", ["new"])

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("page", "old")]


def test_a_private_directory_shuts_others_out(tmp_path):
    """One that is there is closed to others; a link or a file in its place is refused."""
    (tmp_path / "open").mkdir(mode=0o755)
    make_private_directory(tmp_path / "open")
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o700

    (tmp_path / "link").symlink_to(tmp_path / "open")
    (tmp_path / "file").write_text("x")
    for name in ("link", "file"):
        with pytest.raises(StorageError):
            make_private_directory(tmp_path / name)


def test_only_ordinary_files_below_are_opened(tmp_path):
    """Links on the way and at the end, pipes and directories are refused; nothing waits for a pipe."""
    (tmp_path / "run" / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "run" / "sub" / "good").write_text("good")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "run" / "way").symlink_to(tmp_path / "run" / "sub")
    os.mkfifo(tmp_path / "run" / "pipe")

    descriptor = open_within(tmp_path / "run", PurePath("sub/good"))
    try:
        assert os.read(descriptor, 9) == b"good"
    finally:
        os.close(descriptor)
    for name in ("link", "way/good", "pipe", "sub", "none", "none/good"):
        with pytest.raises(OSError):
            open_within(tmp_path / "run", PurePath(name))


@pytest.fixture
def usual_umask():
    """Files are made under the umask that most machines have."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.mark.usefixtures("usual_umask")
async def test_journal_and_manifest_are_the_owners(tmp_path):
    """While a run is open and after it: the directory 0700, everything in it and the manifest 0600."""
    async with SqliteJournal(tmp_path / "out", clock=SystemClock()) as journal:
        await journal.record(INTENDED)
        async with Manifest(tmp_path / "out").writing(journal) as manifest:
            manifest.append("{}")
            await manifest.rebuild(journal)
            hidden = list((tmp_path / "out" / ".toapis").iterdir())
            assert {path.name for path in hidden} >= {"journal.sqlite3", "journal.sqlite3-wal", "journal.sqlite3-shm"}
            assert {rights(path) for path in hidden if path.name != "lock"} == {"0o600"}
    assert rights(tmp_path / "out" / ".toapis") == "0o700"
    assert rights(tmp_path / "out" / "manifest.jsonl") == "0o600"


async def test_what_an_earlier_version_left_open_is_closed(tmp_path):
    """Hidden files are closed to others; the manifest keeps what its owner has chosen, when it is made anew too."""
    async with SqliteJournal(tmp_path, clock=SystemClock()):
        pass
    (tmp_path / ".toapis").chmod(0o755)
    (tmp_path / ".toapis" / "journal.sqlite3").chmod(0o644)
    (tmp_path / "manifest.jsonl").touch(0o640)
    async with SqliteJournal(tmp_path, clock=SystemClock()) as journal, Manifest(tmp_path).writing(journal) as manifest:
        await manifest.rebuild(journal)
    assert rights(tmp_path / ".toapis") == "0o700"
    assert rights(tmp_path / ".toapis" / "journal.sqlite3") == "0o600"
    assert rights(tmp_path / "manifest.jsonl") == "0o640"


@pytest.mark.parametrize("name", ["", "/journal.sqlite3", "/journal.sqlite3-wal"])
async def test_a_link_in_place_of_the_journal(tmp_path, name):
    """A link is refused with what to do; its target, and the directory that it leads to, stay as they were."""
    target = tmp_path / "target"
    place = tmp_path / "out" / f".toapis{name}"
    place.parent.mkdir(parents=True)
    target.write_bytes(b"mine") if name else target.mkdir()
    place.symlink_to(target)
    with pytest.raises((JournalError, StorageError), match="symbolic link"):
        async with SqliteJournal(tmp_path / "out", clock=SystemClock()):
            pass
    assert (target.read_bytes() == b"mine") if name else not list(target.iterdir())


@pytest.mark.parametrize("there", [True, False])
async def test_a_link_in_place_of_the_manifest(tmp_path, there):
    """A manifest that is a link, to something or to nothing, is not written through."""
    target = tmp_path / "target"
    if there:
        target.write_text("mine")
    (tmp_path / "manifest.jsonl").symlink_to(target)
    with pytest.raises(StorageError, match="symbolic link"):
        async with Manifest(tmp_path).writing(NoJournal("0" * 8)):
            pass
    assert target.exists() == there
    assert not there or target.read_text() == "mine"
