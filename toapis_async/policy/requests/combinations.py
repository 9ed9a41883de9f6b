"""A model's rules about two fields."""

from collections.abc import Iterator

from toapis_async.policy.requests.controls import shown
from toapis_async.policy.requests.given import Given, is_among
from toapis_async.values.catalogue import Model
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.rules import Together


def broken_rules(request: GenerationRequest, model: Model) -> Iterator[str]:
    """Tell which of the model's rules about two fields are broken."""
    given = Given(request, model)
    for rule in model.together:
        if all(_holds(given, name, allowed) for name, allowed in rule.when.items()):
            yield from _broken(rule, given)


def _holds(given: Given, name: str, allowed: tuple[object, ...]) -> bool:
    value = given.value(name)
    return value is not None and (not allowed or is_among(value, allowed, name, given.model))


def _broken(rule: Together, given: Given) -> Iterator[str]:
    about = ", ".join(f"{name} {_text(given.value(name))}" for name in rule.when)
    ending = f"on {given.model.id}: {rule.why}"
    yield from _wrong_values(rule, given, about, ending)
    for name in rule.needs:
        if given.value(name) is None:
            yield f"{about} needs {name} {ending}"
    if rule.needs_any and all(given.value(name) is None for name in rule.needs_any):
        yield f"{about} needs one of {', '.join(rule.needs_any)} {ending}"
    for name in rule.without:
        if given.value(name) is not None:
            yield f"{name} does not go with {about} {ending}"
    if not any((rule.then, rule.never, rule.most, rule.needs, rule.needs_any, rule.without)):
        yield f"{about} cannot be had {ending}"


def _wrong_values(rule: Together, given: Given, about: str, ending: str) -> Iterator[str]:
    for name, allowed in rule.then.items():
        value = given.or_default(name)
        if value is not None and not is_among(value, allowed, name, given.model):
            called = shown(value) + ("" if given.value(name) is not None else " (the default)")
            wanted = ", ".join(str(one) for one in allowed)
            yield f"{name} {called} does not go with {about} {ending}; allowed is {wanted}"
    for name, barred in rule.never.items():
        value = given.or_default(name)
        if value is not None and is_among(value, barred, name, given.model):
            yield f"{name} {shown(value)} does not go with {about} {ending}"
    for name, most in rule.most.items():
        value = given.value(name)
        if isinstance(value, (list, tuple)) and len(value) > most:
            yield f"{name}: {len(value)} given, but with {about} at most {most} go {ending}"


def _text(value: object) -> str:
    return shown(value[0] if isinstance(value, list) and len(value) == 1 else value)
