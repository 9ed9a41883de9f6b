"""The catalogue that ships with the package, from its JSON.

What ships is checked by the tests, against ``wire.catalogue``, and not by every program that starts: that check, and
loading what it takes, would be a fifth of a small program's start.
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

from toapis_async.values.catalogue import Catalogue, Model
from toapis_async.values.rules import (
    Durations,
    Edits,
    Mode,
    Parameter,
    PixelSizes,
    Price,
    ReferencePlace,
    References,
    Together,
)

T = TypeVar("T")
Fields: TypeAlias = Mapping[str, Any]
Makers: TypeAlias = Mapping[str, Callable[[Any], object]]
_NONE: Makers = {}


def catalogue_from_packaged(data: bytes) -> Catalogue:
    """Read what ``wire.catalogue.catalogue_from_json`` reads, without looking whether it is right."""
    return Catalogue(tuple(_filled(Model, entry, _OF_A_MODEL) for entry in json.loads(data)))


def _filled(kind: Callable[..., T], fields: Fields, makers: Makers) -> T:
    return kind(**{name: makers.get(name, _plain)(value) for name, value in fields.items()})


def _plain(value: object) -> object:
    if type(value) is list:
        return tuple(value)
    return {key: _plain(inner) for key, inner in value.items()} if type(value) is dict else value


def _amount(value: object) -> object:
    if type(value) is dict:
        return {key: _amount(inner) for key, inner in value.items()}
    return Decimal(value) if type(value) is str else value


def _one(kind: type, makers: Makers = _NONE) -> Callable[[Fields], object]:
    return lambda fields: _filled(kind, fields, makers)


def _each(kind: type) -> Callable[[list[Fields]], object]:
    return lambda entries: tuple(_filled(kind, fields, _NONE) for fields in entries)


_PLACES = ("images", "image_roles", "first_frame", "last_frame", "videos", "audios")
_OF_A_MODEL: Makers = {
    "references": _one(References, {**dict.fromkeys(_PLACES, _one(ReferencePlace)), "modes": _each(Mode)}),
    "pixels": _one(PixelSizes),
    "durations": _one(Durations),
    "parameters": _each(Parameter),
    "together": _each(Together),
    "edits": _one(Edits),
    "price": lambda fields: _filled(Price, {name: _amount(value) for name, value in fields.items()}, _NONE),
}
