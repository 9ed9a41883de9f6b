"""What the lines of a manifest carry and the journal does not hold, while the manifest is made anew."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import suppress

from toapis_async.values.columns import CarriedColumns

_MARK = '"context": {'


class CarriedContexts:
    """The columns that were carried with each item, by its key; for one thread at a time.

    They are kept in a temporary file that vanishes with the process: a few megabytes of memory, however many.

    Args:
        lines: of the manifest as it is; the last line of a key counts.

    """

    def __init__(self, lines: Iterable[str]) -> None:
        # An empty name is a temporary file of sqlite's own.
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("CREATE TABLE contexts (key TEXT PRIMARY KEY, context TEXT) WITHOUT ROWID")
        self._connection.execute("BEGIN")
        self.any: bool = False
        for line in lines:
            if _MARK in line:
                self._keep(line)

    def of(self, key: str) -> CarriedColumns | None:
        """Return what was carried with an item, or None."""
        if not self.any:
            return None
        found = self._connection.execute("SELECT context FROM contexts WHERE key = ?", (_text(key),)).fetchone()
        return None if found is None else CarriedColumns(json.loads(found[0]))

    def close(self) -> None:
        """Forget all of them."""
        self._connection.close()

    def _keep(self, line: str) -> None:
        with suppress(ValueError, KeyError, TypeError, AttributeError):  # no line of ours: then it carries nothing
            body = json.loads(line)
            context = body.get("context")
            if isinstance(context, dict):
                row = (_text(body["id"]), json.dumps(context))
                self._connection.execute("INSERT OR REPLACE INTO contexts VALUES (?, ?)", row)
                self.any = True


def _text(key: str) -> str:
    return json.dumps(key)  # a lone surrogate is no UTF-8
