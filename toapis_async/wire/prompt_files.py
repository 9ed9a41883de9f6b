"""Prompt files: lines of bytes -> requests, one at a time. ``storage.reading.prompt_source`` reads the file itself.

Three forms: JSON Lines (an object per line), CSV with a header, and text (a prompt per line). Nothing is kept between
lines, so that a file of a million takes no more memory than one of ten.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Literal, TypeAlias

import attrs

from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.spelling import did_you_mean
from toapis_async.values.requests import GenerationRequest
from toapis_async.wire.plain_text import plain
from toapis_async.wire.prompt_fields import Fields, LineRules, Violations, fields_of_cells, request_of

PromptForm: TypeAlias = Literal["jsonl", "csv", "txt"]

LONGEST_LINE_BYTES = 16_000_000
"""A line that is longer is no prompt, but a file without line breaks; it is not read into the memory."""

_FORMS: dict[str, PromptForm] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonlines": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "txt",
}
_DELIMITERS = (",", ";", "\t")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


@attrs.frozen(kw_only=True)
class Line:
    """One line that holds something.

    Attributes:
        number: in the file, from 1; of a record over several lines, the last.
        request: None where something is wrong.
        wrong: a sentence for everything that is.
        last: whether nothing after it could be read.

    """

    number: int
    request: GenerationRequest | None = None
    wrong: Violations = ()
    last: bool = False


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
        hint="Name it .jsonl (an object per line), .csv (with a header) or .txt (a prompt per line)"
        + (f"{did_you_mean(ending, _FORMS)}." if ending else "."),
    )


def read_lines(lines: Iterable[bytes], form: PromptForm, rules: LineRules) -> Iterator[Line]:
    """Read requests, or what is wrong, line by line; empty lines are passed over.

    Args:
        lines: with their line breaks. One that is longer than ``LONGEST_LINE_BYTES`` ends the reading, so that no
            more than its beginning needs to be given.
        form: of the file.
        rules: how lines become requests.

    """
    if form == "csv":
        yield from _read_table(lines, rules)
        return
    for number, text in _decoded(lines):
        if isinstance(text, Line):
            yield text
            if text.last:
                return
        elif text.strip() and not (form == "txt" and rules.comments and text.lstrip().startswith("#")):
            prompt = text.strip("\r\n")
            fields = {"prompt": prompt.strip()} if form == "txt" else _object(prompt)
            yield _line(number, fields, rules)


def _line(number: int, fields: Fields | Violations, rules: LineRules) -> Line:
    made = fields if isinstance(fields, tuple) else request_of(fields, rules)
    return Line(number=number, wrong=made) if isinstance(made, tuple) else Line(number=number, request=made)


def _decoded(lines: Iterable[bytes]) -> Iterator[tuple[int, str | Line]]:
    for number, raw in enumerate(lines, 1):
        data = raw.removeprefix(_BOM) if number == 1 else raw
        if number == 1 and data.startswith(_UTF16):
            yield number, Line(number=1, wrong=("the file is UTF-16; save it as UTF-8",), last=True)
            return
        if len(data) > LONGEST_LINE_BYTES:
            wrong = f"it is longer than {LONGEST_LINE_BYTES:,} bytes; put one request on each line"
            yield number, Line(number=number, wrong=(wrong,), last=True)
            return
        yield number, _text(number, data)


def _text(number: int, data: bytes) -> str | Line:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start + 1} is no UTF-8 (0x{data[error.start]:02x}); save the file as UTF-8"
        return Line(number=number, wrong=(wrong,))
    if "\0" in text:
        return Line(number=number, wrong=("it holds a NUL byte, so this is no text; save the file as UTF-8 text",))
    return text


def _object(text: str) -> Fields | Violations:
    try:
        value = _decoder.decode(text)
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

    source: Iterator[tuple[int, str | Line]]
    broken: Line | None = None

    def __iter__(self) -> Iterator[str]:
        for _, text in self.source:
            if isinstance(text, Line):
                self.broken = attrs.evolve(text, last=True)
                return
            yield text


def _read_table(lines: Iterable[bytes], rules: LineRules) -> Iterator[Line]:
    texts = _TextLines(_decoded(lines))
    upcoming = iter(texts)
    header = next((text for text in upcoming if text.strip()), "")
    delimiter = max(_DELIMITERS, key=header.count)
    names = [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
    wrong = _wrong_header(names)
    if texts.broken is None and wrong:
        yield Line(number=1, wrong=wrong, last=True)
    if texts.broken is None and not wrong:
        yield from _rows(upcoming, delimiter, names, rules)
    if texts.broken is not None:
        yield texts.broken


def _wrong_header(names: Sequence[str]) -> Violations:
    if not names:
        return ()
    if "prompt" not in names:
        return (f"the header has no column prompt; it has {plain(', '.join(names))}",)
    twice = sorted({name for name in names if names.count(name) > 1})
    return (f"the header names {plain(', '.join(twice))} twice",) if twice else ()


def _rows(texts: Iterator[str], delimiter: str, names: Sequence[str], rules: LineRules) -> Iterator[Line]:
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
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
        yield _line(number, fields_of_cells(dict(zip(names, cells, strict=False))), rules)
