"""One file in the making, as the disk sees it. Everything here blocks: it runs in the disk threads."""

import errno
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from hashlib import file_digest, sha256
from math import inf
from pathlib import Path
from threading import Lock

from toapis_async.storage.files.directory_sync import fsync_directory

_STALE = re.compile(r"\..*\.[0-9a-f]{9,}\.part\Z", re.DOTALL)

# Linux writes out what it is told is not needed; what is not written yet stays.
_ADVICE: int | None = getattr(os, "POSIX_FADV_DONTNEED", None)

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

# File systems without hard links, such as FAT and some network shares, say one of these.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})


def is_stale(name: str) -> bool:
    """Tell whether a name in an output directory is one of our temporary names."""
    return _STALE.match(name) is not None


class DirectoryNames:
    """The names in one directory: made with it, and durable once ``sync`` has returned."""

    __slots__ = ("_counting", "_descriptor", "_prefix", "_renamed", "_synced", "_syncing", "durable", "path")

    def __init__(self, path: Path, *, durable: bool) -> None:
        self.path: Path = path
        self.durable: bool = durable
        self._prefix = str(path) + os.sep
        self._descriptor: int | None = None
        self._counting = Lock()
        self._syncing = Lock()
        self._renamed = 0
        self._synced = 0

    def open_new(self, name: str) -> int:
        """Create a file for writing and return its descriptor; make the directory when it is missing."""
        try:
            return os.open(self._prefix + name, _CREATE, 0o666)
        except FileNotFoundError:
            self._make()
            return os.open(self._prefix + name, _CREATE, 0o666)

    def open_again(self, name: str) -> int:
        """Open a file of ours to write on at its end."""
        return os.open(self._prefix + name, os.O_WRONLY | os.O_APPEND)

    def rename(self, old: str, new: str) -> None:
        """Give a file its name, for good after the next ``sync``."""
        os.replace(self._prefix + old, self._prefix + new)  # noqa: PTH105 - a Path costs more than the call
        with self._counting:
            self._renamed += 1

    def claim(self, old: str, new: str) -> bool:
        """Give a file its name as ``rename`` does, unless something has that name; tell whether it was given."""
        try:
            # A link never replaces anything, whoever else is at work here.
            os.link(self._prefix + old, self._prefix + new, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return self._claim_without_links(old, new)
        os.unlink(self._prefix + old)  # noqa: PTH108 - a Path costs more than the call
        with self._counting:
            self._renamed += 1
        return True

    def _claim_without_links(self, old: str, new: str) -> bool:
        """Hold the name with an empty file of ours, for which a killed run would leave an empty file."""
        try:
            os.close(os.open(self._prefix + new, _CREATE, 0o666))
        except FileExistsError:
            return False
        self.rename(old, new)
        return True

    def same_content(self, name: str, *, length: int, sha256: str) -> int | None:
        """Return the modification time of a file that holds this very content, synced; None for any other."""
        path = self.path / name
        if path.is_symlink() or not path.is_file() or path.stat().st_size != length:
            return None
        with path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != sha256:
                return None
            if self.durable:
                os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_mtime_ns

    def stale(self, *, before: float | None) -> list[str]:
        """Return the temporary names that are here, or those of them that were last written before that time."""
        try:
            names = [entry.name for entry in self.path.iterdir() if is_stale(entry.name)]
        except FileNotFoundError:
            return []
        return names if before is None else [name for name in names if self._written_at(name) < before]

    def _written_at(self, name: str) -> float:
        try:
            return (self.path / name).lstat().st_mtime
        except FileNotFoundError:
            return inf

    def unlink(self, name: str) -> None:
        """Remove a name, whether it is there or not."""
        (self.path / name).unlink(missing_ok=True)

    def sync(self) -> None:
        """Make every rename so far durable. Threads that come at the same time share one sync."""
        mine = self._renamed
        if not self.durable or self._synced >= mine or os.name == "nt":
            return
        with self._syncing:
            if self._synced >= mine:
                return
            # Read before the sync: a rename that comes during it may or may not be covered.
            covered = self._renamed
            if self._descriptor is None:
                self._descriptor = os.open(self.path, os.O_RDONLY)
            fsync_directory(self._descriptor)
            self._synced = covered

    def close(self) -> None:
        """Let go of the directory."""
        with self._syncing:
            if self._descriptor is not None:
                descriptor, self._descriptor = self._descriptor, None
                os.close(descriptor)

    def _make(self) -> None:
        self.close()  # it is another directory now, if it was there before
        missing = [path for path in (self.path, *self.path.parents) if not path.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        if self.durable and os.name != "nt":
            for path in missing:
                _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class DraftFile:
    """A temporary file; at most one thread uses it at a time. On any refusal it is removed.

    Attributes:
        touched: whether anything of it may be on the disk.

    """

    __slots__ = ("_descriptor", "_hash", "_names", "_temporary", "touched")

    def __init__(self, names: DirectoryNames, *, temporary: str) -> None:
        self._names = names
        self._temporary = temporary
        self._descriptor: int | None = None
        self._hash = sha256()
        self.touched: bool = False

    def append(self, chunks: Sequence[bytes]) -> None:
        """Write at the end."""
        content = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._hash.update(content)
        try:
            descriptor = self._opened()
            written = os.write(descriptor, content)
            while written < len(content):
                written += os.write(descriptor, memoryview(content)[written:])
        except BaseException:
            self.remove()
            raise

    def begin_sync(self) -> None:
        """Have the system begin to write the file out, without waiting for it.

        Of several files that are to be synced the first sync then settles nearly all: without it, each one allocates
        its blocks in a transaction of its own and waits for that (ext4 waits three times per file, so once).
        """
        if self._names.durable and self._descriptor is not None and _ADVICE is not None:
            with suppress(OSError):  # only advice
                os.posix_fadvise(self._descriptor, 0, 0, _ADVICE)

    def publish(self, name: str, *, replace: bool) -> tuple[str, int] | None:
        """Sync and rename; return the content's sha256 and the file's modification time.

        The name is durable only after ``DirectoryNames.sync``. Without *replace*, a file that has the name already
        is taken for this one where its content is the same; where it is not, nothing happens and None is returned.
        """
        try:
            descriptor = self._opened()
            if self._names.durable:
                os.fsync(descriptor)
            found = os.fstat(descriptor)
            self._close()
            mtime_ns: int | None = found.st_mtime_ns
            digest = self._hash.hexdigest()
            if replace:
                self._names.rename(self._temporary, name)
            elif not self._names.claim(self._temporary, name):
                mtime_ns = self._names.same_content(name, length=found.st_size, sha256=digest)
                if mtime_ns is not None:
                    self.remove()
        except BaseException:
            self.remove()
            raise
        if mtime_ns is None:
            return None
        self.touched = False
        return digest, mtime_ns

    def remove(self) -> None:
        """Remove the file and be as new."""
        self._close()
        self._hash = sha256()
        if self.touched:
            self._names.unlink(self._temporary)
            self.touched = False

    def _opened(self) -> int:
        if self._descriptor is None:
            open_it = self._names.open_again if self.touched else self._names.open_new
            self.touched = True
            self._descriptor = open_it(self._temporary)
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)
