"""Types of a request's fields. Requests come from files and from untyped code, so nothing about them is certain."""

import math
import os
from collections.abc import Iterator, Mapping
from operator import attrgetter

from toapis_async.values.kinds import FieldForm, kind_of
from toapis_async.values.requests import GenerationRequest, ImageRequest, RoleReference

_often_set = attrgetter("size", "resolution", "id")
_seldom_set = attrgetter(
    "client_business_id",
    "callback_url",
    "quality",
    "background",
    "output_format",
    "temperature",
    "top_p",
    "output_compression",
    "seed",
    "mask",
    "label",
    "namespace",
    "priority",
)
_NOTHING_SET = (None,) * 13
_REFERENCE = "an address, a path or bytes"
_WANTED: Mapping[FieldForm, str] = {
    "text": "text",
    "whole number": "a whole number",
    "number": "a number",
    "switch": "true or false",
    "mapping": "a mapping of field names to values",
    "reference": _REFERENCE,
    "anything": "anything",
}


def wrong_types(request: GenerationRequest) -> list[str]:
    """Return a sentence for each field whose value has the wrong type."""
    if type(request) is ImageRequest and _is_plain(request):
        return []
    kind = kind_of(request)
    found: list[str] = []
    for name, form in kind.forms.items():
        value = getattr(request, name)
        if value is None and name in kind.optional:
            continue
        if form == "references":
            found += _wrong_references(name, value, roles=name in kind.with_roles)
        elif not _is(form, value):
            found.append(_wrong(request, name, _WANTED[form]))
    return found


def _is_plain(request: ImageRequest) -> bool:
    """Tell at little cost whether a request has only what most have, in its usual types."""
    return (
        type(request.prompt) is str
        and type(request.model) is str
        and _is_whole(request.n)
        and request.edit is False
        and request.reference_images == ()
        and request.extra == {}
        and _seldom_set(request) == _NOTHING_SET
        and all(value is None or type(value) is str for value in _often_set(request))
    )


def _is(form: FieldForm, value: object) -> bool:
    match form:
        case "whole number":
            return _is_whole(value)
        case "number":
            return _is_whole(value) or (type(value) is float and math.isfinite(value))
        case "text":
            return isinstance(value, str)
        case "switch":
            return isinstance(value, bool)
        case "anything":
            return True
        case "mapping":
            return isinstance(value, Mapping)
        case _:
            return isinstance(value, (str, bytes, os.PathLike))


def _wrong_references(name: str, value: object, *, roles: bool) -> Iterator[str]:
    if not isinstance(value, tuple):
        yield f"{name} is {_shown(value)}; it has to be a list; each of it {_REFERENCE}"
        return
    for number, reference in enumerate(value):
        with_role = roles and isinstance(reference, RoleReference)
        if not _is("reference", reference.source if with_role else reference):
            yield f"{name}[{number}] is {_shown(reference)}; it has to be {_REFERENCE}"
        elif with_role and not isinstance(reference.role, str):
            yield f"{name}[{number}] has the role {_shown(reference.role)}; it has to be text"


def _is_whole(value: object) -> bool:
    # JSON numbers of more than 64 bits are read differently everywhere, and Python itself refuses to print huge ones.
    return type(value) is int and -(2**63) <= value < 2**64


def _wrong(request: GenerationRequest, name: str, wanted: str) -> str:
    value = getattr(request, name)
    quotes = isinstance(value, str) and wanted in {"a whole number", "a number", "true or false"}
    return f"{name} is {_shown(value)}; it has to be {wanted}" + (" without quotes" if quotes else "")


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:
        text = "a value that cannot be shown"
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({type(value).__name__})"
