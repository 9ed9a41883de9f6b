"""The sink that is a bucket: ``s3://``, ``gs://`` or ``az://``, through obstore (extra ``cloud``).

An object is there whole or not at all, by the store's own promise. A new one of up to 16 MiB is put under the condition
that its name is free, so that of many writers one has the name; a larger one goes up in parts after a look. Of a run
that is killed meanwhile the store may keep hidden parts: give the bucket a lifecycle rule that removes incomplete
uploads after a day.
"""

import asyncio
import os
import re
from collections.abc import Coroutine, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self, TypeVar

from toapis_async.errors import ConfigurationError
from toapis_async.shielding import wait_shielded
from toapis_async.storage.files.bucket_refusals import absent_is_none, taken_is_false, translated
from toapis_async.storage.files.bucket_stores import obstore, store_at
from toapis_async.storage.files.content_buffer import ContentBuffer
from toapis_async.storage.files.disk_threads import DiskThreads
from toapis_async.storage.files.private_files import open_private
from toapis_async.values.files import SavedFile

if TYPE_CHECKING:
    from obstore import GetResult

T = TypeVar("T")

LARGEST_PUT_BYTES = 16 * 1_048_576
_LOOKS_AT_ONCE = 32
_CHECKSUM = "sha256"
_ADDRESS = re.compile(r"(s3|s3a|gs|az|azure|abfs|abfss)://[^/?#@]+(/[^?#]*)?\Z")


def is_bucket(address: str) -> bool:
    """Tell whether this is the address of a bucket, without a key, a query or anything else that is not its place."""
    return _ADDRESS.match(address) is not None


class BucketSink:
    """Keeps files as objects below an address.

    The checksum goes along as the object's attribute ``sha256``; a resumed run compares it, and the length, without
    fetching anything. Only an object that somebody else put there, without the attribute, is read.

    Args:
        uri: such as ``s3://bucket/july``.
        options: obstore's own keys, those of the store and of its HTTP client in one mapping; secrets belong into the
            environment, or here, never into ``uri``.
        largest_put_bytes: up to which length a file is kept in memory and goes up at once.

    Raises:
        ConfigurationError: obstore is missing, or does not take the address or an option.

    """

    def __init__(
        self,
        uri: str,
        options: Mapping[str, object] | None = None,
        *,
        largest_put_bytes: int = LARGEST_PUT_BYTES,
    ) -> None:
        if not is_bucket(uri):
            raise ConfigurationError(
                "That is not the address of a bucket.",
                hint="Write it as s3://BUCKET/PREFIX, gs://… or az://…; keys go into the environment or store_options.",
            )
        self.uri: str = uri.rstrip("/")
        self.largest_put_bytes = largest_put_bytes
        self._store = store_at(self.uri, options or {})
        self._threads = DiskThreads(2)
        self._open_files: set[IO[bytes]] = set()

    def __repr__(self) -> str:
        return f"BucketSink({self.uri!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._threads.close()
        while self._open_files:
            self._open_files.pop().close()

    def draft(self, stem: str) -> "BucketDraft":
        """Begin a file; nothing leaves this machine before it is published."""
        return BucketDraft(self, ContentBuffer(self._threads, self._open_files, spill_bytes=self.largest_put_bytes))

    async def intact(self, items: Sequence[Sequence[SavedFile]]) -> list[bool]:
        """See ``Sink.intact``."""
        free = asyncio.Semaphore(_LOOKS_AT_ONCE)

        async def one(files: Sequence[SavedFile]) -> bool:
            for file in files:
                async with free:
                    if not await self.holds(file.name, length=file.bytes, checksum=file.sha256):
                        return False
            return True

        return list(await asyncio.gather(*map(one, items)))

    async def clean_up(self, *, alone: bool) -> int:
        """Do nothing: drafts never leave this machine, and what the store hides it does not list."""
        return 0

    async def holds(self, name: str, *, length: int, checksum: str) -> bool:
        """Tell whether an object has this very content.

        Raises:
            StorageError: it could not be found out.

        """
        found = await self._look(name, head=True)
        if found is None or found.meta["size"] != length:
            return False
        told = found.attributes.get(_CHECKSUM)
        return checksum == (await self._read_checksum(name) if told is None else told)

    async def put(self, name: str, content: ContentBuffer, *, mime: str, replace: bool) -> bool:
        """Put an object, and tell whether it is there now; False where another one has the name and stays.

        Raises:
            StorageError: it could not be put.

        """
        attributes = {"Content-Type": mime, _CHECKSUM: content.sha256}
        if not replace and content.length <= self.largest_put_bytes:
            with translated(f"{self.uri}/{name}"):
                if await taken_is_false(
                    obstore().put_async(
                        self._store, name, content.in_memory, mode="create", use_multipart=False, attributes=attributes
                    )
                ):
                    return True
            return await self.holds(name, length=content.length, checksum=content.sha256)
        if not replace and await self._look(name, head=True) is not None:
            return await self.holds(name, length=content.length, checksum=content.sha256)
        with translated(f"{self.uri}/{name}"):
            await obstore().put_async(self._store, name, content.source(), attributes=attributes)
        return True

    async def keep_copy(self, path: Path) -> None:
        """Put a file of this machine, as far as it is written, in the place of the object with its name.

        Raises:
            StorageError: it could not be put.

        """
        with translated(f"{self.uri}/{path.name}"):
            attributes = {"Content-Type": "application/x-ndjson"}
            file = await self._threads.run(lambda: path.open("rb"))
            try:
                await _to_its_end(obstore().put_async(self._store, path.name, file, attributes=attributes))
            finally:
                await self._threads.run(file.close)

    async def fetch_copy(self, path: Path) -> bool:
        """Fetch the object with the name of a file of this machine, and tell whether there was one.

        Raises:
            StorageError: it could not be fetched.

        """
        found = await self._look(path.name, head=False)
        if found is None:
            return False
        with translated(f"{self.uri}/{path.name}"):
            draft = path.with_name(f".{path.name}.fetched")
            await self._threads.run(lambda: _begin_private(draft))
            async for chunk in found.stream():
                await self._threads.run(lambda chunk=chunk: _append(draft, bytes(chunk)))  # type: ignore[misc]
            await self._threads.run(lambda: draft.replace(path))
        return True

    async def _look(self, name: str, *, head: bool) -> "GetResult | None":
        with translated(f"{self.uri}/{name}"):
            return await absent_is_none(obstore().get_async(self._store, name, options={"head": head}))

    async def _read_checksum(self, name: str) -> str | None:
        found = await self._look(name, head=False)
        if found is None:
            return None
        digest = sha256()
        with translated(f"{self.uri}/{name}"):
            async for chunk in found.stream():
                await self._threads.run(lambda chunk=chunk: digest.update(chunk))  # type: ignore[misc]
        return digest.hexdigest()


class BucketDraft:
    """A file on its way into a bucket; see ``Draft``."""

    __slots__ = ("_content", "_sink")

    def __init__(self, sink: BucketSink, content: ContentBuffer) -> None:
        self._sink = sink
        self._content = content

    @property
    def bytes_written(self) -> int:
        """See ``Draft.bytes_written``."""
        return self._content.length

    async def write(self, chunk: bytes) -> None:
        """See ``Draft.write``."""
        await self._content.add(chunk)

    async def restart(self) -> None:
        """See ``Draft.restart``."""
        await self._content.clear()

    async def publish(
        self, name: str, *, mime: str, width: int | None = None, height: int | None = None, replace: bool = False
    ) -> SavedFile | None:
        """See ``Draft.publish``. Cancelled, it sees an upload that was begun to its end: nothing is left in parts."""
        content = self._content
        if not await _to_its_end(self._sink.put(name, content, mime=mime, replace=replace)):
            return None
        file = SavedFile(
            uri=f"{self._sink.uri}/{name}",
            bytes=content.length,
            sha256=content.sha256,
            mime=mime,
            width=width,
            height=height,
        )
        await content.clear()
        return file

    async def discard(self) -> None:
        """See ``Draft.discard``."""
        await self.restart()


async def _to_its_end(work: "Coroutine[object, object, T]") -> T:
    """Do what must not be left half done, however often whoever waits is cancelled."""
    task = asyncio.ensure_future(work)
    await wait_shielded([task])
    return task.result()


def _begin_private(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.close(open_private(path))


def _append(path: Path, chunk: bytes) -> None:
    with path.open("ab") as file:
        file.write(chunk)
