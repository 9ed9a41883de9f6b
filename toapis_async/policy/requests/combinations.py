"""A model's rules about two fields."""

from collections.abc import Iterator

from toapis_async.policy.requests.controls import shown
from toapis_async.policy.requests.given import given, given_or_default, is_among
from toapis_async.values.catalogue import Model
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.rules import Together


def broken_rules(request: GenerationRequest, model: Model) -> Iterator[str]:
    """Tell which of the model's rules about two fields are broken."""
    for rule in model.together:
        if all(_holds(request, name, allowed, model) for name, allowed in rule.when.items()):
            yield from _broken(rule, request, model)


def _holds(request: GenerationRequest, name: str, allowed: tuple[object, ...], model: Model) -> bool:
    value = given(request, name, model)
    return value is not None and (not allowed or is_among(value, allowed, name, model))


def _broken(rule: Together, request: GenerationRequest, model: Model) -> Iterator[str]:
    about = ", ".join(f"{name} {shown(_value(request, name, model))}" for name in rule.when)
    ending = f"on {model.id}: {rule.why}"
    yield from _wrong_values(rule, request, model, about, ending)
    for name in rule.needs:
        if given(request, name, model) is None:
            yield f"{about} needs {name} {ending}"
    if rule.needs_any and all(given(request, name, model) is None for name in rule.needs_any):
        yield f"{about} needs one of {', '.join(rule.needs_any)} {ending}"
    for name in rule.without:
        if given(request, name, model) is not None:
            yield f"{name} does not go with {about} {ending}"
    if not any((rule.then, rule.never, rule.most, rule.needs, rule.needs_any, rule.without)):
        yield f"{about} cannot be had {ending}"


def _wrong_values(rule: Together, request: GenerationRequest, model: Model, about: str, ending: str) -> Iterator[str]:
    for name, allowed in rule.then.items():
        value = given_or_default(request, name, model)
        if value is not None and not is_among(value, allowed, name, model):
            called = shown(value) + ("" if given(request, name, model) is not None else " (the default)")
            wanted = ", ".join(str(one) for one in allowed)
            yield f"{name} {called} does not go with {about} {ending}; allowed is {wanted}"
    for name, barred in rule.never.items():
        value = given_or_default(request, name, model)
        if value is not None and is_among(value, barred, name, model):
            yield f"{name} {shown(value)} does not go with {about} {ending}"
    for name, most in rule.most.items():
        value = given(request, name, model)
        if isinstance(value, (list, tuple)) and len(value) > most:
            yield f"{name}: {len(value)} given, but with {about} at most {most} go {ending}"


def _value(request: GenerationRequest, name: str, model: Model) -> object:
    value = given(request, name, model)
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value
