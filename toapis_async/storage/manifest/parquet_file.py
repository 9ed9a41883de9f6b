"""A manifest as a Parquet file (extra ``arrow``): written a few rows at a time, and put in place as a whole."""

import json
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from toapis_async.storage.files.refusals import storage_error
from toapis_async.values.files import SavedFile, is_address
from toapis_async.wire.manifest import ManifestEntry

_ROWS_AT_ONCE = 4096
_UTC = pa.timestamp("ms", tz="UTC")
_FILE = pa.struct(
    [
        ("path", pa.string()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        ("mime", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
    ]
)
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("status", pa.string()),
        ("path", pa.string()),
        ("files", pa.list_(_FILE)),
        ("task_id", pa.string()),
        ("client_business_id", pa.string()),
        ("model", pa.string()),
        ("prompt", pa.string()),
        ("size", pa.string()),
        ("resolution", pa.string()),
        ("seed", pa.int64()),
        ("looks", pa.int32()),
        ("cost_usd", pa.decimal128(20, 10)),
        ("submitted_at", _UTC),
        ("accepted_at", _UTC),
        ("expires_at", _UTC),
        ("ended_at", _UTC),
        ("error_type", pa.string()),
        ("error_message", pa.string()),
        ("context", pa.string()),
    ]
)
"""``path`` is the first file's, for joins, and an address where it is in a bucket; ``context`` is a JSON object, since
every run carries other columns."""
_COPIED = tuple(name for name in SCHEMA.names if name not in {"path", "files", "seed", "cost_usd", "context"})


def write_parquet(entries: Iterable[ManifestEntry], place: Path) -> int:
    """Write the entries of a manifest, and return how many there were.

    Args:
        entries: in the order in which they shall stand.
        place: the file; it is replaced when everything is written and synced, and stays as it was until then.

    Raises:
        StorageError: the disk refused.

    """
    draft = place.with_name(f".{place.name}.{os.getpid()}.part")
    rows, count = iter(entries), 0
    try:
        with draft.open("wb") as file:
            with parquet.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
                while page := [_row(entry) for entry in islice(rows, _ROWS_AT_ONCE)]:
                    writer.write_table(pa.Table.from_pylist(page, schema=SCHEMA))
                    count += len(page)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place)
    except OSError as error:
        raise storage_error(error, path=str(place)) from error
    finally:
        draft.unlink(missing_ok=True)
    return count


def _row(entry: ManifestEntry) -> dict[str, object]:
    row: dict[str, object] = {name: _writable(getattr(entry, name)) for name in _COPIED}
    row["path"] = _place(entry.files[0]) if entry.files else None
    row["files"] = [_file(file) for file in entry.files]
    row["seed"] = entry.seed if entry.seed is None or -(2**63) <= entry.seed < 2**63 else None
    row["cost_usd"] = None if entry.cost_usd is None else round(entry.cost_usd, 10)
    row["context"] = None if entry.context is None else json.dumps(entry.context)
    return row


def _file(file: SavedFile) -> dict[str, object]:
    return {name: _writable(getattr(file, name)) for name in ("bytes", "sha256", "mime", "width", "height")} | {
        "path": _place(file)
    }


def _place(file: SavedFile) -> object:
    return _writable(file.uri if is_address(file.uri) else file.path.as_posix())


def _writable(value: object) -> object:
    # A lone surrogate, which JSON can hold and Arrow's UTF-8 cannot, becomes the escape that JSON has for it.
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
