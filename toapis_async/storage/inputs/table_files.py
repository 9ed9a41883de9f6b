"""Tables on the disk: Parquet and Arrow files, read a few rows at a time (extra ``arrow``)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pyarrow import ipc, parquet

from toapis_async.errors import InvalidRequestError

# Its own pool keeps what it once had: 28 MB more after a million rows, 12 MB with the system's. This file is the
# command line's alone, so no program of a user's is touched.
pa.set_memory_pool(pa.system_memory_pool())

_ROWS_AT_ONCE = 1024
# Without one, a whole column of a row group is read at once, and one row group may be the whole file.
_BUFFER_BYTES = 1 << 16


def column_names(path: Path, form: Literal["parquet", "arrow"]) -> tuple[str, ...]:
    """Name the columns of a table.

    Raises:
        InvalidRequestError: it cannot be read.

    """
    try:
        if form == "parquet":
            return tuple(parquet.read_schema(path).names)
        with pa.OSFile(str(path)) as file, _opened(file) as reader:
            return tuple(reader.schema.names)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error


def table_rows(path: Path, form: Literal["parquet", "arrow"], columns: Sequence[str]) -> Iterator[dict[str, object]]:
    """Read rows one by one, in memory that does not grow with their number.

    Args:
        path: of the file.
        form: how it is written; ``arrow`` is a file of Arrow's, or a stream of it.
        columns: to be read; others are passed over.

    Raises:
        InvalidRequestError: it cannot be read.

    """
    try:
        batches = _parquet_batches(path, columns) if form == "parquet" else _arrow_batches(path, columns)
        for batch in batches:
            for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
                yield from batch.slice(start, _ROWS_AT_ONCE).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error


def _parquet_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
        yield from file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(columns), use_threads=False)


def _arrow_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path)) as file, _opened(file) as reader:
        if isinstance(reader, ipc.RecordBatchFileReader):
            batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
        else:
            batches = iter(reader)
        for batch in batches:
            yield batch.select(list(columns))


def _opened(file: pa.NativeFile) -> ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader:
    try:
        return ipc.open_file(file)
    except pa.ArrowInvalid:
        file.seek(0)
        return ipc.open_stream(file)


def unreadable(path: Path, error: Exception) -> InvalidRequestError:
    """Say that a table cannot be read."""
    said = (getattr(error, "strerror", None) or str(error)).partition("\n")[0].rstrip(".")
    return InvalidRequestError(f"{path} cannot be read: {said}.", hint="Nothing more was sent.")
