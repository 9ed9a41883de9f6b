"""A text file of lines that is added to line by line, and replaced as a whole."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from toapis_async.errors import StorageError
from toapis_async.storage.files.private_files import make_private_directory, open_own, open_private
from toapis_async.storage.files.refusals import storage_error
from toapis_async.storage.manifest.single_lines import lock

_CHUNK = 1 << 16


def read_lines(path: Path) -> Iterator[str]:
    """Read lines one by one, without their ends; a missing file has none, and an unended last line is left out.

    Raises:
        StorageError: the file cannot be read.

    """
    try:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line[:-1].decode("utf-8", "replace")
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error(error, path=str(path)) from error


class LineFile:
    """A file of lines, for one thread at a time.

    Args:
        path: of the file; its directory is made when missing.
        draft: where its replacement is written; on the same file system.
        is_whole: whether an unended last line is all there.

    """

    def __init__(self, path: Path, *, draft: Path, is_whole: Callable[[str], bool]) -> None:
        self._path = path
        self._draft_path = draft
        self._is_whole = is_whole
        self._descriptor: int | None = None
        self._draft: IO[bytes] | None = None

    def open(self) -> bool:
        """Open the file for adding, mend what a killed run left of a last line, and tell whether it has lines.

        Raises:
            StorageError: it cannot be opened.

        """
        with self._translated():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._draft_path.unlink(missing_ok=True)
            self._descriptor = open_own(self._path)
            self._mend(self._descriptor)
            return os.fstat(self._descriptor).st_size > 0

    def ends(self) -> list[str]:
        """Return the first line and the last one, as they are since ``open``; fewer where there are fewer.

        Raises:
            StorageError: the file cannot be read.

        """
        with self._translated(), self._path.open("rb") as file:
            first = file.readline()
            size = file.seek(0, os.SEEK_END)
            tail, start = b"", size
            while start > 0 and b"\n" not in tail[:-1]:
                end, start = start, max(0, start - _CHUNK)
                file.seek(start)
                tail = file.read(end - start) + tail
            last = tail.rstrip(b"\n").rpartition(b"\n")[2]
        return [line.rstrip(b"\n").decode("utf-8", "replace") for line in (first, last) if line]

    def write(self, lines: list[str]) -> None:
        """Add lines.

        Raises:
            StorageError: the disk refused.

        """
        if self._descriptor is None:
            raise StorageError(f"{self._path} is not open.", path=str(self._path))
        with self._translated():
            rest = memoryview(_joined(lines))
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def lock(self) -> None:
        """Keep others from adding to the file until it is replaced, or closed."""
        if self._descriptor is not None:
            lock(self._descriptor)

    def begin_draft(self) -> None:
        """Begin a replacement.

        Raises:
            StorageError: the disk refused.

        """
        with self._translated():
            make_private_directory(self._draft_path.parent)
            self._draft_path.unlink(missing_ok=True)
            self._draft = os.fdopen(open_private(self._draft_path), "wb")
            if self._descriptor is not None and hasattr(os, "fchmod"):
                # Whoever has opened the file to others, or closed it, finds it so again.
                os.fchmod(self._draft.fileno(), os.fstat(self._descriptor).st_mode & 0o777)

    def write_draft(self, lines: list[str]) -> None:
        """Add lines to the replacement.

        Raises:
            StorageError: the disk refused.

        """
        with self._translated():
            self._begun().write(_joined(lines))

    def publish_draft(self) -> None:
        """Put the replacement in the file's place, synced; lines are added to it from now on.

        Raises:
            StorageError: the disk refused; the old file is as it was.

        """
        with self._translated():
            draft = self._begun()
            draft.flush()
            os.fsync(draft.fileno())
            draft.close()
            self._draft = None
            if os.name == "nt":  # what is open cannot be replaced there
                self._close()
            self._draft_path.replace(self._path)
            self._close()
            self._descriptor = open_own(self._path)

    def close(self) -> None:
        """Close the file and drop an unfinished replacement."""
        if self._draft is not None:
            with contextlib.suppress(OSError):
                self._draft.close()
            self._draft = None
            with contextlib.suppress(OSError):  # the next run removes it
                self._draft_path.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _begun(self) -> IO[bytes]:
        if self._draft is None:
            raise StorageError(f"{self._draft_path} is not open.", path=str(self._draft_path))
        return self._draft

    def _mend(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        tail = b""
        start = size
        while start > 0 and b"\n" not in tail:
            end, start = start, max(0, start - _CHUNK)
            os.lseek(descriptor, start, os.SEEK_SET)
            tail = os.read(descriptor, end - start) + tail
        unended = tail.rpartition(b"\n")[2]
        if not unended:
            return
        if self._is_whole(unended.decode("utf-8", "replace")):
            os.write(descriptor, b"\n")
        else:
            os.ftruncate(descriptor, size - len(unended))

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise storage_error(error, path=str(self._path)) from error


def _joined(lines: list[str]) -> bytes:
    # A lone surrogate becomes the escape that JSON has for it.
    return "".join([f"{line}\n" for line in lines]).encode("utf-8", "backslashreplace")
