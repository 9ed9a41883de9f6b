"""Files of ours that only their owner may read, and reading what lies in a directory without leaving it."""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path, PurePath

from toapis_async.errors import StorageError
from toapis_async.storage.files.refusals import storage_error

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def make_private_directory(path: Path) -> None:
    """Make a directory, or take one that is there, and keep others out (0700).

    Raises:
        StorageError: the disk refused, or a symbolic link or a file is in its place.

    """
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        if path.is_symlink():
            raise StorageError(
                f"{path} is a symbolic link, which is not followed.",
                path=str(path),
                hint="Move it away, and try again.",
            )
        close_to_others(path)
    except OSError as error:
        raise storage_error(error, path=str(path)) from error


def close_to_others(path: Path) -> None:
    """Take a file or directory of ours from everybody else, if an earlier version has left it open to them.

    Raises:
        OSError: the disk refused; not where it is somebody else's, who has shared it with us.

    """
    mode = path.stat().st_mode
    if mode & 0o077:
        with contextlib.suppress(PermissionError):
            path.chmod(stat.S_IMODE(mode) & 0o700)


def refuse_link(path: Path) -> None:
    """Look whether a name of ours leads somewhere else.

    Raises:
        OSError: ``ELOOP``: it is a symbolic link.

    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link, which is not followed", str(path))


def open_private(path: Path) -> int:
    """Open a new file for writing that only its owner may read (0600), and return its descriptor.

    Raises:
        OSError: it is there already, or the disk refused.

    """
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY, 0o600)


def open_own(path: Path) -> int:
    """Open a file of ours for reading and adding, made for its owner only (0600) where it is missing.

    Raises:
        OSError: the disk refused, or it is no ordinary file; ``ELOOP`` for a symbolic link.

    """
    refuse_link(path)  # for systems that cannot refuse it while they open it
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | _NO_FOLLOW | _NO_WAIT | _BINARY
    return _ordinary(os.open(path, flags, 0o600))


def draft_beside(path: Path) -> Path:
    """Return a fresh hidden name beside a file, to write it under before it takes its place."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def replace_private_text(path: Path, chunks: Iterable[str]) -> None:
    """Write a file beside its place, readable by its owner only, and put it there; a link there is replaced itself.

    What no UTF-8 file can hold, a lone surrogate, becomes its ``\\u`` escape.

    Raises:
        StorageError: the disk refused; what was there is as it was.

    """
    draft = draft_beside(path)
    try:
        with open(open_private(draft), "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(chunks)
        draft.replace(path)
    except OSError as error:
        raise storage_error(error, path=str(path)) from error
    finally:
        draft.unlink(missing_ok=True)


def open_within(directory: Path, relative: PurePath) -> int:
    """Open an ordinary file below a directory for reading, and return its descriptor; no symbolic link is followed.

    Raises:
        OSError: it is missing, no ordinary file, or a symbolic link is on the way.

    """
    flags = os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | _BINARY
    if os.open not in os.supports_dir_fd:
        return _ordinary(os.open(directory / relative, flags))
    here = os.open(directory, os.O_RDONLY)
    try:
        for part in relative.parts[:-1]:
            above, here = here, os.open(part, os.O_RDONLY | os.O_DIRECTORY | _NO_FOLLOW, dir_fd=here)
            os.close(above)
        return _ordinary(os.open(relative.name, flags, dir_fd=here))
    finally:
        os.close(here)


def _ordinary(descriptor: int) -> int:
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError("no ordinary file")
