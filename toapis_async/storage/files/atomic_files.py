"""Files that are there whole or not at all.

A file is written under a temporary name in its own directory, synced, renamed, and the directory synced. All disk
work happens in threads; a file under 1 MiB takes one hop to a thread and back.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Self, TypeVar

from toapis_async.clock import SystemClock
from toapis_async.storage.files.batch_thread import BatchThread
from toapis_async.storage.files.disk_threads import DiskThreads
from toapis_async.storage.files.draft_file import DirectoryNames, DraftFile
from toapis_async.storage.files.refusals import storage_error
from toapis_async.storage.files.verifying import is_intact
from toapis_async.values.files import SavedFile

T = TypeVar("T")

_FLUSH_BYTES = 1_048_576
# A draft that nobody has written to for that long has no run any more; a slow host is given up long before.
_ABANDONED_SECONDS = 86_400.0


class OutputDirectory:
    """The sink that is a directory. Made when the first file is written. ``async with`` ends its threads.

    Args:
        path: as the user gave it; a ``SavedFile.uri`` begins with it.
        durable: sync files and directory, so that a file that is reported saved survives a power cut.
        threads: how many operations on large files may happen at once; small files share a thread of their own.

    """

    def __init__(self, path: str | os.PathLike[str], *, durable: bool = True, threads: int = 4) -> None:
        self.path: Path = Path(path)
        self.durable = durable
        self._names = DirectoryNames(self.path.absolute(), durable=durable)
        self._saver = BatchThread(self._names.sync)
        self._threads = DiskThreads(threads)
        run = secrets.token_hex(4)
        self._tokens = (f"{run}{number:x}" for number in count())

    @property
    def uri(self) -> str:
        """The path as the user gave it."""
        return str(self.path)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._saver.close()
        self._threads.close()
        self._names.close()

    def draft(self, stem: str) -> "FileDraft":
        """Begin a file; nothing touches the disk before there is something to write."""
        file = DraftFile(self._names, temporary=f".{stem}.{next(self._tokens)}.part")
        return FileDraft(self, file)

    async def intact(self, items: Sequence[Sequence[SavedFile]]) -> list[bool]:
        """See ``Sink.intact``.

        Length and modification time as recorded are enough; when only the time differs, the content is hashed.
        """
        return await self.hop(lambda: [all(is_intact(file, self.path) for file in files) for files in items])

    async def clean_up(self, *, alone: bool) -> int:
        """See ``Sink.clean_up``."""
        return await self.hop(lambda: self._remove_stale(alone=alone))

    async def hop(self, job: Callable[[], T]) -> T:
        """Do disk work in a thread.

        Raises:
            StorageError: the disk refused.

        """
        try:
            return await self._threads.run(job)
        except OSError as error:
            raise storage_error(error, path=str(self.path)) from error

    async def publish(
        self, file: DraftFile, chunks: Sequence[bytes], name: str, *, replace: bool
    ) -> tuple[str, int] | None:
        """Write the rest of a file, sync it and give it its name; return its sha256 and modification time.

        Returns:
            None where another file has the name and stays.

        Raises:
            StorageError: the disk refused.

        """
        try:
            if not file.touched:
                finish = partial(file.publish, name, replace=replace)
                return await self._saver.run(lambda: _prepare(file, chunks), finish)
            return await self._threads.run(lambda: self._publish_large(file, chunks, name, replace=replace))
        except OSError as error:
            raise storage_error(error, path=str(self.path / name)) from error

    def _publish_large(
        self, file: DraftFile, chunks: Sequence[bytes], name: str, *, replace: bool
    ) -> tuple[str, int] | None:
        file.append(chunks)
        published = file.publish(name, replace=replace)
        self._names.sync()
        return published

    def _remove_stale(self, *, alone: bool) -> int:
        before = None if alone else SystemClock().now() - _ABANDONED_SECONDS
        stale = self._names.stale(before=before)
        for name in stale:
            self._names.unlink(name)
        return len(stale)


class FileDraft:
    """A file on its way into a directory; see ``Draft``.

    Attributes:
        bytes_written: how many there are so far.

    """

    __slots__ = ("_directory", "_file", "_waiting", "_waiting_bytes", "bytes_written")

    def __init__(self, directory: OutputDirectory, file: DraftFile) -> None:
        self._directory = directory
        self._file = file
        self._forget()

    def _forget(self) -> None:
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self.bytes_written: int = 0

    async def write(self, chunk: bytes) -> None:
        """Append; goes to the disk when 1 MiB has gathered.

        Raises:
            StorageError: the disk refused.

        """
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        self.bytes_written += len(chunk)
        if self._waiting_bytes >= _FLUSH_BYTES:
            chunks, self._waiting, self._waiting_bytes = self._waiting, [], 0
            await self._directory.hop(lambda: self._file.append(chunks))

    async def restart(self) -> None:
        """Forget everything that was written."""
        self._forget()
        if self._file.touched:
            await self._directory.hop(self._file.remove)

    async def publish(
        self, name: str, *, mime: str, width: int | None = None, height: int | None = None, replace: bool = False
    ) -> SavedFile | None:
        """See ``Draft.publish``."""
        published = await self._directory.publish(self._file, self._waiting, name, replace=replace)
        if published is None:
            self._waiting, self._waiting_bytes = [], 0
            return None
        self._waiting = []
        sha256, mtime_ns = published
        return SavedFile(
            uri=self._directory.path / name,
            bytes=self.bytes_written,
            sha256=sha256,
            mime=mime,
            width=width,
            height=height,
            mtime_ns=mtime_ns,
        )

    async def discard(self) -> None:
        """Remove what was written, if anything; does nothing after ``publish``."""
        await self.restart()


def _prepare(file: DraftFile, chunks: Sequence[bytes]) -> None:
    file.append(chunks)
    file.begin_sync()
