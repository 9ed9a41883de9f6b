"""Reading the user's own reference files: looked at before they are opened, and read off the event loop.

Opening a pipe waits for a writer and reading a device may never end, so nothing but a plain file is opened.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISREG, S_ISSOCK
from typing import BinaryIO, TypeAlias

from toapis_async.errors import InvalidRequestError

# Nothing that the gateway takes is larger (videos, 50 MB); a mistyped path must not fill the memory.
MOST_BYTES = 64_000_000


Fingerprint: TypeAlias = tuple[str, int, int]
"""Path, length and modification time: enough to know a file again without reading it."""


async def fingerprint_of(path: str | os.PathLike[str]) -> Fingerprint:
    """Return what tells an unchanged file.

    Raises:
        InvalidRequestError: it is missing, no file, or not readable.

    """
    return await asyncio.to_thread(_fingerprint, Path(path))


async def read_reference(path: str | os.PathLike[str]) -> tuple[bytes, str]:
    """Return a file's bytes and its name.

    Raises:
        InvalidRequestError: it is missing, no file, too large or not readable.

    """
    return await asyncio.to_thread(_read, Path(path))


def open_plain_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a plain file for reading, and nothing else; never waits for anybody.

    Raises:
        InvalidRequestError: it is a directory, a pipe, a device or a socket.
        OSError: it is missing or not readable.
        ValueError: no path can be like that.

    """
    # Before the opening, since opening a device may do something; after it, since the name may stand for another
    # thing by then. A pipe that slips in between is opened without waiting for its writer.
    _require_plain(path, Path(path).stat())
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _require_plain(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def kind_of_file(mode: int) -> str:
    """Name what a mode of ``os.stat()`` stands for: ``a file``, ``a directory``, ``a pipe`` and so on."""
    kinds = (
        (S_ISREG, "a file"),
        (S_ISDIR, "a directory"),
        (S_ISFIFO, "a pipe"),
        (S_ISSOCK, "a socket"),
        (S_ISCHR, "a device"),
        (S_ISBLK, "a device"),
    )
    return next((name for holds, name in kinds if holds(mode)), "something else")


def _require_plain(path: str | os.PathLike[str], found: os.stat_result) -> None:
    if not S_ISREG(found.st_mode):
        what = kind_of_file(found.st_mode)
        raise InvalidRequestError.refused((f"reference {os.fspath(path)!r} is {what}, not a file",))


def _fingerprint(path: Path) -> Fingerprint:
    with _explained(path):
        found = path.stat()
        _require_plain(path, found)
    return str(path), found.st_size, found.st_mtime_ns


def _read(path: Path) -> tuple[bytes, str]:
    size = _fingerprint(path)[1]
    if size > MOST_BYTES:
        raise InvalidRequestError.refused(
            (f"reference {str(path)!r} has {size:,} bytes; the gateway takes at most 10,000,000",)
        )
    with _explained(path), open_plain_file(path) as file:
        data = file.read(MOST_BYTES + 1)
    return data, path.name


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InvalidRequestError.refused(
            (f"reference {str(path)!r} does not exist (looked in {str(Path.cwd())!r})",)
        ) from None
    except (OSError, ValueError) as error:
        raise InvalidRequestError.refused((f"reference {str(path)!r} cannot be read: {error}",)) from error
