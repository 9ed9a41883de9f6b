"""Controls beyond the common fields, whether they are fields of the request or come through ``extra``."""

import json
from collections.abc import Iterator, Mapping

from toapis_async.policy.requests.spelling import did_you_mean, wire_word
from toapis_async.values.catalogue import Model
from toapis_async.values.requests import GenerationRequest, ImageRequest
from toapis_async.values.rules import Parameter, Together

IMAGE_CONTROLS = (
    "mask",
    "quality",
    "background",
    "output_format",
    "output_compression",
    "temperature",
    "top_p",
    "seed",
)
VIDEO_CONTROLS = ("audio", "seed")
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
}
ABSENT = object()
"""What ``at()`` returns where nothing is; None is a value."""


def wrong_extra(extra: Mapping[str, object]) -> Iterator[str]:
    """Tell what no model takes in ``extra``."""
    keys: list[object] = list(extra)
    strange = [key for key in keys if not isinstance(key, str)]
    if strange:
        yield f"extra has the key {_shown(strange[0])}; keys have to be text"
        return
    metadata = extra.get("metadata", {})
    if not isinstance(metadata, Mapping):
        yield f"extra['metadata'] is {_shown(metadata)}; it has to be an object, which is merged with ours"
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
    for name in IMAGE_CONTROLS if isinstance(request, ImageRequest) else VIDEO_CONTROLS:
        value = getattr(request, name)
        if value is None:
            continue
        parameter = model.parameter(name)
        if parameter is not None:
            wrong = wrong_value(parameter, value, name)
            if wrong:
                yield wrong
        elif model.complete:
            yield f"{name} {_shown(value)} is set, but {model.id} has no {name}; leave it out{_has(model)}"
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
        return f"{called} {_shown(value)} is not one of {', '.join(parameter.choices)}{meant}{_note(parameter)}"
    if parameter.kind == "address":
        return None if called == parameter.name or isinstance(value, str) else f"{called} has to be an address"
    kind, wanted = _KINDS[parameter.kind]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        return f"{called} is {_shown(value)}; it has to be {wanted}{_note(parameter)}"
    return _out_of_bounds(parameter, value, called)


def _out_of_bounds(parameter: Parameter, value: object, called: str) -> str | None:
    measured = len(value) if isinstance(value, str) else value
    if not isinstance(measured, (int, float)):
        return None
    low, high = parameter.low, parameter.high
    if (low is None or measured >= low) and (high is None or measured <= high):
        return None
    bounds = f"{_plain(low)} to {_plain(high)}" if low is not None and high is not None else ""
    bounds = bounds or (f"at least {_plain(low)}" if low is not None else f"at most {_plain(high)}")
    unit = " characters" if isinstance(value, str) else ""
    return f"{called} {_shown(value)} is out of bounds; allowed is {bounds}{unit}{_note(parameter)}"


def broken_rules(request: GenerationRequest, model: Model) -> Iterator[str]:
    """Tell which of the model's rules about two fields are broken."""
    for rule in model.together:
        if all(_holds(request, name, allowed) for name, allowed in rule.when.items()):
            yield from _broken(rule, request, model)


def _broken(rule: Together, request: GenerationRequest, model: Model) -> Iterator[str]:
    about = ", ".join(f"{name} {_shown(_given(request, name))}" for name in rule.when)
    for name, allowed in rule.then.items():
        value = _given(request, name)
        if value is not None and not _among(value, allowed):
            wanted = ", ".join(str(one) for one in allowed)
            yield f"{name} {_shown(value)} does not go with {about} on {model.id}: {rule.why}; allowed is {wanted}"
    for name in rule.needs:
        if _given(request, name) is None:
            yield f"{about} needs {name} on {model.id}: {rule.why}"
    if rule.needs_any and all(_given(request, name) is None for name in rule.needs_any):
        yield f"{about} needs one of {', '.join(rule.needs_any)} on {model.id}: {rule.why}"
    for name in rule.without:
        if _given(request, name) is not None:
            yield f"{name} does not go with {about} on {model.id}: {rule.why}"


def at(extra: Mapping[str, object], place: str) -> object:
    """Return what ``extra`` puts at a place, or ``ABSENT``."""
    value: object = extra
    for key in place.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return ABSENT
        value = value[key]
    return value


def _given(request: GenerationRequest, name: str) -> object:
    value = getattr(request, name, None)
    if value is None or value == ():
        value = at(request.extra, name)
    return None if value is ABSENT else value


def _holds(request: GenerationRequest, name: str, allowed: tuple[object, ...]) -> bool:
    value = _given(request, name)
    return value is not None and (not allowed or _among(value, allowed))


def _among(value: object, allowed: tuple[object, ...]) -> bool:
    if isinstance(value, str):
        return value.casefold() in {one.casefold() for one in allowed if isinstance(one, str)}
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed)


def _has(model: Model) -> str:
    names = [parameter.name for parameter in model.parameters if "." not in parameter.name]
    return f" (it has {', '.join(names)})" if names else ""


def _note(parameter: Parameter) -> str:
    return f" ({parameter.note})" if parameter.note else ""


def _plain(number: float | None) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:
        text = "a value that cannot be shown"
    return text if len(text) <= 60 else text[:57] + "…"
