"""Reading the user's own files."""

import os
import socket
import stat
from pathlib import Path

import pytest

from toapis_async.errors import InvalidRequestError
from toapis_async.storage.inputs.prompt_source import PromptSource, wrong_reference_file
from toapis_async.storage.inputs.reference_files import MOST_BYTES, fingerprint_of, open_plain_file, read_reference


async def test_a_file_is_read_with_its_name(tmp_path):
    """The bytes and the bare name come back, for paths and texts."""
    path = tmp_path / "кот.png"
    path.write_bytes(b"picture")
    assert (b"picture", "кот.png") == await read_reference(path) == await read_reference(str(path))


async def test_a_changed_file_has_another_fingerprint(tmp_path):
    """Length or time of change tell a changed file without reading it."""
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    first = await fingerprint_of(path)
    assert first == await fingerprint_of(path)
    os.utime(path, ns=(5, 5))
    second = await fingerprint_of(path)
    path.write_bytes(b"longer")
    assert len({first, second, await fingerprint_of(path)}) == 3


@pytest.mark.parametrize("read", [fingerprint_of, read_reference])
async def test_what_cannot_be_read_is_named(tmp_path, read):
    """A missing file, a folder and an impossible name are mistakes in the request, told with their path."""
    for path, words in [
        (tmp_path / "missing.png", "does not exist"),
        (tmp_path, "is a directory"),
        ("nul\0byte", "cannot be read"),
        (tmp_path / "missing.png" / "below", "does not exist|cannot be read"),
    ]:
        with pytest.raises(InvalidRequestError, match=words) as caught:
            await read(path)
        assert caught.value.http_status is None


async def test_a_mistyped_path_does_not_fill_the_memory(tmp_path):
    """A file larger than anything the gateway takes is refused unread."""
    path = tmp_path / "film.bin"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InvalidRequestError, match="bytes"):
        await read_reference(path)


async def test_a_pipe_is_not_waited_for(tmp_path):
    """Something that is no plain file is refused; reading it could block for ever."""
    import asyncio

    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(InvalidRequestError):
        async with asyncio.timeout(120):
            await read_reference(path)


@pytest.fixture(params=["pipe", "socket", "/dev/zero", "/dev/full", "link to a pipe"])
def unending(request, tmp_path):
    """Give the path of something that can be opened and is no file."""
    if request.param.startswith("/"):
        return request.param
    path = tmp_path / "thing"
    if request.param == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
        return path
    os.mkfifo(path)
    if request.param == "pipe":
        return path
    (tmp_path / "link").symlink_to(path)
    return tmp_path / "link"


async def test_what_is_no_file_is_not_opened(unending):
    """Pipes, sockets and devices are refused by what they are, in the first reading and before an upload alike."""
    for read in (fingerprint_of, read_reference):
        with pytest.raises(InvalidRequestError, match=r"is a (pipe|socket|device), not a file"):
            await read(unending)
    for kind in ("image", "video"):
        assert ", not a file" in wrong_reference_file(str(unending), kind)


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path, monkeypatch):
    """What was a file when it was looked at and is a pipe when it is opened is refused all the same."""
    plain, pipe = tmp_path / "plain", tmp_path / "pipe"
    plain.write_bytes(b"picture")
    os.mkfifo(pipe)
    monkeypatch.setattr(Path, "stat", lambda _: os.lstat(plain))
    with pytest.raises(InvalidRequestError, match="a pipe"):
        open_plain_file(pipe)


def test_prompts_that_would_never_end(unending):
    """A device or socket is no prompt file; a pipe is one, since it ends."""
    if stat.S_ISFIFO(Path(unending).stat().st_mode):
        assert PromptSource.named(str(unending)).form == "jsonl"
        return
    with pytest.raises(InvalidRequestError, match="may never end"):
        PromptSource.named(str(unending))
