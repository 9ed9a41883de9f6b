"""Reading the user's own files."""

import os

import pytest

from toapis_async.errors import InvalidRequestError
from toapis_async.storage.inputs.reference_files import MOST_BYTES, fingerprint_of, read_reference


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
        async with asyncio.timeout(5):
            await read_reference(path)
