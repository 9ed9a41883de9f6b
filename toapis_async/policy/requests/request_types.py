"""Types of a request's fields. Requests come from files and from untyped code, so nothing about them is certain."""

import math
import os
from collections.abc import Mapping
from operator import attrgetter

from toapis_async.values.requests import GenerationRequest, ImageRequest, RoleReference

_TEXTS = ("size", "resolution", "id", "client_business_id", "callback_url")
_IMAGE_TEXTS = (*_TEXTS, "quality", "background", "output_format")
_IMAGE_NUMBERS = ("temperature", "top_p")
_IMAGE_WHOLE = ("output_compression", "seed")
_CLIPS = ("reference_images", "reference_videos", "reference_audios")
_often_set = attrgetter("size", "resolution", "id")
_seldom_set = attrgetter(
    "client_business_id",
    "callback_url",
    "quality",
    "background",
    "output_format",
    *_IMAGE_NUMBERS,
    *_IMAGE_WHOLE,
    "mask",
)
_NOTHING_SET = (None,) * 10
_REFERENCE = "an address, a path or bytes"


def wrong_types(request: GenerationRequest) -> list[str]:
    """Return a sentence for each field whose value has the wrong type."""
    if type(request) is ImageRequest and _is_plain(request):
        return []
    needed = ("prompt", "model")
    found = [_wrong(request, name, "text") for name in needed if not isinstance(getattr(request, name), str)]
    extra: object = request.extra
    if not isinstance(extra, Mapping):
        found.append(_wrong(request, "extra", "a mapping of field names to values"))
    if isinstance(request, ImageRequest):
        _check_image(request, found)
        return found
    _check_optional(request, _TEXTS, str, "text", found)
    _check_number(request, "duration", found)
    _check_whole(request, ("seed",), found)
    _check_optional(request, ("audio", "keep_original_sound"), bool, "true or false", found)
    for name in _CLIPS:
        _check_references(request, name, (str, bytes, os.PathLike, RoleReference), found)
    for name in ("first_frame", "last_frame"):
        _check_optional(request, (name,), (str, bytes, os.PathLike), _REFERENCE, found)
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


def _check_image(request: ImageRequest, found: list[str]) -> None:
    _check_optional(request, _IMAGE_TEXTS, str, "text", found)
    n: object = request.n
    if not _is_whole(n):
        found.append(_wrong(request, "n", "a whole number"))
    _check_whole(request, _IMAGE_WHOLE, found)
    for name in _IMAGE_NUMBERS:
        _check_number(request, name, found)
    _check_optional(request, ("edit",), bool, "true or false", found)
    _check_references(request, "reference_images", (str, bytes, os.PathLike), found)
    _check_optional(request, ("mask",), (str, bytes, os.PathLike), _REFERENCE, found)


def _check_optional(
    request: GenerationRequest,
    names: tuple[str, ...],
    kinds: type | tuple[type, ...],
    wanted: str,
    found: list[str],
) -> None:
    for name in names:
        value = getattr(request, name)
        if value is not None and not isinstance(value, kinds):
            found.append(_wrong(request, name, wanted))


def _check_whole(request: GenerationRequest, names: tuple[str, ...], found: list[str]) -> None:
    for name in names:
        value = getattr(request, name)
        if value is not None and not _is_whole(value):
            found.append(_wrong(request, name, "a whole number"))


def _check_number(request: GenerationRequest, name: str, found: list[str]) -> None:
    value = getattr(request, name)
    if value is None:
        return
    if not _is_whole(value) and (type(value) is not float or not math.isfinite(value)):
        found.append(_wrong(request, name, "a number"))


def _check_references(request: GenerationRequest, name: str, kinds: tuple[type, ...], found: list[str]) -> None:
    value = getattr(request, name)
    if not isinstance(value, tuple):
        found.append(_wrong(request, name, f"a list; each of it {_REFERENCE}"))
        return
    for number, reference in enumerate(value):
        source, role = getattr(reference, "source", reference), getattr(reference, "role", "")
        if not isinstance(reference, kinds) or not isinstance(source, (str, bytes, os.PathLike)):
            found.append(f"{name}[{number}] is {_shown(reference)}; it has to be {_REFERENCE}")
        elif not isinstance(role, str):
            found.append(f"{name}[{number}] has the role {_shown(role)}; it has to be text")


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
