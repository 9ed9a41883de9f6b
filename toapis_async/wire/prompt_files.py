"""Prompt files: lines of bytes -> requests, one at a time. ``storage.inputs.prompt_source`` reads the file itself.

Three forms: JSON Lines (an object per line), CSV with a header, and text (a prompt per line). Nothing is kept between
lines, so that a file of a million takes no more memory than one of ten.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Generic, Literal, TypeAlias, TypeVar

import attrs

from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.spelling import did_you_mean
from toapis_async.values.columns import CarriedColumns
from toapis_async.wire.plain_text import plain
from toapis_async.wire.prompt_fields import fields_of_cells
from toapis_async.wire.table_columns import ColumnPlan, Columns, Fields, Violations

PromptForm: TypeAlias = Literal["jsonl", "csv", "txt", "parquet", "arrow"]
"""The last two are tables, which ``storage.inputs.table_files`` reads."""

Made = TypeVar("Made")
Make: TypeAlias = Callable[[Fields, CarriedColumns | None], Made | tuple[str, ...]]
"""Makes something of a line's fields and of what goes along with them, or says what is wrong with them."""

LONGEST_LINE_BYTES = 16_000_000
"""A line that is longer is no prompt, but a file without line breaks; it is not read into the memory."""

_FORMS: dict[str, PromptForm] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonlines": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "txt",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
}
TABLES: frozenset[PromptForm] = frozenset({"parquet", "arrow"})
_DELIMITERS = (",", ";", "\t")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


@attrs.define(kw_only=True)
class Line(Generic[Made]):
    """One line, or one row of a table, that holds something.

    Attributes:
        number: in the file, from 1; of a record over several lines, the last.
        made: of it; None where something is wrong.
        wrong: a sentence for everything that is.
        last: whether nothing after it could be read.
        left: columns that are not used, where it is the first of a table.

    """

    number: int
    made: Made | None = None
    wrong: Violations = ()
    last: bool = False
    left: tuple[str, ...] = ()


def form_of(name: str) -> PromptForm:
    """Tell a file's form by its ending.

    Raises:
        InvalidRequestError: it has none that is known.

    """
    ending = PurePath(name).suffix.lower()
    if ending in _FORMS:
        return _FORMS[ending]
    raise InvalidRequestError(
        f"{plain(name)} is no prompt file by its name.",
        hint="Name it .jsonl (an object per line), .csv (with a header), .txt (a prompt per line), .parquet or .arrow"
        + (f"{did_you_mean(ending, _FORMS)}." if ending else "."),
    )


def read_lines(
    lines: Iterable[bytes], form: PromptForm, columns: Columns, make: Make[Made], *, comments: bool = False
) -> Iterator[Line[Made]]:
    """Read requests, or what is wrong, line by line; empty lines are passed over.

    Args:
        lines: with their line breaks. One that is longer than ``LONGEST_LINE_BYTES`` ends the reading, so that no
            more than its beginning needs to be given.
        form: of the file; no table's.
        columns: which column is which field.
        make: makes something of a line's fields.
        comments: whether lines of a text file that begin with # are no prompts.

    """
    if form == "csv":
        yield from _read_table(lines, columns, make)
        return
    for number, text in _decoded(lines):
        if isinstance(text, _Broken):
            yield Line(number=number, wrong=text.wrong, last=text.last)
            if text.last:
                return
        elif text.strip() and not (comments and form == "txt" and text.lstrip().startswith("#")):
            fields = {"prompt": text.strip()} if form == "txt" else _object(text.strip("\r\n"))
            yield _line(number, fields, columns, make)


def read_rows(rows: Iterable[Fields], names: Sequence[str], columns: Columns, make: Make[Made]) -> Iterator[Line[Made]]:
    """Read requests, or what is wrong, row by row of a table with types.

    Args:
        rows: by the columns' names.
        names: of all columns, whether the rows have them or not.
        columns: which column is which field.
        make: makes something of a row's fields.

    """
    plan = columns.plan(names)
    if isinstance(plan, tuple):
        yield Line(number=1, wrong=plan, last=True)
        return
    left = plan.left
    for number, row in enumerate(rows, 1):
        yield _row(number, row, plan, make, left)
        left = ()


def _line(number: int, fields: Fields | Violations, columns: Columns, make: Make[Made]) -> Line[Made]:
    if isinstance(fields, tuple):
        return Line(number=number, wrong=fields)
    if not columns.given:
        return _made(number, make(fields, None))
    plan = columns.plan(tuple(fields))
    if isinstance(plan, tuple):
        return Line(number=number, wrong=plan)
    return _made(number, make(plan.fields_of(fields), plan.context_of(fields)), plan.left if number == 1 else ())


def _row(number: int, row: Fields, plan: ColumnPlan, make: Make[Made], left: tuple[str, ...] = ()) -> Line[Made]:
    fields = fields_of_cells(plan.fields_of(row))
    if isinstance(fields, tuple):
        return Line(number=number, wrong=fields, left=left)
    return _made(number, make(fields, plan.context_of(row)), left)


def _made(number: int, made: Made | Violations, left: tuple[str, ...] = ()) -> Line[Made]:
    return (
        Line(number=number, wrong=made, left=left)
        if isinstance(made, tuple)
        else Line(number=number, made=made, left=left)
    )


@attrs.frozen
class _Broken:
    """A line that is no text."""

    number: int
    wrong: Violations
    last: bool = False


def _decoded(lines: Iterable[bytes]) -> Iterator[tuple[int, str | _Broken]]:
    for number, raw in enumerate(lines, 1):
        data = raw.removeprefix(_BOM) if number == 1 else raw
        if number == 1 and data.startswith(_UTF16):
            yield number, _Broken(1, ("the file is UTF-16; save it as UTF-8",), last=True)
            return
        if len(data) > LONGEST_LINE_BYTES:
            wrong = f"it is longer than {LONGEST_LINE_BYTES:,} bytes; put one request on each line"
            yield number, _Broken(number, (wrong,), last=True)
            return
        yield number, _text(number, data)


def _text(number: int, data: bytes) -> str | _Broken:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start + 1} is no UTF-8 (0x{data[error.start]:02x}); save the file as UTF-8"
        return _Broken(number, (wrong,))
    if "\0" in text:
        return _Broken(number, ("it holds a NUL byte, so this is no text; save the file as UTF-8 text",))
    return text


def _object(text: str) -> Fields | Violations:
    try:
        value, end = _decoder.raw_decode(text) if text.startswith("{") else (None, 0)
        if end != len(text):
            value = _decoder.decode(text)  # which takes the space around it, and says what is wrong with the rest
    except json.JSONDecodeError as error:
        return (f"it is no JSON: {error.msg} at column {error.colno}",)
    except RecursionError:
        return ("it is no JSON that can be read: nested too deeply",)
    except ValueError as error:
        return (f"it is no JSON: {plain(str(error))}",)
    if not isinstance(value, dict):
        shown = '; write {"prompt": "…"}' if isinstance(value, str) else ""
        return (f"it is no JSON object{shown}",)
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    together = dict(pairs)
    if len(together) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is given twice")
    return together


_decoder = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_pairs)


@attrs.define
class _TextLines:
    """Lines for the CSV reader; remembers why it had to stop."""

    source: Iterator[tuple[int, str | _Broken]]
    broken: _Broken | None = None

    def __iter__(self) -> Iterator[str]:
        for _, text in self.source:
            if isinstance(text, _Broken):
                self.broken = text
                return
            yield text


def _read_table(lines: Iterable[bytes], columns: Columns, make: Make[Made]) -> Iterator[Line[Made]]:
    texts = _TextLines(_decoded(lines))
    upcoming = iter(texts)
    header = next((text for text in upcoming if text.strip()), "")
    delimiter = max(_DELIMITERS, key=header.count)
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    if texts.broken is None and names:
        plan = _plan(names, columns)
        if isinstance(plan, tuple):
            yield Line(number=1, wrong=plan, last=True)
        else:
            yield from _rows(upcoming, delimiter, names, plan, make)
    if texts.broken is not None:
        yield Line(number=texts.broken.number, wrong=texts.broken.wrong, last=True)


def _plan(names: Sequence[str], columns: Columns) -> ColumnPlan | Violations:
    folded = [name.lower() for name in names]
    twice = sorted({name for name in folded if folded.count(name) > 1})
    if twice:
        return (f"the header names {plain(', '.join(twice))} twice",)
    return columns.plan(names)


def _rows(
    texts: Iterator[str], delimiter: str, names: Sequence[str], plan: ColumnPlan, make: Make[Made]
) -> Iterator[Line[Made]]:
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
    left = plan.left
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number=reader.line_num + 1, wrong=(f"it is no CSV: {error}",), last=True)
            return
        if not any(cell.strip() for cell in cells):
            continue
        number = reader.line_num + 1
        if len(cells) > len(names):
            wrong = (
                f"it has {len(cells)} cells under {len(names)} columns; put quotes around text with separators in it"
            )
            yield Line(number=number, wrong=(wrong,))
            continue
        yield _row(number, dict(zip(names, cells, strict=False)), plan, make, left)
        left = ()
