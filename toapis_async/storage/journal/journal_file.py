"""The journal's file: made whole or not at all, and judged before anything in it is touched."""

import contextlib
import errno
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from toapis_async.errors import JournalDamagedError, JournalError
from toapis_async.storage.files.private_files import close_to_others, open_private, refuse_link

APPLICATION_ID = 0x746F6170
"""``toap``: tells our files from other sqlite databases."""
SCHEMA_VERSION = 2
"""Raised with every new fact of an item or field of a request: a library that does not know them must not go on.

2: digests, gateways and namespaces.
"""

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE items (
  seq INTEGER PRIMARY KEY, state TEXT NOT NULL, due REAL, key BLOB NOT NULL UNIQUE, facts TEXT NOT NULL
);
CREATE TABLE requests (seq INTEGER PRIMARY KEY, request TEXT NOT NULL);
CREATE TABLE notes (name TEXT PRIMARY KEY, text BLOB NOT NULL);
"""
# The requests lie apart: they are written once and are long; the items are written at every change and walked over.

_SETTINGS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "fullfsync = ON",  # a plain fsync of macOS does not reach the platter
    "wal_autocheckpoint = 4000",
)
_CHECKED_ANYWAY_BYTES = 1 << 28
_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\x00"


def open_for_writing(path: Path, *, now: float, check_pages: bool) -> sqlite3.Connection:
    """Open the journal, making it first where there is none. The caller holds the directory's lock.

    Args:
        path: of the file; its directory exists.
        now: epoch seconds, kept as the journal's birth when it is made.
        check_pages: whether to read every page of a large file too, and see that they hold together.

    Raises:
        JournalDamagedError: it is no journal of ours, or is broken; nothing was changed.
        JournalError: the disk or the system refused.

    """
    with translated(path):
        # sqlite gives its log and its index the rights of the file, and follows any link.
        for name in ("", "-wal", "-shm"):
            refuse_link(path.with_name(path.name + name))
        if _is_missing(path):
            _create(path, now)
        close_to_others(path)
        _judge_header(path)
        with contextlib.closing(_connect(path, "mode=ro" if _has_log(path) else "mode=ro&immutable=1")) as look:
            _judge_content(look, path, check_pages=check_pages or path.stat().st_size <= _CHECKED_ANYWAY_BYTES)
        connection = _connect(path, "mode=rw")
        try:
            for setting in _SETTINGS:
                connection.execute(f"PRAGMA {setting}")
            if connection.execute("PRAGMA user_version").fetchone() != (SCHEMA_VERSION,):
                # What is written from now on may say what the version that made it does not understand.
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except BaseException:
            connection.close()
            raise
        return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the journal without writing to it, while a run may be going on.

    Raises:
        JournalDamagedError: it is no journal of ours, or is broken.
        JournalError: there is none, or the system refused.

    """
    with translated(path):
        if _is_missing(path):
            raise JournalError(
                f"There is no journal at {path}.",
                path=str(path),
                hint="Give the output directory of a run that kept one.",
            )
        _judge_header(path)
        look = _connect(path, "mode=ro")
        try:
            _judge_content(look, path, check_pages=False)
        except sqlite3.OperationalError:
            look.close()
            if _has_log(path):
                raise
            # The directory may not be written to, so sqlite cannot coordinate with a writer; nor can there be one.
            look = _connect(path, "mode=ro&immutable=1")
        except BaseException:
            look.close()
            raise
        return look


def finish(connection: sqlite3.Connection) -> None:
    """Fold the write-ahead log into the file and close it."""
    try:
        # Not worth failing for: the log is as durable as the file, and is read at the next opening.
        with contextlib.suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what sqlite3 and the system raise into our errors."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise refused(path, error) from error
    except (sqlite3.DatabaseError, ValueError) as error:
        raise damaged(path, str(error)) from error
    except OSError as error:
        raise refused(path, error) from error


def refused(path: Path, error: Exception) -> JournalError:
    """Make the error for a journal that cannot be written or opened now."""
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return JournalError(
            f"The journal {path} cannot be used: {error}. Nothing was changed.",
            path=str(path),
            hint="Remove the link: what it points to would be written over. To keep the journal elsewhere, put the "
            "output directory there.",
        )
    return JournalError(
        f"The journal {path} cannot be used: {error}.",
        path=str(path),
        hint="Make sure that the disk has room, is local and writable, then start the same command again: "
        "what was accepted is known and is not sent again.",
    )


def damaged(path: Path, why: str) -> JournalDamagedError:
    """Make the error for a file that is no journal of ours, or a broken one."""
    return JournalDamagedError(
        f"{path} is not a journal that can be trusted: {why}. Nothing was changed.",
        path=str(path),
        hint=f"Put a backup in its place, or move it away (mv '{path}' '{path}.broken', with any -wal file beside it) "
        "and leave manifest.jsonl, manifest.unfinished and the files where they are: what they prove is not made, or "
        "charged, again, and what was in flight is asked for.",
    )


def _is_missing(path: Path) -> bool:
    if path.is_dir():
        raise damaged(path, "it is a directory")
    if path.exists() and path.stat().st_size:
        return False
    if _has_log(path):
        raise damaged(path, "it is empty or gone, but its write-ahead log is not")
    return True


def _create(path: Path, now: float) -> None:
    """Build the file under another name and rename it, so that no crash leaves half of one."""
    draft = path.with_name(path.name + ".new")
    for leftover in (draft, draft.with_name(draft.name + "-journal")):
        leftover.unlink(missing_ok=True)
    os.close(open_private(draft))
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.executescript(_SCHEMA)
        notes = {"run_id": secrets.token_hex(4), "created_at": repr(now)}
        connection.executemany(
            "INSERT INTO notes VALUES (?, ?)", [(name, text.encode("ascii")) for name, text in notes.items()]
        )
    finally:
        connection.close()
    draft.replace(path)
    _sync_directory(path.parent)
    _sync_directory(path.parent.parent)


def _sync_directory(directory: Path) -> None:
    with contextlib.suppress(OSError):  # Windows cannot open directories
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _judge_header(path: Path) -> None:
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise damaged(path, "it is no sqlite database")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise damaged(path, "it is a database of another program")
    version = int.from_bytes(header[60:64], "big")
    if version > SCHEMA_VERSION:
        raise JournalError(
            f"The journal {path} was written by a newer version of toapis-async (format {version}, "
            f"this one reads {SCHEMA_VERSION}).",
            path=str(path),
            hint="Upgrade: pip install --upgrade toapis-async.",
        )


def _judge_content(connection: sqlite3.Connection, path: Path, *, check_pages: bool) -> None:
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not {"items", "requests", "notes"} <= names:
        raise damaged(path, "its tables are missing")
    if connection.execute("SELECT 1 FROM notes WHERE name = 'run_id'").fetchone() is None:
        raise damaged(path, "its run id is missing")
    if check_pages:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(path, verdict)


def _has_log(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?{mode}"
    return sqlite3.connect(address, uri=True, timeout=10.0, isolation_level=None, check_same_thread=False)
