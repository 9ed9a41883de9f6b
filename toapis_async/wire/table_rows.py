"""Rows as other libraries have them -> mappings by column: Arrow, pandas, polars, dicts, tuples, objects.

Each is known by what it can do, so that none of these libraries is imported here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from toapis_async.errors import InvalidRequestError
from toapis_async.values.requests import GenerationRequest, ImageRequest, VideoRequest
from toapis_async.wire.table_columns import Fields

_ROWS_AT_ONCE = 1024


def mappings_of(source: object, names: Sequence[str] | None) -> Iterator[Fields | GenerationRequest]:
    """Walk the rows of a table, or of any iterable, a few at a time.

    Args:
        source: an Arrow table, record batch or reader, a Parquet file or data set of pyarrow's, a DataFrame of pandas
            or polars, or any iterable of what ``mapping_of()`` takes.
        names: as for ``mapping_of()``.

    Raises:
        InvalidRequestError: it is no iterable, or a row is none of these.

    """
    table = cast(Any, source)
    batches = getattr(source, "iter_batches", None) or getattr(source, "to_batches", None)
    if batches is not None:
        for batch in batches():
            yield from _of_batch(batch)
    elif _is_batch(source):
        yield from _of_batch(source)
    elif hasattr(source, "iter_rows"):
        yield from table.iter_rows(named=True)
    elif hasattr(source, "iloc") and hasattr(source, "to_dict"):
        for start in range(0, len(table), _ROWS_AT_ONCE):
            yield from table.iloc[start : start + _ROWS_AT_ONCE].to_dict("records")
    elif isinstance(source, Iterable) and not isinstance(source, (str, bytes, Mapping)):
        for number, row in enumerate(source, 1):
            if _is_batch(row):
                yield from _of_batch(row)
            else:
                yield mapping_of(row, names, number)
    else:
        raise InvalidRequestError(
            f"A {type(source).__name__} is no table and no iterable of rows.",
            hint="Give a list of dicts, for instance.",
        )


def mapping_of(row: object, names: Sequence[str] | None, number: int) -> Fields | GenerationRequest:
    """Return a row by its columns' names; a request that is made already comes back as it is.

    Args:
        row: a mapping, a prompt alone, a named tuple, a tuple or list, or an object with attributes.
        names: of the columns of tuples and lists, in order, or of the attributes to take; None where rows name theirs.
        number: of the row, from 1.

    Raises:
        InvalidRequestError: it is none of these.

    """
    if isinstance(row, (Mapping, ImageRequest, VideoRequest)):
        return row
    if isinstance(row, str):
        return {"prompt": row}
    if isinstance(row, (tuple, list)):
        if names is None and hasattr(row, "_asdict"):
            return cast(Fields, row._asdict())
        if names is not None and len(names) == len(row):
            return dict(zip(names, row, strict=True))
    elif names is not None and all(hasattr(row, name) for name in names):
        return {name: getattr(row, name) for name in names}
    elif names is None and (own := _attributes(row)):
        return own
    raise InvalidRequestError(
        f"Row {number} is a {type(row).__name__} whose columns are not known.",
        hint="Give dicts, or name the columns in their order: rows(…, columns=['prompt', 'id']).",
    )


def _is_batch(value: object) -> bool:
    return hasattr(value, "to_pylist") and hasattr(value, "num_rows") and hasattr(value, "slice")


def _of_batch(batch: object) -> Iterator[Fields]:
    rows = cast(Any, batch)
    for start in range(0, rows.num_rows, _ROWS_AT_ONCE):
        yield from rows.slice(start, _ROWS_AT_ONCE).to_pylist()


def _attributes(row: object) -> Fields:
    named = getattr(row, "__dataclass_fields__", None) or [
        field.name for field in getattr(type(row), "__attrs_attrs__", ())
    ]
    found: Iterable[str] = named or getattr(row, "__dict__", ())
    return {name: getattr(row, name) for name in found if not name.startswith("_")}
