"""Prompt files on the disk."""

import os
import stat
import threading

import pytest

from toapis_async.errors import InvalidRequestError, StorageError
from toapis_async.storage.inputs.prompt_source import (
    PromptSource,
    is_seekable_file,
    pipe_form,
    settle,
    spool,
    wrong_reference_file,
)
from toapis_async.storage.inputs.text_files import replace_text
from toapis_async.wire.prompt_files import LONGEST_LINE_BYTES


def test_a_file_is_read_line_by_line(tmp_path):
    """Lines keep their ends, and can be read again."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\r\ntwo\nthree")
    source = PromptSource.named(str(path))

    assert list(source.lines()) == list(source.lines()) == [b"one\r\n", b"two\n", b"three"]
    assert (source.form, source.name) == ("txt", str(path))


def test_of_an_endless_line_only_the_beginning_is_read(tmp_path):
    """So much that it can be told to be too long."""
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(2 * LONGEST_LINE_BYTES)

    assert len(next(PromptSource.named(str(path)).lines())) == LONGEST_LINE_BYTES + 1


def test_references_begin_at_the_same_place_whatever_way_led_there(tmp_path, monkeypatch):
    """Names of items are made from it, so links and dots must not matter."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    ways = [str(folder / "a.txt"), "a.txt", "../folder/a.txt", str(tmp_path / "link" / "a.txt")]

    assert {PromptSource.named(way).directory for way in ways} == {str(folder.resolve())}


def test_a_file_that_vanishes(tmp_path):
    """Between checking and reading a file may go."""
    path = tmp_path / "a.txt"
    path.write_text("a")
    source = PromptSource.named(str(path))
    path.unlink()

    with pytest.raises(InvalidRequestError, match="cannot be read"):
        list(source.lines())


@pytest.mark.parametrize("name", ["gone.txt", "a\0b.txt", "x" * 300 + ".txt"])
def test_names_of_no_file(tmp_path, monkeypatch, name):
    """Whatever the system says about a name, it is our error."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidRequestError):
        PromptSource.named(name)


def test_a_pipe_is_copied(tmp_path):
    """What can be read only once is kept below the output directory."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert not is_seekable_file(pipe)
    assert PromptSource.named(str(pipe)).form == "jsonl"
    writer = threading.Thread(target=lambda: pipe.write_bytes(b'{"prompt": "a"}\n'))
    writer.start()
    copy = spool(pipe, tmp_path / "out")
    writer.join()
    kept = settle(copy)

    assert kept.read_bytes() == b'{"prompt": "a"}\n'
    assert [path.name for path in kept.parent.iterdir()] == ["input.lines"]


def test_the_form_of_a_pipe():
    """A pipe with a name of a known form has that form."""
    assert (pipe_form("/dev/fd/63"), pipe_form("x.csv")) == ("jsonl", "csv")


def test_a_copy_that_cannot_be_made(tmp_path):
    """A file in the place of a directory is the disk's refusal; a missing pipe is the user's mistake."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        spool(tmp_path / "file", tmp_path / "file")
    with pytest.raises(InvalidRequestError):
        spool(tmp_path / "gone", tmp_path / "out")
    with pytest.raises(StorageError):
        settle(tmp_path / "gone")


@pytest.mark.parametrize(
    ("head", "length", "kind", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 108, "image", None),
        (
            b"\x89PNG\r\n\x1a\n" + bytes(100),
            10_000_001,
            "image",
            "10,000,001 bytes; the gateway takes at most 10,000,000",
        ),
        (b"", 0, "image", "is empty"),
        (b"words", 5, "image", "is no JPEG, PNG"),
        (b"words", 5, "video", "is no MP4"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 108, "video", "is no MP4"),
    ],
)
def test_reference_files(tmp_path, head, length, kind, words):
    """Length and first bytes are looked at, not more."""
    path = tmp_path / "reference"
    path.write_bytes(head)
    with path.open("r+b") as file:
        file.truncate(length)
    found = wrong_reference_file(str(path), kind)

    assert found is None if words is None else words in found


def test_reference_files_that_are_none(tmp_path):
    """Missing files, directories and impossible names are told."""
    assert "does not exist" in wrong_reference_file(str(tmp_path / "gone.png"), "image")
    assert "is a directory" in wrong_reference_file(str(tmp_path), "image")
    assert "cannot be read" in wrong_reference_file("a\0b", "image")


def test_text_replaces_as_a_whole(tmp_path):
    """A text is there entirely or not at all; text that UTF-8 cannot hold is escaped."""
    path = tmp_path / "index.html"
    path.write_text("old")

    def breaks():
        yield "new"
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        replace_text(path, breaks())
    assert path.read_text() == "old"
    replace_text(path, ["né", "w\ud800"])
    assert path.read_text("utf-8") == "néw\\ud800"
    assert [one.name for one in tmp_path.iterdir()] == ["index.html"]
    with pytest.raises(StorageError):
        replace_text(tmp_path / "gone" / "index.html", ["new"])
    assert stat.S_IMODE(path.stat().st_mode) & 0o400
