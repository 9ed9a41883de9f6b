"""The jobs of all workers of a web application, in one small sqlite file that each of them may write."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeAlias

import attrs

from toapis_async.clock import Clock
from toapis_async.errors import JournalError
from toapis_async.storage.journal.group_writer import GroupWriter
from toapis_async.storage.journal.journal_file import translated
from toapis_async.values.jobs import StoredJob, StoredResult, StoredState
from toapis_async.wire.jobs import decode_result, encode_result
from toapis_async.wire.records import decode_request, encode_request

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, worker TEXT NOT NULL, state TEXT NOT NULL, request TEXT NOT NULL,
  created_at REAL NOT NULL, changed_at REAL NOT NULL, result TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS unended ON jobs (worker, created_at) WHERE state NOT IN ('saved', 'failed');
CREATE INDEX IF NOT EXISTS ended ON jobs (changed_at, id) WHERE state IN ('saved', 'failed', 'cancelled');
"""
_INSERT = "INSERT INTO jobs VALUES (?, ?, 'queued', ?, ?, ?, '{}') ON CONFLICT (id) DO NOTHING"
_CLAIM = (
    "UPDATE jobs SET state = 'running', changed_at = ? WHERE id = ? AND state IN ('queued', 'running', 'unfinished')"
)
_CANCEL = "UPDATE jobs SET state = 'cancelled', changed_at = ? WHERE id = ? AND state = 'queued'"
_REMOVE = "DELETE FROM jobs WHERE id = ? AND state IN ('saved', 'failed', 'cancelled')"
_UPDATE = "UPDATE jobs SET state = ?, changed_at = ?, result = ? WHERE id = ?"
_SELECT = "SELECT id, worker, state, request, created_at, changed_at, result FROM jobs"
_SELECT_STATES = "SELECT id, worker, state, '', 0.0, 0.0, '' FROM jobs"  # to read requests takes longer
# The first condition on the state is the index's.
_UNENDED = (
    "SELECT id FROM jobs WHERE worker = ? AND state NOT IN ('saved', 'failed') AND state != 'cancelled' "
    "ORDER BY created_at"
)
_WORKERS = "SELECT DISTINCT worker FROM jobs WHERE state NOT IN ('saved', 'failed') AND state != 'cancelled'"
_ENDED = f"{_SELECT} WHERE state IN ('saved', 'failed', 'cancelled') AND changed_at < ? AND (changed_at, id) > (?, ?)"
_BUSY_SECONDS = 30.0
_IDS_AT_ONCE = 256

Row: TypeAlias = tuple[str, str, StoredState, str, float, float, str]


@attrs.define(eq=False)
class _Change:
    id: str
    write: Callable[[sqlite3.Connection], object]


class JobLedger:
    """Jobs by id. An id belongs to whoever wrote it first, of all workers.

    What is awaited is on the disk; what several callers write together is one transaction.

    Args:
        directory: of the store; made if it is missing. On a local disk: sqlite's locks do not hold on network ones.
        clock: dates changes.

    Raises:
        JournalError: the file cannot be opened or written.
        JournalDamagedError: it is something else.

    """

    def __init__(self, directory: Path, *, clock: Clock) -> None:
        self._directory = directory
        self._path = directory / "jobs.sqlite3"
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._writer: GroupWriter[_Change] | None = None

    async def __aenter__(self) -> Self:
        self._writer = GroupWriter(self._write, about=lambda change: change.id)
        try:
            await self._writer.call(self._open)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Write what was noted and close; a second time does nothing."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close(self._shut)

    async def add(self, job: StoredJob) -> StoredJob:
        """Write a job down and return it, or the one that has its id already.

        Raises:
            InvalidRequestError: the request holds what cannot be written down.

        """
        text, found = encode_request(job.request), list[Row]()

        def write(connection: sqlite3.Connection) -> None:
            added = connection.execute(_INSERT, (job.id, job.worker, text, job.created_at, job.changed_at))
            if not added.rowcount:
                found.extend(connection.execute(f"{_SELECT} WHERE id = ?", (job.id,)))

        await self._opened.write(_Change(job.id, write))
        return self._job(found[0]) if found else job

    def note(self, job_id: str, state: StoredState, result: StoredResult) -> None:
        """Have it written soon how a job stands now."""
        facts = (state, self._clock.now(), encode_result(result, self._directory), job_id)
        self._opened.add(_Change(job_id, lambda connection: connection.execute(_UPDATE, facts)))

    async def claim(self, job_id: str) -> bool:
        """Have a job under way, so that it cannot be cancelled any more; False where it has been, or has ended."""
        return await self._changed(job_id, _CLAIM, self._clock.now(), job_id)

    async def cancel(self, job_id: str) -> bool:
        """Cancel a job that has not been claimed, whichever worker has it; tell whether it was cancelled now."""
        return await self._changed(job_id, _CANCEL, self._clock.now(), job_id)

    async def remove(self, job_id: str) -> bool:
        """Forget a job that has ended; tell whether there was one."""
        return await self._changed(job_id, _REMOVE, job_id)

    async def _changed(self, job_id: str, sql: str, *values: str | float) -> bool:
        changed: list[int] = []
        write = lambda connection: changed.append(connection.execute(sql, values).rowcount)  # noqa: E731
        await self._opened.write(_Change(job_id, write))
        return changed[0] > 0

    async def ended(self, before: float, after: StoredJob | None = None) -> list[StoredJob]:
        """Return some jobs that have ended before a time, in epoch seconds, oldest first; the next ones after a job."""
        changed_at, job_id = (-1.0, "") if after is None else (after.changed_at, after.id)
        sql = f"{_ENDED} ORDER BY changed_at, id LIMIT {_IDS_AT_ONCE}"
        return [self._job(row) for row in await self._rows(sql, before, changed_at, job_id)]

    async def find(self, job_id: str) -> StoredJob | None:
        """Return a job, or None."""
        rows = await self._rows(f"{_SELECT} WHERE id = ?", job_id)
        return self._job(rows[0]) if rows else None

    async def states(self, job_ids: Sequence[str]) -> dict[str, StoredState]:
        """Return how these jobs stand, those that there are."""
        found: dict[str, StoredState] = {}
        for start in range(0, len(job_ids), _IDS_AT_ONCE):
            some = job_ids[start : start + _IDS_AT_ONCE]
            wanted = f"{_SELECT_STATES} WHERE id IN ({', '.join('?' * len(some))})"
            found |= {row[0]: row[2] for row in await self._rows(wanted, *some)}
        return found

    async def unended(self, worker: str) -> list[str]:
        """Return the ids of a worker's jobs that have not ended, oldest first."""
        return [row[0] for row in await self._rows(_UNENDED, worker)]

    async def workers(self) -> set[str]:
        """Return the workers that have jobs which have not ended."""
        return {row[0] for row in await self._rows(_WORKERS)}

    async def _rows(self, sql: str, *values: str | float) -> list[Row]:
        def read() -> list[Row]:
            with translated(self._path):
                return self._open_connection.execute(sql, values).fetchall()

        return await self._opened.call(read)

    def _job(self, row: Row) -> StoredJob:
        job_id, worker, state, request, created_at, changed_at, result = row
        with translated(self._path):
            return StoredJob(
                id=job_id,
                worker=worker,
                state=state,
                request=decode_request(request),
                created_at=created_at,
                changed_at=changed_at,
                result=decode_result(result, self._directory),
            )

    @property
    def _opened(self) -> GroupWriter[_Change]:
        if self._writer is None:
            raise JournalError(f"The jobs in {self._path} are closed.", path=str(self._path))
        return self._writer

    @property
    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise JournalError(f"The jobs in {self._path} are closed.", path=str(self._path))
        return self._connection

    def _open(self) -> None:
        with translated(self._path):
            self._directory.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)

    def _write(self, changes: list[_Change]) -> None:
        with translated(self._path):
            connection = self._open_connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                for change in changes:
                    change.write(connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def _shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
