"""The journal's rows: one per item, holding what its events fold to. Everything here runs in the writer's thread."""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import attrs

from toapis_async.policy.money.recovery import apply
from toapis_async.storage.journal.journal_file import finish, translated
from toapis_async.values.records import Intended, ItemRecord, ItemState, JournalEvent
from toapis_async.wire.records import Root, decode_record, encode_facts

Entry: TypeAlias = tuple[JournalEvent, str | None]
"""An event, and the text of its request if it intends one."""

_ENDED = frozenset({ItemState.SAVED, ItemState.FAILED})
# Rows in memory that will change again; what is not kept is read back, so the number is about speed only.
_LIVE_ROWS_KEPT = 8192
# Well below the number of variables that sqlite takes in one statement (999 in old builds).
_KEYS_ASKED_FOR = 256

_SELECT = "SELECT seq, key, state, request, facts FROM items JOIN requests USING (seq)"
_MOST_ROWS_AT_ONCE = 64


_PUT_ITEMS = (
    "INSERT INTO items (seq, state, due, facts, key) VALUES ",
    "(?, ?, ?, ?, ?)",
    " ON CONFLICT (seq) DO UPDATE SET state = excluded.state, due = excluded.due, facts = excluded.facts",
)
_PUT_REQUESTS = ("INSERT OR REPLACE INTO requests (seq, request) VALUES ", "(?, ?)", "")


@lru_cache(maxsize=4 * _MOST_ROWS_AT_ONCE)
def _statement(put: tuple[str, str, str], rows: int) -> str:
    head, row, tail = put
    return head + ", ".join([row] * rows) + tail


@attrs.define
class _Row:
    seq: int
    record: ItemRecord
    request_text: str | None = None


def _stored(text: str) -> bytes:
    """Keys are the user's, and may hold lone surrogates, which sqlite's text cannot."""
    return text.encode("utf-8", "surrogatepass")


class JournalTable:
    """Reads and writes items over one connection.

    Args:
        connection: to a journal's file.
        path: of that file, for messages.
        files_at: where the run's files are.

    """

    def __init__(self, connection: sqlite3.Connection, *, path: Path, files_at: Root) -> None:
        self._connection = connection
        self._path = path
        self._files_at = files_at
        self._live: dict[str, _Row] = {}
        with translated(path):
            (last,) = connection.execute("SELECT max(seq) FROM items").fetchone()
        self._last_seq: int = last or 0
        self._began_empty = self._last_seq == 0

    @property
    def is_empty(self) -> bool:
        """Whether no item is in it."""
        return self._last_seq == 0

    def write(self, entries: Sequence[Entry]) -> None:
        """Fold events into their items and commit.

        Raises:
            JournalError: nothing of it was written.

        """
        with translated(self._path):
            # A first attempt in a journal that began empty is not looked up: it is new, or the file refuses it.
            try:
                touched = self._fold_and_put(entries, believed_new=self._first_attempts(entries))
            # The key was there after all: nothing was committed, so it is folded again on what is there.
            except sqlite3.IntegrityError:
                touched = self._fold_and_put(entries, believed_new=frozenset())
        self._keep(touched)

    def _first_attempts(self, entries: Sequence[Entry]) -> frozenset[str]:
        if not self._began_empty:
            return frozenset()
        firsts = [event.key for event, _ in entries if isinstance(event, Intended) and event.attempt == 1]
        return frozenset([key for key in firsts if key not in self._live])

    def _fold_and_put(self, entries: Sequence[Entry], believed_new: frozenset[str]) -> dict[str, _Row]:
        touched = self._fold(entries, believed_new)
        if touched:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._put(touched.values())
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        return touched

    def _fold(self, entries: Sequence[Entry], believed_new: frozenset[str]) -> dict[str, _Row]:
        touched: dict[str, _Row] = {}
        known = self._rows({event.key for event, _ in entries} - believed_new)
        for event, request_text in entries:
            key = event.key
            row = touched.get(key) or known.get(key)
            record = apply(None if row is None else row.record, event)
            if record is None:
                continue
            if row is None:
                self._last_seq += 1
                touched[key] = _Row(self._last_seq, record, request_text)
            elif record is not row.record:
                changed = record.request is not row.record.request
                touched[key] = _Row(row.seq, record, request_text if changed else row.request_text)
        return touched

    def _rows(self, keys: Iterable[str]) -> dict[str, _Row]:
        rows: dict[str, _Row] = {}
        absent: list[bytes] = []
        for key in keys:
            row = self._live.get(key)
            if row is None:
                absent.append(_stored(key))
            else:
                rows[key] = row
        for start in range(0, len(absent), _KEYS_ASKED_FOR):
            some = absent[start : start + _KEYS_ASKED_FOR]
            marks = ",".join("?" * len(some))
            for found in self._connection.execute(f"{_SELECT} WHERE key IN ({marks})", some):
                row = self._decoded(found)
                rows[row.record.key] = row
        return rows

    def _decoded(self, found: tuple[int, bytes, str, str, str]) -> _Row:
        seq, key, state, request, facts = found
        return _Row(seq, decode_record(key.decode("utf-8", "surrogatepass"), state, request, facts, self._files_at))

    def _put(self, rows: Iterable[_Row]) -> None:
        items: list[tuple[object, ...]] = []
        requests: list[tuple[object, ...]] = []
        for row in rows:
            record = row.record
            facts = encode_facts(record, self._files_at)
            items.append((row.seq, record.state.value, record.expires_at, facts, _stored(record.key)))
            if row.request_text is not None:
                requests.append((row.seq, row.request_text))
        self._put_all(_PUT_ITEMS, items)
        self._put_all(_PUT_REQUESTS, requests)

    def _put_all(self, put: tuple[str, str, str], rows: Sequence[tuple[object, ...]]) -> None:
        """Write many rows with each statement: for each one the thread gives Python's lock up and waits to get it."""
        start = 0
        while left := len(rows) - start:
            size = min(_MOST_ROWS_AT_ONCE, 1 << (left.bit_length() - 1))  # few sizes, so that sqlite keeps them ready
            self._connection.execute(_statement(put, size), list(chain.from_iterable(rows[start : start + size])))
            start += size

    def _keep(self, touched: dict[str, _Row]) -> None:
        """Remember the rows that will change again, so that they need not be read back."""
        for key, row in touched.items():
            row.request_text = None
            if row.record.state in _ENDED:
                self._live.pop(key, None)
            else:
                self._live[key] = row
        while len(self._live) > _LIVE_ROWS_KEPT:
            del self._live[next(iter(self._live))]

    def find(self, keys: Sequence[str]) -> list[ItemRecord | None]:
        """Return the record of each key, in order; None for an unknown key."""
        with translated(self._path):
            rows = self._rows(keys)
        return [rows[key].record if key in rows else None for key in keys]

    def finished_seqs(self) -> list[int]:
        """Number the finished items, those whose links die first in front."""
        with translated(self._path):
            found = self._connection.execute(
                "SELECT seq FROM items WHERE state = 'finished' ORDER BY due IS NULL, due, seq"
            )
            return [seq for (seq,) in found]

    def numbered(self, seqs: Sequence[int]) -> list[ItemRecord]:
        """Return the items with these numbers that are still finished, in order."""
        marks = ",".join("?" * len(seqs))
        with translated(self._path):
            found = self._connection.execute(f"{_SELECT} WHERE seq IN ({marks}) AND state = 'finished'", seqs)
            by_seq = {row[0]: self._decoded(row).record for row in found}
        return [by_seq[seq] for seq in seqs if seq in by_seq]

    def page(self, states: Sequence[ItemState], after_seq: int, limit: int) -> tuple[int, list[ItemRecord]]:
        """Return the next items in these states and the number to go on after; none at the end."""
        marks = ",".join("?" * len(states))
        values = [*(state.value for state in states), after_seq, limit]
        with translated(self._path):
            found = self._connection.execute(
                f"{_SELECT} WHERE state IN ({marks}) AND seq > ? ORDER BY seq LIMIT ?", values
            )
            rows = [self._decoded(row) for row in found]
        return (rows[-1].seq if rows else after_seq), [row.record for row in rows]

    def counts(self) -> dict[ItemState, int]:
        """Count the items by state."""
        with translated(self._path):
            found = self._connection.execute("SELECT state, count(*) FROM items GROUP BY state").fetchall()
            return {ItemState(state): count for state, count in found}

    def costs(self) -> dict[str | None, int]:
        """Count the items by what they cost, those without a cost under None if they should have one."""
        with translated(self._path):
            found = self._connection.execute(
                "SELECT json_extract(facts, '$.cost_usd') AS cost, count(*) FROM items "
                "WHERE cost IS NOT NULL OR state IN ('finished', 'saved') GROUP BY cost"
            )
            return dict(found.fetchall())

    def remember(self, name: str, text: str) -> None:
        """Keep a text under a name."""
        with translated(self._path):
            self._connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, _stored(text)))

    def recall(self, name: str) -> str | None:
        """Return the text kept under a name, or None."""
        with translated(self._path):
            found = self._connection.execute("SELECT text FROM notes WHERE name = ?", (name,)).fetchone()
            return None if found is None else found[0].decode("utf-8", "surrogatepass")

    def close(self) -> None:
        """Close the file; what was written stays readable whatever happens here."""
        finish(self._connection)
