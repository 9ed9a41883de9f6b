"""From bytes to a verified file under a name of its own."""

import logging

import pytest

from toapis_async.client.saving import FileTarget, save_bytes
from toapis_async.errors import ContentMismatchError
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.storage.files.memory_sink import MemorySink
from toapis_async.testing.gateway.pictures import Picture
from toapis_async.testing.gateway.small_files import small_png

FOX = small_png(Picture(prompt="fox", width=64, height=64, format="png", seed=1, label="a"), 500)
OWL = small_png(Picture(prompt="owl", width=64, height=64, format="png", seed=2, label="b"), 500)


async def test_bytes_are_saved_like_files(tmp_path):
    """Whoever has the bytes gets a verified file under the item's name; what is no picture is refused."""
    async with OutputDirectory(tmp_path) as directory:
        file = await save_bytes(FOX, FileTarget(sink=directory, stem="cat", index=1, count=2))
        with pytest.raises(ContentMismatchError, match="a page"):
            await save_bytes(b"<html>", FileTarget(sink=directory, stem="dog"))

    assert file.path == tmp_path / "cat~2.png"
    assert [path.name for path in tmp_path.iterdir()] == ["cat~2.png"]


async def test_a_strangers_file_keeps_its_name(caplog):
    """A file that is not ours stays; ours takes the next name, and the log says so."""
    sink = MemorySink()
    sink.contents = {"cat.png": b"MY OWN PHOTO", "cat~copy.png": b"AND ANOTHER"}
    with caplog.at_level(logging.WARNING, "toapis_async"):
        file = await save_bytes(FOX, FileTarget(sink=sink, stem="cat"))

    assert sink.contents == {"cat.png": b"MY OWN PHOTO", "cat~copy.png": b"AND ANOTHER", "cat~copy-2.png": FOX}
    assert file.name == "cat~copy-2.png"
    assert "cat~copy-2.png" in caplog.text


async def test_our_own_older_file_is_replaced():
    """A file that an earlier run made for the same item gives way, and only that one."""
    sink = MemorySink()
    sink.contents = {"cat.png": b"broken"}
    target = FileTarget(sink=sink, stem="cat", ours={"cat.png"})
    await save_bytes(OWL, target)

    assert sink.contents == {"cat.png": OWL}


async def test_a_file_that_is_there_already_is_taken_for_ours(caplog):
    """The same content under the same name is no stranger's: nothing is written twice, and nothing is said."""
    sink = MemorySink()
    for _ in range(2):
        assert (await save_bytes(FOX, FileTarget(sink=sink, stem="cat"))).name == "cat.png"

    assert sink.contents == {"cat.png": FOX}
    assert caplog.text == ""
