"""Shares an account among the processes of one user on one machine, through a small SQLite file."""

import json
import os
import sqlite3
import stat
import tempfile
from functools import partial
from hashlib import sha256
from pathlib import Path

import attrs

from toapis_async.clock import Clock, SystemClock
from toapis_async.errors import ConfigurationError
from toapis_async.limits.lease_owner import Terms, settled
from toapis_async.policy.pace.sharing.leases import Lease, Report
from toapis_async.storage.files.disk_threads import DiskThreads
from toapis_async.storage.journal.directory_lock import Owner
from toapis_async.storage.thread_pool import JOURNALS

_BUSY_SECONDS = 1.0  # a transaction takes milliseconds; a stopped process may hold one for longer


class MachineOwner:
    """A ``LeaseOwner``: every exchange is one transaction, in a thread.

    The file has to survive a killed process, and not a power cut: nothing waits for the disk.

    Args:
        path: of the file; its directory is there.
        terms: what this worker wants.
        clock: whose monotonic time is the same in every process.

    """

    def __init__(self, path: Path, terms: Terms, *, clock: Clock | None = None) -> None:
        self._path = path
        self._terms = terms
        self._clock = clock or SystemClock()
        self._here = Owner.current()
        self._threads = DiskThreads(1, JOURNALS)
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self.process: str = f"{_namespace()}|{json.dumps(attrs.asdict(self._here))}"

    @classmethod
    def named(cls, account: str, terms: Terms, *, directory: str | os.PathLike[str] | None = None) -> "MachineOwner":
        """Make the owner of an account.

        Args:
            account: its name.
            terms: see the class.
            directory: private to this user; None for one among the machine's temporary files.

        Raises:
            ConfigurationError: somebody else could read or write there.

        """
        name = sha256(account.encode()).hexdigest()[:32]
        return cls(private_directory(directory) / f"limits-{name}.sqlite3", terms)

    async def exchange(self, report: Report) -> Lease:
        """See ``LeaseOwner.exchange``."""
        return await self._threads.run(partial(self.settle, report))

    def settle(self, report: Report) -> Lease:
        """Do in this thread what ``exchange()`` does in another.

        Raises:
            OSError: the file cannot be used now.

        """
        try:
            return self._settle(report, self._opened())
        except sqlite3.Error as error:
            self._close()
            if not isinstance(error, sqlite3.OperationalError):
                self._path.unlink(missing_ok=True)  # no database: what it held is learned again
            raise ConnectionError(f"{self._path} cannot be used: {error}") from error

    async def aclose(self) -> None:
        """See ``LeaseOwner.aclose``."""
        await self._threads.run(self._close)
        self._threads.close()

    def _settle(self, report: Report, connection: sqlite3.Connection) -> Lease:
        connection.execute("BEGIN IMMEDIATE")
        with connection:  # commits, or rolls back
            row = connection.execute("SELECT state FROM account").fetchone()
            state, lease = settled(
                None if row is None else row[0], report, self._terms, now=self._clock.monotonic(), lives=self._lives
            )
            connection.execute("REPLACE INTO account (id, state) VALUES (1, ?)", (state,))
        return lease

    def _opened(self) -> sqlite3.Connection:
        """Open the file that has the name now: one that was cleaned away would be shared with nobody."""
        # Never open and close the file itself: POSIX would drop the locks that SQLite has on it in this process.
        if self._connection is not None and self._inode_now() == self._inode:
            return self._connection
        self._close()
        self._connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # now it is there
        self._path.chmod(0o600)
        self._inode = self._inode_now()
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, state BLOB)")
        return self._connection

    def _inode_now(self) -> int:
        try:
            return self._path.stat().st_ino
        except FileNotFoundError:
            return 0

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _lives(self, process: str) -> bool:
        namespace, _, owner = process.partition("|")
        if namespace != _namespace():
            return True  # its number means nothing here; its silence will tell
        try:
            return Owner(**json.loads(owner)).may_live(self._here)
        except (ValueError, TypeError):
            return True


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def private_directory(directory: str | os.PathLike[str] | None) -> Path:
    """Make and check a directory that is this user's alone.

    Args:
        directory: None for one among the machine's temporary files.

    Raises:
        ConfigurationError: it cannot be made, or somebody else could read or write there.

    """
    user = os.getuid() if hasattr(os, "getuid") else None
    path = Path(tempfile.gettempdir(), f"toapis-async-{user}") if directory is None else Path(directory)
    try:
        path.mkdir(mode=0o700, parents=directory is not None, exist_ok=True)
        found = path.stat() if directory is not None else path.lstat()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be used for shared limits: {error}.", hint=_HINT) from error
    if not stat.S_ISDIR(found.st_mode) or (user is not None and (found.st_uid != user or found.st_mode & 0o077)):
        raise ConfigurationError(f"{path} is not a directory of this user alone.", hint=_HINT)
    return path


_HINT = "Give SharedRateLimits.on_this_machine(directory=…) a directory that only this user can open (mode 0700)."
