"""The catalogue as JSON: a list of entries, each the fields of ``values.catalogue.Model`` by name."""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import attrs
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.errors import ForbiddenExtraKeysError

from toapis_async.errors import ConfigurationError
from toapis_async.policy.requests.spelling import did_you_mean
from toapis_async.values.catalogue import Catalogue, Model

_HINT = "Compare it with toapis_async/data/models.json, which has the same form."


def catalogue_from_json(data: bytes | str, *, name: str = "the catalogue") -> Catalogue:
    """Read a catalogue.

    Args:
        data: a JSON list of entries, UTF-8.
        name: what to call it in an error, such as the file's path.

    Raises:
        ConfigurationError: it is no such list; the message names each wrong entry and field.

    """
    try:
        entries = json.loads(data)
    except ValueError as error:
        raise ConfigurationError(f"{name} is not JSON: {error}", hint=_HINT) from error
    if not isinstance(entries, list):
        raise ConfigurationError(f"{name} has to be a list of models, not {type(entries).__name__}", hint=_HINT)
    models: list[Model] = []
    wrong: list[str] = []
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            wrong.append(f"entry {number + 1}: not an object")
            continue
        try:
            models.append(_CONVERTER.structure(entry, Model))
        except BaseValidationError as error:
            wrong += [f"{entry.get('id') or f'entry {number + 1}'}: {line}" for line in _complaints(error)]
    if wrong:
        raise ConfigurationError(f"{name} cannot be used: " + "; ".join(wrong), hint=_HINT)
    _refuse_doubles(models, name)
    return Catalogue(tuple(models))


def _refuse_doubles(models: list[Model], name: str) -> None:
    owners: dict[str, str] = {}
    for model in models:
        for word in (model.id, *model.aliases):
            owner = owners.setdefault(word.casefold(), model.id)
            if owner != model.id or (word == model.id and word in model.aliases):
                raise ConfigurationError(f"{name}: {word!r} names both {owner} and {model.id}", hint=_HINT)
        if sum(other.id == model.id for other in models) > 1:
            raise ConfigurationError(f"{name} has {model.id!r} twice", hint=_HINT)


def _complaints(error: BaseValidationError) -> list[str]:
    return [line.replace(" @ $.", " in ").replace(" @ $", "") for line in transform_error(error, format_exception=_say)]


def _say(error: BaseException, kind: type | None) -> str:
    if isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)]
        words = (f"unknown field {key!r}{did_you_mean(key, known)}" for key in sorted(error.extra_fields))
        return ", ".join(words)
    if isinstance(error, KeyError):
        return f"field {error.args[0]!r} is missing"
    return str(error) or f"not a {getattr(kind, '__name__', kind)}"


def _decimal(value: object, _: object) -> Decimal:
    if not isinstance(value, str):
        raise TypeError(f'{value!r} has to be a decimal in quotes, such as "0.012"')
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a decimal number") from None
    # Zero would let a budget count an unknown price as free.
    if not amount.is_finite() or amount <= 0:
        raise ValueError(f"{value!r} is no price; leave it out when it is not known")
    return amount


def _exactly(kind: type) -> Callable[[object, object], object]:
    def check(value: object, _: object) -> object:
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise TypeError(f"{value!r} is not {_NAMES[kind]}")
        return value

    return check


_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _scalar(value: object, _: object) -> object:
    if not isinstance(value, (str, int, float)):
        raise TypeError(f"{value!r} is not text, a number, true or false")
    return value


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind in (str, int, float, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_structure_hook(str | int | float | bool, _scalar)
    converter.register_structure_hook(
        str | int | float | bool | None, lambda value, _: None if value is None else _scalar(value, _)
    )
    return converter


_CONVERTER = _make_converter()
