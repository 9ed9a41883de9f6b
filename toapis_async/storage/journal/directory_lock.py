"""One owner per output directory.

``flock`` decides where it works. Some network file systems let every caller have the lock, so a second descriptor is
tried against the first; where that succeeds too, the owner named in a file created exclusively decides, by whether
its process still lives. An owner on another machine cannot be judged from here and is believed.

A lock belongs to the process that took it. A forked child shares the descriptor, and would keep ``flock`` held for as
long as it lives: it closes its copy as soon as it begins. What was left behind in this process, by an event loop that
has gone or by an object that nobody has any more, gives way to whoever asks next.
"""

import contextlib
import errno
import json
import os
import platform
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

import attrs

from toapis_async.errors import JournalLockedError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


# No link is followed, and a pipe is not waited for.
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_OPEN_OWN = os.O_RDWR | os.O_CREAT | _NOFOLLOW


@attrs.frozen(kw_only=True)
class Owner:
    """A process, well enough described to be told from a later one with the same number.

    Attributes:
        pid: its number.
        started: when it started, in the kernel's own ticks; empty where the system does not say.
        boot: which boot of which kernel; empty where the system does not say.
        host: the machine's name.

    """

    pid: int
    started: str
    boot: str
    host: str

    @classmethod
    def current(cls) -> "Owner":
        """Describe this process."""
        pid = os.getpid()
        return cls(pid=pid, started=_started(pid), boot=_boot(), host=socket.gethostname())

    def may_live(self, here: "Owner") -> bool:
        """Whether the process may still be running, as seen from the process ``here``."""
        if self.boot != here.boot or not self.boot:
            # The same name after another boot: this machine was restarted, and the owner with it.
            return self.host != here.host or (not self.boot and _runs(self.pid))
        return _runs(self.pid) and _started(self.pid) == self.started


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    try:
        # The name in brackets may hold anything, spaces and brackets included; field 22 is the 20th after it.
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _runs(pid: int) -> bool:
    if platform.system() == "Windows":  # os.kill would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError, ValueError):
        return True
    return True


_held: "WeakSet[DirectoryLock]" = WeakSet()


def _forget_inherited() -> None:
    for lock in list(_held):
        lock.forget()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_inherited)


class DirectoryLock:
    """Holds a directory for this process from ``acquire`` to ``release``.

    Args:
        path: of the lock file; it stays there, empty, when nobody holds the directory.
        trust_flock: False takes ``flock`` for a lock that always succeeds.
        deserted: whether whoever took it can never release it any more; asked only when somebody else wants it.

    """

    def __init__(self, path: Path, *, trust_flock: bool = True, deserted: Callable[[], bool] = lambda: False) -> None:
        self._path = path
        self._fallback = path.with_name(path.name + ".owner")
        self._trust_flock = trust_flock and fcntl is not None
        self._deserted = deserted
        self._descriptor: int | None = None
        self._holds_fallback = False
        self.abandoned: bool = False
        """Whether the last owner went away without releasing the directory."""

    def acquire(self) -> None:
        """Take the directory.

        Raises:
            JournalLockedError: another process has it, or this one under another descriptor; nothing was changed.
            OSError: the file cannot be opened, or is a link to another one.

        """
        descriptor = os.open(self._path, _OPEN_OWN, 0o600)
        try:
            _require_file(descriptor, self._path)
            # Before contending: within one process flock would refuse us because of an object that nobody has any more.
            self._dispossess(descriptor)
            self._contend(descriptor, Owner.current())
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        _held.add(self)

    def release(self) -> None:
        """Give the directory back; a second time does nothing."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        _held.discard(self)
        try:
            # A disk that has turned read-only leaves its owner's name in it: the next one sees that it is dead.
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
                if self._holds_fallback:
                    self._fallback.unlink(missing_ok=True)
                    self._holds_fallback = False
            if self._trust_flock:
                # Closing alone would leave it with every child that was forked meanwhile and runs no Python.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            os.close(descriptor)

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            self.release()

    def forget(self) -> None:
        """Drop what was inherited by a fork, without taking it from the process that holds it."""
        descriptor, self._descriptor = self._descriptor, None
        self._holds_fallback = False
        if descriptor is not None:
            os.close(descriptor)

    def _dispossess(self, descriptor: int) -> None:
        """Take the directory from what was left behind in this process."""
        wanted = os.fstat(descriptor)
        for other in list(_held):
            held = other._descriptor  # noqa: SLF001  # of the same class
            if held is not None and os.path.samestat(os.fstat(held), wanted) and other._deserted():  # noqa: SLF001
                other.release()
                self.abandoned = True

    def _contend(self, descriptor: int, here: Owner) -> None:
        previous = _read_owner(descriptor)
        if not self._flock(descriptor):
            raise self._locked(previous)
        if not self._flock_works():
            self._take_fallback(here)
        # The lock may be local to each machine that mounts the directory: a living owner elsewhere is believed.
        elif previous is not None and previous.boot != here.boot and previous.may_live(here):
            raise self._locked(previous)
        self.abandoned = self.abandoned or previous is not None
        _write_owner(descriptor, here)

    def _flock(self, descriptor: int) -> bool:
        if not self._trust_flock:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            self._trust_flock = False  # this file system has no such locks
        return True

    def _flock_works(self) -> bool:
        if not self._trust_flock:
            return False
        second = os.open(self._path, os.O_RDWR | _NOFOLLOW)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(second)
        return False

    def _take_fallback(self, here: Owner) -> None:
        # Once more after a dead owner's file was removed; whoever was faster has it then.
        for _ in range(2):
            try:
                descriptor = os.open(self._fallback, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                self._remove_if_dead(here)
                continue
            _write_owner(descriptor, here)
            os.close(descriptor)
            self._holds_fallback = True
            return
        raise self._locked(None)

    def _remove_if_dead(self, here: Owner) -> None:
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(self._fallback, os.O_RDONLY | _NOFOLLOW)
            owner = _read_owner(descriptor)
            os.close(descriptor)
            # An unreadable owner may be one that is just writing its name.
            if owner is None or owner.may_live(here):
                raise self._locked(owner)
            self._fallback.unlink(missing_ok=True)
            self.abandoned = True

    def _locked(self, owner: Owner | None) -> JournalLockedError:
        who = "another process" if owner is None else f"process {owner.pid} on {owner.host}"
        if owner == Owner.current():
            who = "this very process"
        path = self._fallback if self._fallback.exists() else self._path
        return JournalLockedError(
            f"{self._path.parent.parent} is in use by {who}; nothing was changed.",
            path=str(self._path),
            hint="Wait for it, stop it, or choose another output directory. "
            f"If that process is certainly gone, delete {path} and start again.",
        )


def is_held(path: Path) -> bool:
    """Tell whether a process holds a directory by this lock file, without touching it."""
    with contextlib.suppress(OSError, RecursionError):
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            owner = _read_owner(descriptor)
        finally:
            os.close(descriptor)
        return owner is not None and owner.may_live(Owner.current())
    return False


def _require_file(descriptor: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "the lock is no file", str(path))


def _read_owner(descriptor: int) -> Owner | None:
    text = os.pread(descriptor, 4096, 0) if hasattr(os, "pread") else os.read(descriptor, 4096)
    try:
        return Owner(**json.loads(text)) if text else None
    except (ValueError, TypeError):
        return None


def _write_owner(descriptor: int, owner: Owner) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(attrs.asdict(owner)).encode("ascii"))
