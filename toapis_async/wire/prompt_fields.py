"""The fields of one line of a prompt file -> a request.

The names are those of ``ImageRequest`` and ``VideoRequest``. ``kind`` says which; without it the model does, where the
catalogue knows it.
"""

import json
import os.path
import re
from collections.abc import Callable
from math import isnan
from typing import Any

import attrs

from toapis_async.policy.requests.checker import RequestChecker
from toapis_async.policy.requests.request_types import wrong_types
from toapis_async.policy.requests.validation import Validation
from toapis_async.values.catalogue import Catalogue
from toapis_async.values.kinds import KINDS, TaskKind, fields_of_form
from toapis_async.values.requests import GenerationRequest, RoleReference
from toapis_async.wire.plain_text import plain
from toapis_async.wire.table_columns import REQUEST_FIELDS, Columns, Fields, Violations, unknown_field

_BY_NAME: dict[str, TaskKind] = {kind.name: kind for kind in KINDS.values()}
_LISTS = fields_of_form("references")
_SINGLES = fields_of_form("reference")
_SHOWN = _LISTS | _SINGLES
_WHOLE = fields_of_form("whole number")
_NUMBERS = fields_of_form("number")
_SWITCHES = fields_of_form("switch")
_YES = frozenset({"true", "yes", "1", "on"})
_NO = frozenset({"false", "no", "0", "off"})
_BETWEEN_REFERENCES = re.compile(r"\s*[;|]\s*")
_SHOWN_CHARS = 60
_LONGEST_PATH = 4096


@attrs.frozen(kw_only=True)
class LineRules:
    """How lines become requests.

    Attributes:
        catalogue: what the models accept, and which of them make videos.
        directory: where relative paths of references begin; empty leaves them as they are.
        model, size, resolution: for lines that do not say; None leaves them to the library's and the model's default.
        validation: ``strict`` makes what the catalogue calls wrong a violation. Wrong types always are.
        columns: which column is which field.
        checker: of requests against the catalogue.

    """

    catalogue: Catalogue
    directory: str = ""
    model: str | None = None
    size: str | None = None
    resolution: str | None = None
    validation: Validation = "strict"
    columns: Columns = attrs.field(factory=Columns)
    checker: RequestChecker = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: RequestChecker(self.catalogue), takes_self=True),
    )


def request_of(fields: Fields, rules: LineRules, context: object = None) -> GenerationRequest | Violations:
    """Return the request that the fields describe, or a sentence for everything that is wrong with them."""
    request = read_request(fields, rules, context)
    if isinstance(request, tuple):
        return request
    broken = rules.checker.check(request).violations if rules.validation == "strict" else tuple(wrong_types(request))
    return broken or request


def read_request(fields: Fields, rules: LineRules, context: object = None) -> GenerationRequest | Violations:
    """Return the request that the fields describe, its values unchecked, or a sentence for every field out of place."""
    given = {name: value for name, value in fields.items() if value is not None}
    if not given.keys() <= REQUEST_FIELDS:
        return tuple(unknown_field(name) for name in given if name not in REQUEST_FIELDS)
    if rules.model is not None:
        given.setdefault("model", rules.model)
    if rules.size is not None:
        given.setdefault("size", rules.size)
    if rules.resolution is not None:
        given.setdefault("resolution", rules.resolution)
    name_of_kind = given.pop("kind", None)
    if name_of_kind is None:
        name_of_kind = _kind_by_model(given.get("model"), rules.catalogue)
    kind = _BY_NAME.get(name_of_kind) if isinstance(name_of_kind, str) else None
    if kind is None:
        allowed = " or ".join(f'"{one}"' for one in KINDS)
        return (f"kind is {_shown(name_of_kind)}; it has to be {allowed}",)
    found = _misplaced(given, kind)
    if found:
        return found
    for name in _SHOWN.intersection(given):
        if isinstance(given[name], list if name in _LISTS else str):
            given[name] = _located(given[name], rules.directory)
    request: GenerationRequest = kind.request(**given, context=context)
    return request


def fields_of_cells(cells: Fields) -> Fields | Violations:
    """Give the cells of a table their types; empty ones are not given. What cannot be converted is a violation.

    A cell that is no text has its type already.
    """
    fields: dict[str, Any] = {}
    found: list[str] = []
    for name, cell in cells.items():
        if not isinstance(cell, str):
            if cell is not None and not (isinstance(cell, float) and isnan(cell)):  # which is a table's nothing
                fields[name] = cell
            continue
        text = cell if name == "prompt" else cell.strip()
        if not text.strip():
            continue
        try:
            fields[name] = _typed(name, text)
        except ValueError as error:
            found.append(f"{name} is {_shown(text)}; it has to be {error}")
    return tuple(found) or fields


def _typed(name: str, text: str) -> object:
    if name in _LISTS:
        return [part for part in _BETWEEN_REFERENCES.split(text) if part]
    if name in _WHOLE:
        return _converted(int, text, "a whole number")
    if name in _NUMBERS:
        return _converted(float, text, "a number")
    if name in _SWITCHES:
        word = text.casefold()
        if word not in _YES | _NO:
            raise ValueError("true or false")
        return word in _YES
    if name == "extra":
        return _converted(json.loads, text, 'a JSON object, such as {"seed": 7}')
    return text


def _converted(convert: Callable[[str], object], text: str, wanted: str) -> object:
    try:
        return convert(text)
    except (ValueError, RecursionError):
        raise ValueError(wanted) from None


def _kind_by_model(model: object, catalogue: Catalogue) -> str:
    known = catalogue.find(model) if isinstance(model, str) else None
    return "image" if known is None else known.kind


def _misplaced(given: Fields, kind: TaskKind) -> Violations:
    if given.keys() <= kind.forms.keys() and "prompt" in given and ("model" in given or kind.has_default_model):
        return ()
    strange = [name for name in given if name not in kind.forms]
    others = [next(one.name for one in KINDS.values() if name in one.forms) for name in strange]
    found = [
        f"{name} is a field of {other}s, and this line makes {kind.with_article}"
        for name, other in zip(strange, others, strict=True)
    ]
    if found:
        found[-1] += f'; take a model that makes {others[-1]}s, or add "kind": "{others[-1]}"'
    if "prompt" not in given:
        found.append("prompt is missing")
    if "model" not in given and not kind.has_default_model:
        none = f"{kind.name}s have no default model; give one (toapis models --kind {kind.name})"
        found.append(f"model is missing, and {none}")
    return tuple(found)


def _located(value: object, directory: str) -> object:
    if isinstance(value, list):
        return tuple(_located(one, directory) for one in value)
    if isinstance(value, dict) and {"source", "role"} == value.keys():
        return RoleReference(source=_located(value["source"], directory), role=value["role"])  # type: ignore[arg-type]
    if not isinstance(value, str) or not directory or not _is_path(value):
        return value
    return os.path.join(directory, value)  # noqa: PTH118  # text stays text: the item's name is made from it


def _is_path(text: str) -> bool:
    # Data and foreign schemes are left for validation to name.
    return bool(text.strip()) and len(text) <= _LONGEST_PATH and "://" not in text and text[:5].lower() != "data:"


def _shown(value: object) -> str:
    text = repr(value)
    return plain(text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…")
