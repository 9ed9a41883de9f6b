"""Requests against what every model wants, and against what the catalogue knows of theirs."""

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from toapis_async.policy.requests.combinations import broken_rules
from toapis_async.policy.requests.controls import wrong_controls, wrong_extra
from toapis_async.policy.requests.given import Given
from toapis_async.policy.requests.placement import parts_given
from toapis_async.policy.requests.request_types import wrong_types
from toapis_async.policy.requests.shown_references import not_shown, too_many_images, wrong_references
from toapis_async.policy.requests.sizes import allowed_sizes, closest_ratio, looks_like_a_size, repaired, wire_size
from toapis_async.policy.requests.spelling import did_you_mean, slips, wire_word
from toapis_async.values.catalogue import Catalogue, Model
from toapis_async.values.kinds import KINDS, kind_of
from toapis_async.values.requests import GenerationRequest, ImageRequest, VideoRequest

Validation: TypeAlias = Literal["strict", "warn", "off"]
"""What a violation does: refuse, warn and send, or nothing at all."""

MAX_CLIENT_BUSINESS_ID = 96
"""Characters; the gateway's own limit is not documented, and clients hold to 96 or 128."""

_BUSINESS_ID = re.compile(r"[A-Za-z0-9._:~-]*[A-Za-z0-9_][A-Za-z0-9._:~-]*", re.ASCII)
_RESOLUTION = re.compile(r"\d{1,4}(\.\d)?[kKpP]|[A-Za-z][A-Za-z_-]*", re.ASCII)
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def violations(request: GenerationRequest, catalogue: Catalogue, *, allow_local: bool = False) -> tuple[str, ...]:
    """Return a sentence for everything that is certainly wrong with a request; nothing when it may be sent.

    Files on the disk are not looked at. A model that the catalogue does not know passes with the checks that hold for
    every model, unless its name is one slip away from a known one.

    Args:
        request: fields of wrong types are told too.
        catalogue: what the models accept.
        allow_local: let references point into the local network, for a gateway on this machine.

    """
    found = wrong_types(request)
    if found:
        return tuple(found)
    model = catalogue.find(request.model)
    found.extend(_universal(request, model))
    if any(getattr(request, name) for name in kind_of(request).shown):
        found.extend(wrong_references(request, allow_local=allow_local))
        found.extend(too_many_images(request, model))
    if model is None:
        found.extend(_misspelled(request.model, catalogue))
        found.extend(_wrong_forms(request))
    elif model.kind != kind_of(request).name:
        other = KINDS[model.kind]
        sent = f"{other.with_article.split()[0]} {other.request.__name__} (client.{other.verbs})"
        found.append(f"model {request.model!r} makes {model.kind}s; send it as {sent}")
    else:
        found.extend(_against(request, model))
    return tuple(found)


def doubt(model_name: str, catalogue: Catalogue) -> str | None:
    """Return a sentence about a model that is sent although the catalogue does not know it; None for all others.

    One that is misspelled is a violation, and no doubt.
    """
    if catalogue.find(model_name) is not None or slips(model_name, catalogue.names):
        return None
    meant = did_you_mean(model_name, catalogue.names)
    return f"model {model_name!r} is not in the catalogue{meant}; it is sent as it is, unchecked, at an unknown price"


def wrong_action(action: Literal["remix", "extend"], request: VideoRequest, catalogue: Catalogue) -> tuple[str, ...]:
    """Return a sentence for all that a follow-up to a finished video certainly cannot be, or take."""
    model = catalogue.find(request.model)
    if model is None:
        return ()
    if action not in model.actions:
        able = [one.id for one in catalogue if action in one.actions]
        wrong = f"model {request.model!r} has no {action}; models that have: {', '.join(able)}"
        return (wrong,) if model.complete else ()
    taken = model.actions[action]
    names = ("size", "resolution", "duration", *kind_of(request).controls)
    found = [name for name in names if getattr(request, name) is not None] + list(
        parts_given(request, model.references)
    )
    # What the page of a follow-up does not list would be ignored, and the task paid for.
    return tuple(f"{name} is set, but {model.id} takes none in {action}" for name in found if name not in taken)


def _misspelled(name: str, catalogue: Catalogue) -> Iterator[str]:
    if meant := slips(name, catalogue.names):
        yield f"model {name!r} is not in the catalogue; one slip away is {' or '.join(meant)}"


def _universal(request: GenerationRequest, model: Model | None) -> Iterator[str]:
    if request.model.split() != [request.model]:
        yield f"model {request.model!r} is no model id"
    if not request.prompt.strip() and not _speaks_without_words(request, model):
        yield "prompt is empty; say what to make"
    elif not is_writable(request.prompt):
        yield "prompt holds a NUL or half a character, which the gateway cannot store; remove it"
    if isinstance(request, ImageRequest):
        if request.n < 1:
            yield f"n {request.n} is too small; allowed is 1 or more"
        if request.edit and not request.reference_images:
            yield "edit is set, but reference_images is empty; give the image to edit"
    if request.id is not None and not request.id.strip():
        yield "id is empty; leave it out, or give a name"
    yield from wrong_business_id(request.client_business_id)
    yield from _wrong_callback(request.callback_url)
    if request.extra:
        yield from wrong_extra(request.extra)


def is_writable(text: str) -> bool:
    """Whether the gateway can store it: no NUL, no half of a character."""
    return _UNWRITABLE.search(text) is None


def wrong_business_id(text: str | None) -> Iterator[str]:
    """Tell what the gateway would not take as a reference of the user's own."""
    if text is None:
        return
    if len(text) > MAX_CLIENT_BUSINESS_ID:
        yield f"client_business_id has {len(text)} characters; allowed are {MAX_CLIENT_BUSINESS_ID}"
    elif not _BUSINESS_ID.fullmatch(text):
        yield f"client_business_id {text!r} goes into an address; allowed are letters, digits and . _ : ~ -"


def _wrong_callback(url: str | None) -> Iterator[str]:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and not parts.fragment
    except ValueError:
        good = False
    if not good or any(character.isspace() for character in url):
        yield f"callback_url {url!r} has to be an https:// address without user name and fragment"


def _wrong_forms(request: GenerationRequest) -> Iterator[str]:
    """Judge what can be judged of an unknown model's fields: their form."""
    size, resolution = getattr(request, "size", None), getattr(request, "resolution", None)
    if size is not None and not looks_like_a_size(size):
        yield f"size {size!r} is neither a ratio (16:9) nor pixels (1024x1024){_meant(size)}"
    if resolution is not None and not _RESOLUTION.fullmatch(resolution):
        yield f"resolution {resolution!r} has no known form, such as 1K, 2K, 4K or 720p"


def _against(request: GenerationRequest, model: Model) -> Iterator[str]:
    if (size := getattr(request, "size", None)) is not None:
        yield from _wrong_size(request, size, model)
    if (resolution := getattr(request, "resolution", None)) is not None:
        yield from _wrong_resolution(resolution, model)
    most = model.prompt_max_chars
    if most is not None and len(request.prompt) > most:
        yield f"prompt has {len(request.prompt):,} characters; {model.id} takes at most {most:,}"
    if isinstance(request, ImageRequest):
        yield from _wrong_count(request, model)
    elif (duration := getattr(request, "duration", None)) is not None:
        yield from _wrong_duration(duration, model)
    yield from not_shown(request, model)
    yield from wrong_controls(request, model)
    if model.together:
        yield from broken_rules(request, model)


def _wrong_size(request: GenerationRequest, size: str, model: Model) -> Iterator[str]:
    for switch, allowed in model.sizes_with.items():
        if request.extra.get(switch) is True:
            if wire_word(size, allowed) is None:
                yield f"size {size!r} is not one of {', '.join(allowed)}, which {model.id} wants with {switch}"
            return
    allowed_here = allowed_sizes(model)
    if not allowed_here:
        if model.complete:
            yield f"size {size!r} is set, but {model.id} has no size; leave it out"
        elif not looks_like_a_size(size):
            yield f"size {size!r} is neither a ratio (16:9) nor pixels (1024x1024){_meant(size)}"
    elif wire_size(model, size) is None:
        yield f"size {size!r} is not one that {model.id} has: {allowed_here}{_meant_size(size, model)}"


def _wrong_resolution(resolution: str, model: Model) -> Iterator[str]:
    if model.resolutions is None:
        if model.complete:
            yield f"resolution {resolution!r} is set, but {model.id} has no resolution; leave it out"
        elif not _RESOLUTION.fullmatch(resolution):
            yield f"resolution {resolution!r} has no known form, such as 1K, 2K, 4K or 720p"
    elif wire_word(resolution, model.resolutions, model.resolution_words) is None:
        as_size = wire_size(model, resolution)
        meant = f" (did you mean size={as_size!r}?)" if as_size else did_you_mean(resolution, model.resolutions)
        yield f"resolution {resolution!r} is not one that {model.id} has: {', '.join(model.resolutions)}{meant}"


def _wrong_count(request: ImageRequest, model: Model) -> Iterator[str]:
    if model.n_values and request.n not in model.n_values:
        yield f"n {request.n} is not one of {', '.join(map(str, model.n_values))}, which {model.id} makes"
    elif model.n_max is not None and request.n > model.n_max:
        allowed = f"1 to {model.n_max}" if model.n_max > 1 else "1"
        yield f"n {request.n} is too large; {model.id} allows {allowed}"
    most, count = model.references_plus_n_max, request.n + len(request.reference_images)
    if most is not None and count > most:
        yield f"n and reference_images together are {count}; {model.id} allows {most}"


def _wrong_duration(duration: float, model: Model) -> Iterator[str]:
    rule = model.durations
    if rule is None or duration in rule.automatic or duration in rule.values:
        return
    automatic = "".join(f" or {value} (automatic)" for value in rule.automatic)
    if rule.values:
        allowed = ", ".join(map(str, rule.values))
        yield f"duration {duration:g} is not one of {allowed} seconds, which {model.id} makes"
        return
    good = (rule.low is None or duration >= rule.low) and (rule.high is None or duration <= rule.high)
    if not good or duration != int(duration):
        low, high = rule.low if rule.low is not None else 1, f" to {rule.high}" if rule.high is not None else " or more"
        yield f"duration {duration:g} is not allowed; {model.id} makes {low}{high} whole seconds{automatic}"


def _meant(size: str) -> str:
    guess = repaired(size)
    return f" (did you mean {guess!r}?)" if guess else ""


def _meant_size(size: str, model: Model) -> str:
    if as_resolution := wire_word(size, model.resolutions or (), model.resolution_words):
        return f" (did you mean resolution={as_resolution!r}?)"
    guess = repaired(size)
    if guess and wire_size(model, guess):
        return f" (did you mean {guess!r}?)"
    if closest := closest_ratio(model, size):
        return f" (the closest is {closest!r})"
    return did_you_mean(size, model.sizes or ())


def _speaks_without_words(request: GenerationRequest, model: Model | None) -> bool:
    if model is None:
        return False
    given = Given(request, model)
    return any(given.value(name) is not None for name in model.prompt_optional_with)
