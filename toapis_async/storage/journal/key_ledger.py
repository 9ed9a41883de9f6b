"""How often a key came by, without keeping the keys in memory."""

import sqlite3
from hashlib import blake2b
from typing import Self

from toapis_async.errors import StorageError

_CACHE_KIB = 1024  # four times as much saves a microsecond per key, and is what a session of a million would grow by


class KeyLedger:
    """Counts keys in a private temporary file that vanishes with the process; made with the first key.

    A megabyte of memory whatever the number of keys. Use it from one thread.
    """

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()

    def seen(self, key: str) -> int:
        """Count a key, and return how often it came by before; 0 the first time.

        Raises:
            StorageError: the directory for temporary files is full or not writable.

        """
        digest = _digest(key)
        try:
            execute = (self._connection or self._open()).execute
            if execute("INSERT OR IGNORE INTO keys VALUES (?, 1)", (digest,)).rowcount:
                return 0
            found = execute("SELECT times FROM keys WHERE digest = ?", (digest,)).fetchone()
            execute("UPDATE keys SET times = times + 1 WHERE digest = ?", (digest,))
        except sqlite3.Error as error:
            raise _refused(error) from error
        return int(found[0])

    def knows(self, key: str) -> bool:
        """Tell whether a key came by, without counting it.

        Raises:
            StorageError: the directory for temporary files is full or not writable.

        """
        if self._connection is None:
            return False
        try:
            found = self._connection.execute("SELECT 1 FROM keys WHERE digest = ?", (_digest(key),)).fetchone()
        except sqlite3.Error as error:
            raise _refused(error) from error
        return found is not None

    def close(self) -> None:
        """Forget all keys; a second time does nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        # An empty name is a temporary file of sqlite's own, written only when the cache overflows.
        connection = sqlite3.connect("", isolation_level=None)
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # It vanishes with the process: nothing has to survive, and one transaction that never ends writes least.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE keys (digest BLOB PRIMARY KEY, times INTEGER) WITHOUT ROWID")
        connection.execute("BEGIN")
        self._connection = connection
        return connection


def _digest(key: str) -> bytes:
    # Sixteen bytes: enough against chance, and the file stays small whatever the keys look like.
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _refused(error: sqlite3.Error) -> StorageError:
    return StorageError(
        f"A temporary file cannot be written: {error}.",
        hint="Make room in the directory for temporary files, or name another one in SQLITE_TMPDIR.",
    )
