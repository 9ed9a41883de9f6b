"""The journal on the disk: ``.toapis/journal.sqlite3`` in the output directory, written by one thread at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Self

from toapis_async.clock import Clock
from toapis_async.errors import JournalError, StorageError
from toapis_async.storage.files.private_files import make_private_directory
from toapis_async.storage.journal.directory_lock import DirectoryLock
from toapis_async.storage.journal.group_writer import GroupWriter
from toapis_async.storage.journal.journal_file import open_for_reading, open_for_writing, translated
from toapis_async.storage.journal.journal_table import Entry, JournalTable
from toapis_async.values.records import Finished, Intended, ItemRecord, ItemState, JournalEvent, SavedToDisk
from toapis_async.wire.records import Root, encode_request

PRIVATE_DIRECTORY = ".toapis"
# Records in memory at a time when a journal of millions is walked.
_PAGE = 500


def journal_path(directory: Path) -> Path:
    """Say where the journal of an output directory lies."""
    return directory / PRIVATE_DIRECTORY / "journal.sqlite3"


class SqliteJournal:
    """See ``Journal``. Opening raises ``JournalLockedError``, ``JournalDamagedError`` or ``JournalError``.

    Args:
        directory: the output directory, or one of its own; made when missing, unless only reading.
        clock: dates the journal when it is made; every later date comes with its event.
        read_only: look without owning the directory, also while a run is going on in it.
        files_at: where the run's files are; None for the same directory.

    """

    def __init__(self, directory: Path, *, clock: Clock, read_only: bool = False, files_at: Root | None = None) -> None:
        self._files_at = directory if files_at is None else files_at
        self._path = journal_path(directory)
        self._clock = clock
        self._read_only = read_only
        self._lock: DirectoryLock
        self._writer: GroupWriter[Entry] | None = None
        self._table: JournalTable | None = None
        self._run_id = ""
        self._empty_at_open = True

    async def __aenter__(self) -> Self:
        # With its loop the writer has gone: nothing of this journal can be written, or released, any more.
        self._lock = DirectoryLock(self._path.with_name("lock"), deserted=asyncio.get_running_loop().is_closed)
        self._writer = GroupWriter(self._write, about=_key)
        try:
            await self._writer.call(self._open)
        except BaseException:
            writer, self._writer = self._writer, None
            await writer.close(self._shut)
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        writer, self._writer = self._opened(), None
        await writer.close(self._shut)
        if exc_info[0] is None and writer.failure is not None:
            raise writer.failure

    @property
    def run_id(self) -> str:
        """See ``Journal.run_id``."""
        return self._run_id

    @property
    def empty_at_open(self) -> bool:
        """See ``Journal.empty_at_open``."""
        return self._empty_at_open

    async def record(self, event: JournalEvent) -> None:
        """See ``Journal.record``."""
        await self._opened(to_write=True).write(_entry(event))

    def note(self, event: JournalEvent) -> None:
        """See ``Journal.note``."""
        writer, entry = self._opened(to_write=True), _entry(event)
        if isinstance(event, Finished | SavedToDisk):
            # Forgotten it costs a look or a download and no money; together with its successor it is one write.
            writer.add_unhurried(entry)
        else:
            writer.add(entry)

    async def find(self, keys: Sequence[str]) -> list[ItemRecord | None]:
        """See ``Journal.find``."""
        return await self._opened().call(lambda: self._rows.find(keys))

    async def items(self, *states: ItemState) -> AsyncIterator[ItemRecord]:
        """See ``Journal.items``."""
        writer = self._opened()
        wanted = set(states or ItemState)
        if ItemState.FINISHED in wanted:
            seqs = await writer.call(self._rows.finished_seqs)
            for start in range(0, len(seqs), _PAGE):
                some = seqs[start : start + _PAGE]
                for record in await writer.call(lambda some=some: self._rows.numbered(some)):  # type: ignore[misc]
                    yield record
        others = sorted(wanted - {ItemState.FINISHED})
        seq, records = await writer.call(lambda: self._rows.page(others, 0, _PAGE))
        while records:
            for record in records:
                yield record
            seq, records = await writer.call(lambda after=seq: self._rows.page(others, after, _PAGE))  # type: ignore[misc]

    async def counts(self) -> dict[ItemState, int]:
        """See ``Journal.counts``."""
        return await self._opened().call(self._rows.counts)

    async def costs(self) -> dict[str | None, int]:
        """See ``Journal.costs``."""
        return await self._opened().call(self._rows.costs)

    async def remember(self, name: str, text: str) -> None:
        """See ``Journal.remember``."""
        await self._opened(to_write=True).call(lambda: self._rows.remember(name, text))

    async def recall(self, name: str) -> str | None:
        """See ``Journal.recall``."""
        return await self._opened().call(lambda: self._rows.recall(name))

    def _opened(self, *, to_write: bool = False) -> GroupWriter[Entry]:
        if self._writer is None or (to_write and self._read_only):
            what = "was opened for reading only" if self._read_only else "is not open"
            raise JournalError(
                f"The journal {self._path} {what}.", path=str(self._path), hint="Open it with async with."
            )
        return self._writer

    @property
    def _rows(self) -> JournalTable:
        if self._table is None:
            raise JournalError(f"The journal {self._path} is closed.", path=str(self._path))
        return self._table

    def _open(self) -> None:
        if self._read_only:
            connection = open_for_reading(self._path)
        else:
            with translated(self._path):
                self._path.parent.parent.mkdir(parents=True, exist_ok=True)
                _make_home(self._path.parent)
                self._lock.acquire()
            # Only an owner that vanished can have left a torn page; reading all of a large file is slow.
            connection = open_for_writing(self._path, now=self._clock.now(), check_pages=self._lock.abandoned)
        try:
            self._table = JournalTable(connection, path=self._path, files_at=self._files_at)
        except BaseException:
            connection.close()
            raise
        self._run_id = self._table.recall("run_id") or ""
        self._empty_at_open = self._table.is_empty

    def _write(self, entries: list[Entry]) -> None:
        self._rows.write(entries)

    def _shut(self) -> None:
        table, self._table = self._table, None
        try:
            if table is not None:
                table.close()
        finally:
            self._lock.release()


def _make_home(directory: Path) -> None:
    try:
        make_private_directory(directory)
    except StorageError as error:
        raise JournalError(error.message, path=str(directory), hint=error.hint) from error


def _key(entry: Entry) -> str:
    return entry[0].key


def _entry(event: JournalEvent) -> Entry:
    # Encoded here and not in the thread: what cannot be written is the caller's mistake and not the journal's end.
    return event, encode_request(event.request) if isinstance(event, Intended) else None
