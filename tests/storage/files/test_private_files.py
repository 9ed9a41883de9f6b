"""Private files, and reading below a directory."""

import os
import stat
from pathlib import PurePath

import pytest

from toapis_async.errors import StorageError
from toapis_async.storage.files.private_files import make_private_directory, open_within, replace_private_text


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
