"""What a reply complains of, in whichever of the gateway's envelopes: ``docs/contract.md#errors``."""

import re
from collections.abc import Mapping
from typing import Any

import attrs

from toapis_async.wire.json_objects import json_in
from toapis_async.wire.plain_text import is_markup, plain, without_markup
from toapis_async.wire.scalars import id_of, name_of

# Vendors' bodies come as JSON text inside a message, sometimes several times over.
_MOST_OPENED = 4
_MOST_STEPS = 16
_MOST_OPENED_CHARS = 100_000

_REASONS = ("message", "fail_reason", "msg", "detail", "reason")
_REQUEST_ID = re.compile(r"request[ _-]?id\s*[:=]\s*([A-Za-z0-9._:-]{3,128})", re.IGNORECASE)
_TASK_OBJECTS = {"generation.task", "video"}
_TASK_PREFIXES = ("tsk_", "task_")


@attrs.frozen(kw_only=True)
class Complaint:
    """The gateway's words, safe to print.

    Attributes:
        code: its own code as text, the outermost that is not empty; None without one.
        message: one line; empty when it says nothing.
        param: the field that it names, or None.
        words: all codes, types and the message together, for recognising.
        request_id: from the body or the message, or None.
        task_id: a task that the body names all the same, or None.

    """

    code: str | None = None
    message: str = ""
    param: str | None = None
    words: str = ""
    request_id: str | None = None
    task_id: str | None = None


@attrs.define
class _Notes:
    codes: list[str] = attrs.field(factory=list)
    types: list[str] = attrs.field(factory=list)
    text: str = ""
    param: str | None = None
    request_id: str | None = None
    task_id: str | None = None

    def take(self, said: Mapping[str, Any]) -> None:
        for names, key in ((self.codes, "code"), (self.types, "type")):
            name = name_of(said.get(key))
            if name is not None:
                names.append(name)
        self.param = self.param or name_of(said.get("param"))
        self.request_id = self.request_id or name_of(said.get("request_id"))
        self.task_id = self.task_id or task_id_in(said)


def complaint_in(said: object) -> Complaint:
    """Read a complaint from a parsed body, an ``error`` value or a text. Never raises."""
    notes = _Notes()
    opened = 0
    for _ in range(_MOST_STEPS):
        if type(said) is str:
            inner = _opened(said) if opened < _MOST_OPENED else None
            if inner is None:
                notes.text = said
                break
            opened += 1
            notes.text = said  # kept for a body that has no text of its own
            said = inner
        elif type(said) is dict:
            notes.take(said)
            said = _next_inside(said, notes)
        elif type(said) is list and said:
            said = said[0]
        else:
            break
    return _written(notes)


def task_id_in(said: Mapping[str, Any]) -> str | None:
    """Find the id of a task that an error's body names; an ``id`` of something else is none."""
    found = id_of(said.get("task_id"))
    if found is not None:
        return found
    found = id_of(said.get("id"))
    if found is not None and (found.startswith(_TASK_PREFIXES) or _is_task_object(said.get("object"))):
        return found
    inner = said.get("data")
    return id_of(inner.get("task_id")) if type(inner) is dict else None


def _is_task_object(value: object) -> bool:
    return type(value) is str and value in _TASK_OBJECTS


def _opened(text: str) -> object:
    if text.lstrip()[:1] not in {"{", "[", '"'} or len(text) > _MOST_OPENED_CHARS:
        return None
    inner = json_in(text)
    return inner if type(inner) in {dict, list, str} else None


def _next_inside(said: Mapping[str, Any], notes: _Notes) -> object:
    error = said.get("error")
    outer = next((said[key] for key in _REASONS if _says_something(said.get(key))), None)
    if not _says_something(error):
        return outer
    if type(outer) is str:
        notes.text = outer  # kept for an error object that has no text of its own
    return error


def _says_something(value: object) -> bool:
    return (type(value) is str and bool(value.strip())) or (type(value) in {dict, list} and bool(value))


def _written(notes: _Notes) -> Complaint:
    raw = without_markup(notes.text, 2000) if is_markup(notes.text) else plain(notes.text, 2000)
    found = _REQUEST_ID.search(raw)
    message = plain(raw)
    return Complaint(
        code=plain(notes.codes[0], 100) if notes.codes else None,
        message=message,
        param=notes.param and plain(notes.param, 100),
        words=" ".join((*notes.codes, *notes.types, raw)),
        request_id=notes.request_id or (found[1] if found else None),
        task_id=notes.task_id,
    )
