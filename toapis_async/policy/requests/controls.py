"""Controls beyond the common fields, whether they are fields of the request or come through ``extra``."""

import json
import re
from collections.abc import Iterator, Mapping

from toapis_async.policy.requests.given import ABSENT, at
from toapis_async.policy.requests.spelling import did_you_mean, wire_word
from toapis_async.values.catalogue import Model
from toapis_async.values.kinds import kind_of
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.rules import Parameter

# These decide what is charged and found again, so they have fields of their own and nothing goes over them.
_RESERVED = ("model", "client_business_id")
_KINDS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "integer": (int, "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": (bool, "true or false"),
    "text": (str, "text"),
    "address": (str, "an address"),
    "object": (dict, "an object"),
    "list": ((list, tuple), "a list"),
    "span": (str, "two times in seconds, such as '1,3'"),
}
_SPAN = re.compile(r"(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)", re.ASCII)


def wrong_extra(extra: Mapping[str, object]) -> Iterator[str]:
    """Tell what no model takes in ``extra``."""
    keys: list[object] = list(extra)
    strange = [key for key in keys if not isinstance(key, str)]
    if strange:
        yield f"extra has the key {shown(strange[0])}; keys have to be text"
        return
    metadata = extra.get("metadata", {})
    if not isinstance(metadata, Mapping):
        yield f"extra['metadata'] is {shown(metadata)}; it has to be an object, which is merged with ours"
        metadata = {}
    for name in _RESERVED:
        if name in extra or name in metadata:
            yield f"extra must not hold {name!r}; set the request's own field {name}"
    try:
        json.dumps(extra, allow_nan=False, default=dict)
    except (TypeError, ValueError, RecursionError) as error:
        yield f"extra cannot be written as JSON: {error}"


def wrong_controls(request: GenerationRequest, model: Model) -> Iterator[str]:
    """Tell which controls the model does not have, or not with this value."""
    for name in kind_of(request).controls:
        value = getattr(request, name)
        if value is None:
            continue
        parameter = model.parameter(name)
        if parameter is not None:
            wrong = wrong_value(parameter, value, name)
            if wrong:
                yield wrong
        elif model.complete:
            yield f"{name} {shown(value)} is set, but {model.id} has no {name}; leave it out{_has(model)}"
    if request.extra:
        for parameter in model.parameters:
            value = at(request.extra, parameter.place)
            if value is not ABSENT and (wrong := wrong_value(parameter, value, f"extra {parameter.place}")):
                yield wrong


def wrong_value(parameter: Parameter, value: object, called: str) -> str | None:
    """Return a sentence when the parameter certainly does not take this value."""
    if parameter.kind == "enum":
        known = (*parameter.choices, *parameter.words.values())
        if isinstance(value, str) and wire_word(value, parameter.choices, parameter.words) is not None:
            return None
        meant = did_you_mean(value, known) if isinstance(value, str) else ""
        return f"{called} {shown(value)} is not one of {', '.join(parameter.choices)}{meant}{_note(parameter)}"
    if parameter.kind == "address":
        return None if called == parameter.name or isinstance(value, str) else f"{called} has to be an address"
    kind, wanted = _KINDS[parameter.kind]
    # Some objects may be one of a few words, and some switches have words of their own on the wire.
    spelled = parameter.kind in {"object", "boolean"} and (*parameter.choices, *parameter.words.values())
    if spelled and isinstance(value, str) and value in spelled:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = "".join(f" or {word}" for word in parameter.choices)
        return f"{called} is {shown(value)}; it has to be {wanted}{words}{_note(parameter)}"
    return _out_of_bounds(parameter, value, called)


def _out_of_bounds(parameter: Parameter, value: object, called: str) -> str | None:
    measured = _measured(parameter, value)
    if measured is None:
        times = _KINDS["span"][1]
        return f"{called} {shown(value)} is not {times}{_note(parameter)}" if parameter.kind == "span" else None
    low, high = parameter.low, parameter.high
    if (low is None or measured >= low) and (high is None or measured <= high):
        return None
    bounds = f"{_plain(low)} to {_plain(high)}" if low is not None and high is not None else ""
    bounds = bounds or (f"at least {_plain(low)}" if low is not None else f"at most {_plain(high)}")
    unit = {"text": " characters", "list": " entries", "span": " seconds"}.get(parameter.kind, "")
    return f"{called} {shown(value)} is out of bounds; allowed is {bounds}{unit}{_note(parameter)}"


def _measured(parameter: Parameter, value: object) -> float | None:
    if parameter.kind == "span":
        times = _SPAN.fullmatch(value) if isinstance(value, str) else None
        return float(times[2]) - float(times[1]) if times else None
    if isinstance(value, (str, list, tuple)):
        return len(value)
    return value if isinstance(value, (int, float)) else None


def _has(model: Model) -> str:
    names = [parameter.name for parameter in model.parameters if "." not in parameter.name]
    return f" (it has {', '.join(names)})" if names else ""


def _note(parameter: Parameter) -> str:
    return f" ({parameter.note})" if parameter.note else ""


def _plain(number: float | None) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def shown(value: object) -> str:
    """Write a value for a sentence, in at most 60 characters."""
    try:
        text = repr(value)
    except ValueError:
        text = "a value that cannot be shown"
    return text if len(text) <= 60 else text[:57] + "…"
