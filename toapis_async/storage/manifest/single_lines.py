"""A line added to a manifest from outside a run, which may be under way in the same directory.

A run that makes its manifest anew knows its own items only. So whoever adds a line leaves a mark beside the journal
first, and both do so under a lock on the manifest: what is added is carried over, and never lands in a file that has
just been replaced.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from toapis_async.storage.files.private_files import open_own
from toapis_async.storage.files.refusals import storage_error

try:
    import fcntl
except ImportError:  # Windows, where a file that is open is not replaced
    fcntl = None  # type: ignore[assignment]

_JOURNALS = ".toapis"
_MARK = "manifest.added"


def add_line(directory: Path, line: str) -> None:
    """Add a line, without its line end, to ``manifest.jsonl``, which is made for its owner only where it is missing.

    Blocks.

    Raises:
        StorageError: the disk refused.

    """
    path = directory / "manifest.jsonl"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _open_and_locked(path) as descriptor:
            if (directory / _JOURNALS).is_dir():
                os.close(open_own(directory / _JOURNALS / _MARK))
            rest = memoryview(f"{line}\n".encode("utf-8", "backslashreplace"))
            if not _is_ended(descriptor):  # a killed run's last line; its rest is passed over by every reader
                rest = memoryview(b"\n" + rest)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
    except OSError as error:
        raise storage_error(error, path=str(path)) from error


def was_added_to(directory: Path) -> bool:
    """Tell whether a manifest has lines that were added from outside its runs."""
    return (directory / _JOURNALS / _MARK).exists()


def lock(descriptor: int) -> None:
    """Hold an open manifest, until it is closed, against everybody else who adds from outside or replaces it."""
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextlib.contextmanager
def _open_and_locked(path: Path) -> Iterator[int]:
    """Open a manifest and lock it: the one that has its name now, and not one that was replaced meanwhile."""
    while True:
        descriptor = open_own(path)
        try:
            lock(descriptor)
            if _is_at(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _is_ended(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    if not size:
        return True
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"
