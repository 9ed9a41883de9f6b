"""Reading the user's own reference files, off the event loop."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TypeAlias

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


def _fingerprint(path: Path) -> Fingerprint:
    with _explained(path):
        found = path.stat()
    if not S_ISREG(found.st_mode):
        # Reading a pipe or a device may never end.
        what = "a directory" if S_ISDIR(found.st_mode) else "a pipe or device"
        raise InvalidRequestError.refused((f"reference {str(path)!r} is {what}, not a file",))
    return str(path), found.st_size, found.st_mtime_ns


def _read(path: Path) -> tuple[bytes, str]:
    size = _fingerprint(path)[1]
    if size > MOST_BYTES:
        raise InvalidRequestError.refused(
            (f"reference {str(path)!r} has {size:,} bytes; the gateway takes at most 10,000,000",)
        )
    with _explained(path):
        return path.read_bytes(), path.name


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
