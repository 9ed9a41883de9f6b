"""What runs have left in an output directory without a journal that knows it: lines of a manifest, and files.

The journal is hidden, and is easily left behind where the rest is copied. Everything here blocks.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import IO

from toapis_async.errors import StorageError
from toapis_async.storage.files.refusals import storage_error
from toapis_async.storage.manifest.unfinished_runs import UNFINISHED_NAME
from toapis_async.wire.manifest import EntryStatus, ManifestEntry, manifest_entry_from

_AT_ONCE = 500
# Of two lines for one key the one counts that costs less to be wrong about: a look instead of a charge.
_RANKS: dict[EntryStatus, int] = {"saved": 3, "unfinished": 2, "unknown": 1, "failed": 0}
_TABLES = """
CREATE TABLE lines (digest BLOB PRIMARY KEY, rank INTEGER, start INTEGER) WITHOUT ROWID;
CREATE TABLE stems (digest BLOB PRIMARY KEY) WITHOUT ROWID;
"""
_PUT_LINE = """
INSERT INTO lines VALUES (?, ?, ?) ON CONFLICT (digest) DO UPDATE
SET rank = excluded.rank, start = excluded.start WHERE excluded.rank >= rank
"""


class EarlierOutput:
    """Finds lines and files by the key of their item, in a few megabytes of memory whatever their number.

    Args:
        manifest: the file; what is no line of a manifest in it is passed over.
        directory: where the files are; a missing one has none. None where they are not on this machine.
    """

    def __init__(self, manifest: Path, directory: Path | None) -> None:
        self.lines: int = 0
        self.files: int = 0
        """How many there are."""
        self.task: ManifestEntry | None = None
        """The last line that names a task and its reference."""
        self._path = manifest
        self._directory = directory
        self._file: IO[bytes] | None = None
        self._one_at_a_time = threading.RLock()
        # An empty name is a temporary file of sqlite's own, written only when its cache overflows.
        self._index = sqlite3.connect("", isolation_level=None, check_same_thread=False)

    def read(self) -> None:
        """Read everything there is; once, before anything is looked for.

        Raises:
            StorageError: something cannot be read, or there is no room for temporary files.

        """
        with self._translated():
            self._index.executescript(_TABLES)
            self._index.execute("BEGIN")
            self._read_lines()
            if self._directory is not None:
                self._read_names(self._directory)

    def find(self, keys: Sequence[str]) -> list[ManifestEntry | None]:
        """Return the line of each key, in order; None for a key without one."""
        with self._translated():
            return [self._entry(key) for key in keys]

    def has_file(self, stem: str) -> bool:
        """Tell whether a file lies here whose name was made from this stem."""
        with self._translated():
            return self._index.execute("SELECT 1 FROM stems WHERE digest = ?", (_digest(stem),)).fetchone() is not None

    def close(self) -> None:
        """Forget everything; a second time does nothing."""
        with self._one_at_a_time:
            self._index.close()
            if self._file is not None:
                self._file.close()

    def _read_lines(self) -> None:
        try:
            self._file = self._path.open("rb")
        except FileNotFoundError:
            return
        start = 0
        rows: list[tuple[bytes, int, int]] = []
        for line in self._file:
            with contextlib.suppress(ValueError):
                entry = manifest_entry_from(line.decode("utf-8", "replace"))
                rows.append((_digest(entry.id), _RANKS[entry.status], start))
                self.lines += 1
                if entry.task_id is not None and entry.client_business_id is not None:
                    self.task = entry
            start += len(line)
            if len(rows) >= _AT_ONCE:
                self._index.executemany(_PUT_LINE, rows)
                rows = []
        self._index.executemany(_PUT_LINE, rows)

    def _read_names(self, directory: Path) -> None:
        with contextlib.suppress(FileNotFoundError), os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name in (self._path.name, UNFINISHED_NAME):
                    continue
                self.files += 1
                rows = [(_digest(stem),) for stem in _stems(entry.name)]
                self._index.executemany("INSERT OR IGNORE INTO stems VALUES (?)", rows)

    def _entry(self, key: str) -> ManifestEntry | None:
        found = self._index.execute("SELECT start FROM lines WHERE digest = ?", (_digest(key),)).fetchone()
        if found is None or self._file is None:
            return None
        self._file.seek(found[0])
        try:
            entry = manifest_entry_from(self._file.readline().decode("utf-8", "replace"))
        except ValueError:
            return None  # somebody has written over the file meanwhile
        return entry if entry.id == key else None

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with self._one_at_a_time:
                yield
        except OSError as error:
            raise storage_error(error, path=str(self._path)) from error
        except sqlite3.Error as error:
            raise StorageError(
                f"A temporary file cannot be written: {error}.",
                hint="Make room in the directory for temporary files, or name another one in SQLITE_TMPDIR.",
            ) from error


def _stems(name: str) -> Iterator[str]:
    """Walk what a file's name may have been made from: a mark of which file of an item it is may stand at its end."""
    base = name.rpartition(".")[0] or name
    yield base
    stem, mark, _ = base.rpartition("~")
    if mark:
        yield stem


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
