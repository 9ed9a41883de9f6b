"""One owner per output directory.

``flock`` decides where it works. Some network file systems let every caller have the lock, so a second descriptor is
tried against the first; where that succeeds too, the owner named in a file created exclusively decides, by whether
its process still lives. An owner on another machine cannot be judged from here and is believed.
"""

import contextlib
import json
import os
import platform
import socket
from pathlib import Path

import attrs

from toapis_async.errors import JournalLockedError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


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


class DirectoryLock:
    """Holds a directory for this process from ``acquire`` to ``release``.

    Args:
        path: of the lock file; it stays there, empty, when nobody holds the directory.
        trust_flock: False takes ``flock`` for a lock that always succeeds.

    """

    def __init__(self, path: Path, *, trust_flock: bool = True) -> None:
        self._path = path
        self._fallback = path.with_name(path.name + ".owner")
        self._trust_flock = trust_flock and fcntl is not None
        self._descriptor: int | None = None
        self._holds_fallback = False
        self.abandoned = False
        """Whether the last owner went away without releasing the directory."""

    def acquire(self) -> None:
        """Take the directory.

        Raises:
            JournalLockedError: another process has it, or this one under another descriptor; nothing was changed.
            OSError: the file cannot be opened.

        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._contend(descriptor, Owner.current())
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the directory back; a second time does nothing."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            # A disk that has turned read-only leaves its owner's name in it: the next one sees that it is dead.
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
                if self._holds_fallback:
                    self._fallback.unlink(missing_ok=True)
                    self._holds_fallback = False
        finally:
            os.close(descriptor)

    def _contend(self, descriptor: int, here: Owner) -> None:
        previous = _read_owner(descriptor)
        if not self._flock(descriptor):
            raise self._locked(previous)
        if not self._flock_works():
            self._take_fallback(here)
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
        second = os.open(self._path, os.O_RDWR)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(second)
        return False

    def _take_fallback(self, here: Owner) -> None:
        for _ in range(2):
            try:
                descriptor = os.open(self._fallback, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
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
            descriptor = os.open(self._fallback, os.O_RDONLY)
            owner = _read_owner(descriptor)
            os.close(descriptor)
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
