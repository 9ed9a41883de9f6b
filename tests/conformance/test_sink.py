"""What every sink promises."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import attrs
import pytest

from toapis_async.ports.sink import Draft, Sink
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.storage.files.bucket_sink import BucketSink
from toapis_async.storage.files.memory_sink import MemorySink
from toapis_async.values.files import SavedFile

SIZES = [0, 7, 3_000_000]


@attrs.frozen
class Place:
    """A place that a sink keeps files in, and the way to look at it from outside.

    Attributes:
        open: opens a sink there; a second time it is the same place.
        names: what an outsider sees there.
        put: writes a file there behind the sink's back.

    """

    open: Callable[[], Sink]
    names: Callable[[], list[str]]
    put: Callable[[str, bytes | None], None]


class S3Server(Protocol):
    """See ``tests/s3_server.py``."""

    def new_bucket(self) -> tuple[str, dict[str, object]]: ...

    def names(self, address: str) -> list[str]: ...

    def put(self, address: str, name: str, content: bytes | None) -> None: ...


def directory(path: Path, *, durable: bool) -> Place:
    def put(name: str, content: bytes | None) -> None:
        path.mkdir(exist_ok=True)
        (path / name).unlink() if content is None else (path / name).write_bytes(content)

    def names() -> list[str]:
        visible = (entry.name for entry in path.iterdir()) if path.exists() else ()
        return sorted(name for name in visible if not name.startswith("."))

    return Place(lambda: OutputDirectory(path, durable=durable), names, put)


def memory() -> Place:
    sink = MemorySink()

    def put(name: str, content: bytes | None) -> None:
        if content is None:
            del sink.contents[name]
        else:
            sink.contents[name] = content

    return Place(lambda: sink, lambda: sorted(sink.contents), put)


def bucket(server: S3Server, **limits: int) -> Place:
    address, options = server.new_bucket()
    return Place(
        lambda: BucketSink(address, options, **limits),
        lambda: server.names(address),
        lambda name, content: server.put(address, name, content),
    )


LOCAL = ["directory", "hasty directory", "directory without links", "memory"]


@pytest.fixture(params=[*LOCAL, *(pytest.param(kind, marks=pytest.mark.s3) for kind in ("bucket", "bucket in parts"))])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Give each kind of place, empty."""
    if request.param.startswith("bucket"):
        server = request.getfixturevalue("s3")
        return bucket(server, largest_put_bytes=1000) if "parts" in request.param else bucket(server)
    if request.param == "memory":
        return memory()
    if request.param == "directory without links":

        def refuse(*args: object, **options: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr("os.link", refuse)
    return directory(tmp_path / "out", durable=request.param == "directory")


@asynccontextmanager
async def drafted(sink: Sink, *chunks: bytes) -> AsyncIterator[Draft]:
    draft = sink.draft("cat")
    try:
        for chunk in chunks:
            await draft.write(chunk)
        yield draft
    finally:
        await draft.discard()


async def saved(sink: Sink, content: bytes, name: str = "cat.png", *, replace: bool = False) -> SavedFile | None:
    async with drafted(sink, content) as draft:
        return await draft.publish(name, mime="image/png", width=3, height=2, replace=replace)


@pytest.mark.parametrize("size", SIZES)
async def test_a_file_is_what_was_written(place: Place, size: int) -> None:
    """Length, checksum and address are those of the content, and the facts that were given are carried."""
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    async with place.open() as sink, drafted(sink, content[:5], content[5:]) as draft:
        assert size == draft.bytes_written
        file = await draft.publish("cat.png", mime="image/png", width=3, height=2)

        assert file is not None
        assert (size, sha256(content).hexdigest()) == (file.bytes, file.sha256)
        assert (file.mime, file.width, file.height, file.name) == ("image/png", 3, 2, "cat.png")
        assert f"{sink.uri}/cat.png" == file.uri
        assert place.names() == ["cat.png"]


@pytest.mark.parametrize("size", SIZES)
async def test_a_draft_is_not_seen(place: Place, size: int) -> None:
    """Before it is published, and after it was given up, nobody finds a file."""
    async with place.open() as sink:
        async with drafted(sink, bytes(size)):
            assert place.names() == []
        assert place.names() == []


@pytest.mark.parametrize("size", SIZES)
async def test_a_restarted_draft_is_new(place: Place, size: int) -> None:
    """After a restart only the new bytes count."""
    async with place.open() as sink, drafted(sink, bytes(size)) as draft:
        await draft.restart()
        assert draft.bytes_written == 0
        await draft.write(b"new")
        file = await draft.publish("cat.png", mime="image/png")

    assert file is not None
    assert (3, sha256(b"new").hexdigest()) == (file.bytes, file.sha256)


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_there_stays(place: Place, size: int) -> None:
    """Another file under the name is not replaced; the draft is as it was, and can have another name."""
    place.put("cat.png", b"MY OWN PHOTO")
    content = bytes(size)
    async with place.open() as sink, drafted(sink, content) as draft:
        assert await draft.publish("cat.png", mime="image/png") is None
        assert size == draft.bytes_written
        file = await draft.publish("other.png", mime="image/png")
        own = SavedFile(uri="cat.png", bytes=12, sha256=sha256(b"MY OWN PHOTO").hexdigest(), mime="image/png")

        assert file is not None
        assert await sink.intact([[file], [own]]) == [True, True]

    assert place.names() == ["cat.png", "other.png"]


@pytest.mark.parametrize("size", SIZES)
async def test_the_same_content_is_the_same_file(place: Place, size: int) -> None:
    """Published twice under a name, equal content is one file, and intact by either account."""
    async with place.open() as sink:
        first, second = await saved(sink, bytes(size)), await saved(sink, bytes(size))

        assert first is not None
        assert first == second
        assert await sink.intact([[first]]) == [True]
        assert place.names() == ["cat.png"]


@pytest.mark.parametrize("size", SIZES)
async def test_only_what_may_be_replaced_is(place: Place, size: int) -> None:
    """With leave to replace, the new file takes the name."""
    place.put("cat.png", b"broken")
    async with place.open() as sink:
        file = await saved(sink, bytes(size), replace=True)

        assert file is not None
        assert await sink.intact([[file]]) == [True]
    assert place.names() == ["cat.png"]


async def test_of_many_at_once_one_has_the_name(place: Place) -> None:
    """However many want a name at the same time, one gets it, and it is whole."""
    async with place.open() as sink:
        files = await asyncio.gather(*(saved(sink, b"%d" % number) for number in range(20)))

        (winner,) = [file for file in files if file is not None]
        assert await sink.intact([[winner]]) == [True]
    assert place.names() == ["cat.png"]


async def test_changed_and_missing_files_are_noticed(place: Place) -> None:
    """An item is intact when all its files are there with their content; what moved with its place still is."""
    async with place.open() as sink:
        kept, changed, gone = [await saved(sink, b"one", f"{name}.png") for name in "abc"]
        assert kept is not None
        assert changed is not None
        assert gone is not None
        place.put("b.png", b"two")
        place.put("c.png", None)
        moved = attrs.evolve(kept, uri="/elsewhere/a.png")

        items = [[kept], [changed], [gone], [kept, changed], [moved], []]
        assert await sink.intact(items) == [True, False, False, False, True, True]


@pytest.mark.parametrize("size", SIZES)
async def test_a_draft_that_was_cut_off_is_cleaned_up(place: Place, size: int) -> None:
    """What a run left that died is never a file; cleaning up removes it and no file. With others about, it waits."""
    async with place.open() as sink:
        file = await saved(sink, b"kept", "kept.png")
        assert file is not None
        await sink.draft("cat").write(bytes(size))  # and never again

    async with place.open() as sink:
        assert place.names() == ["kept.png"]
        assert await sink.clean_up(alone=False) == 0
        await sink.clean_up(alone=True)
        assert await sink.clean_up(alone=True) == 0
        assert await sink.intact([[file]]) == [True]
    assert place.names() == ["kept.png"]


@pytest.mark.parametrize("size", SIZES)
async def test_cancelled_at_any_moment_a_file_is_whole_or_not_there(place: Place, size: int) -> None:
    """Whoever is cancelled while publishing leaves the whole file or none."""
    content = b"y" * size
    async with place.open() as sink:
        for turns in range(8):
            name = f"{turns}.png"
            task = asyncio.ensure_future(saved(sink, content, name))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            whole = SavedFile(uri=name, bytes=size, sha256=sha256(content).hexdigest(), mime="")
            if name in place.names():
                assert await sink.intact([[whole]]) == [True]


def test_every_default_is_a_sink(tmp_path: Path) -> None:
    """The implementations fit the protocol by their types."""
    kinds: list[Callable[[], Sink]] = [lambda: OutputDirectory(tmp_path), MemorySink]
    assert [OutputDirectory("out").uri, kinds[1]().uri] == ["out", "memory://sink"]


Opened = Callable[[], Awaitable[Sink]]
