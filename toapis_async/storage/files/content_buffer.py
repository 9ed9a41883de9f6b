"""The content of a file until it can be handed on: in memory, or on this machine's disk once it is large."""

import tempfile
from hashlib import sha256
from typing import IO

from toapis_async.storage.files.disk_threads import DiskThreads
from toapis_async.storage.files.refusals import storage_error

# To hash more than that takes the event loop's time for longer than a hop to a thread.
_HASHED_AT_ONCE = 262_144


class ContentBuffer:
    """Gathers bytes and their checksum.

    Args:
        threads: for what touches the disk or takes long.
        files: those that are open, for whoever ends the threads to close.
        spill_bytes: up to which length all of it is kept in memory.

    Attributes:
        length: in bytes, so far.

    """

    __slots__ = ("_chunks", "_digest", "_file", "_files", "_spill_bytes", "_threads", "length")

    def __init__(self, threads: DiskThreads, files: set[IO[bytes]], *, spill_bytes: int) -> None:
        self._threads = threads
        self._files = files
        self._spill_bytes = spill_bytes
        self._file: IO[bytes] | None = None
        self._forget()

    def _forget(self) -> None:
        self._chunks: list[bytes] = []
        self._digest = sha256()
        self.length: int = 0

    @property
    def sha256(self) -> str:
        """Of what there is so far, in hexadecimal."""
        return self._digest.hexdigest()

    @property
    def in_memory(self) -> bytes:
        """All of it; only while it is no longer than ``spill_bytes``."""
        if len(self._chunks) > 1:
            self._chunks = [b"".join(self._chunks)]
        return self._chunks[0] if self._chunks else b""

    def source(self) -> bytes | IO[bytes]:
        """Return all of it, to be read from its beginning."""
        if self._file is None:
            return self.in_memory
        self._file.seek(0)
        return self._file

    async def add(self, chunk: bytes) -> None:
        """Append.

        Raises:
            StorageError: this machine's directory for temporary files is full.

        """
        self.length += len(chunk)
        self._chunks.append(chunk)
        if self._file is not None or self.length > self._spill_bytes:
            try:
                await self._threads.run(lambda: self._spill(chunk))
            except OSError as error:
                raise storage_error(error, path=tempfile.gettempdir()) from error
        elif len(chunk) > _HASHED_AT_ONCE:
            await self._threads.run(lambda: self._digest.update(chunk))
        else:
            self._digest.update(chunk)

    def _spill(self, chunk: bytes) -> None:
        chunks, self._chunks = self._chunks, []
        if self._file is None:
            # Without a name: nothing is left of it when the process dies.
            self._file = tempfile.TemporaryFile(prefix="toapis-")  # noqa: SIM115 - it outlives this call
            self._files.add(self._file)
        self._file.seek(0, 2)
        for one in chunks:
            self._file.write(one)
        self._digest.update(chunk)

    async def clear(self) -> None:
        """Forget everything."""
        file, self._file = self._file, None
        self._forget()
        if file is not None:
            self._files.discard(file)
            await self._threads.run(file.close)
