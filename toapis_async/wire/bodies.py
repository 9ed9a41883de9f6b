"""Requests as the gateway's fields: the catalogue says which goes where."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from toapis_async.policy.requests.placement import PlacedImage, parts_given, placed_images
from toapis_async.policy.requests.sizes import wire_size
from toapis_async.policy.requests.spelling import wire_word
from toapis_async.values.catalogue import Model
from toapis_async.values.kinds import kind_of
from toapis_async.values.requests import GenerationRequest, Reference, RoleReference
from toapis_async.values.rules import Parameter, ReferencePlace, References

Body = dict[str, Any]

# What most models of the gateway do; for models that the catalogue does not know, and for references without a place.
_USUAL = References(
    images=ReferencePlace(place="image_urls"),
    image_roles=ReferencePlace(place="image_with_roles", form="{url, role}", default_role="reference_image"),
    videos=ReferencePlace(place="video_with_roles", form="{url, role}", default_role="reference_video"),
    audios=ReferencePlace(place="audio_with_roles", form="{url, role}", default_role="reference_audio"),
)
_UNKNOWN_IMAGE = Model(id="", kind="image", complete=False, references=_USUAL)
_UNKNOWN_VIDEO = attrs.evolve(_UNKNOWN_IMAGE, kind="video", size_place="aspect_ratio", resolution_place="resolution")
# Where controls go that are not called as the user calls them.
_USUAL_PLACES = {"mask": "mask_url", "temperature": "metadata.temperature", "top_p": "metadata.topP"}
# For each form: the key of the address, and that of the role.
_KEYS: Mapping[str, tuple[str, str | None]] = {
    "{url}": ("url", None),
    "{url, role}": ("url", "role"),
    "{image_url, type}": ("image_url", "type"),
    "{video_url}": ("video_url", None),
    "{video_url, refer_type}": ("video_url", "refer_type"),
}


def body_of(request: GenerationRequest, known: Model | None) -> Body:
    """Return the fields of a request; its references are addresses by now."""
    kind = kind_of(request)
    model = known or (_UNKNOWN_IMAGE if kind.name == "image" else _UNKNOWN_VIDEO)
    body: Body = {"model": model.id or request.model}
    if request.prompt or kind.name == "image":
        body["prompt"] = request.prompt
    if (duration := getattr(request, "duration", None)) is not None:
        body["duration"] = _seconds(duration, as_text=bool(model.durations and model.durations.as_text))
    if (size := getattr(request, "size", None)) is not None:
        put(body, model.size_place, wire_size(model, size) or size)
    n = getattr(request, "n", None)
    if n is not None and (n != 1 or model.n_sent):
        body["n"] = n
    _put_resolution(body, model, getattr(request, "resolution", None))
    _put_images(body, model.references, request)
    _put_references(body, model.references.videos or _USUAL.videos, getattr(request, "reference_videos", ()))
    _put_references(body, model.references.audios or _USUAL.audios, getattr(request, "reference_audios", ()))
    _put_mode(body, model.references, request)
    _put_controls(body, model, request)
    return _finished(body, model, request)


def put(body: Body, place: str, value: object) -> None:
    """Set a value at a place such as ``metadata.resolution``, or ``list[].key`` for each object of a list."""
    head, dot, rest = place.partition(".")
    if not dot:
        body[head] = value
    elif head.endswith("[]"):
        for one in body.get(head[:-2], ()):
            put(one, rest, value)
    else:
        put(body.setdefault(head, {}), rest, value)


def _finished(body: Body, model: Model, request: GenerationRequest) -> Body:
    if request.callback_url is not None:
        put(body, model.callback_place, request.callback_url)
    for key, value in request.extra.items():
        body[key] = _merged(body.get(key), value) if key == "metadata" else value
    return body


def _merged(base: object, over: object) -> object:
    if not isinstance(base, dict) or not isinstance(over, Mapping):
        return over
    return {**base, **{key: _merged(base.get(key), value) for key, value in over.items()}}


def _put_resolution(body: Body, model: Model, resolution: str | None) -> None:
    if resolution is not None:
        wire = wire_word(resolution, model.resolutions or (), model.resolution_words)
        put(body, model.resolution_place, wire or resolution)


def _put_controls(body: Body, model: Model, request: GenerationRequest) -> None:
    for name in kind_of(request).controls:
        value = getattr(request, name)
        if value is None:
            continue
        parameter = model.parameter(name)
        if parameter is None:
            put(body, _USUAL_PLACES.get(name, name), value)
        else:
            put(body, parameter.place, _control(parameter, value))


def _control(parameter: Parameter, value: object) -> object:
    if parameter.kind == "enum" and isinstance(value, str):
        return wire_word(value, parameter.choices, parameter.words) or value
    if parameter.kind == "boolean" and isinstance(value, bool):
        return parameter.words.get("true" if value else "false", value)
    return value


def _seconds(duration: float, *, as_text: bool) -> int | float | str:
    whole = int(duration) if duration == int(duration) else duration
    return str(whole) if as_text else whole


def _put_images(body: Body, rules: References, request: GenerationRequest) -> None:
    for image in placed_images(request, rules):
        # With validation off an image may have no place; it is sent as most models want it, never dropped.
        place = image.place or (_USUAL.images if image.role is None else _USUAL.image_roles)
        _put_references(body, place, (_with_role(image),))


def _with_role(image: PlacedImage) -> Reference | RoleReference:
    return image.source if image.role is None else RoleReference(source=image.source, role=image.role)


def _put_mode(body: Body, rules: References, request: GenerationRequest) -> None:
    if not rules.modes:
        return
    parts = parts_given(request, rules)
    mode = next((mode for mode in rules.modes if all(name in parts for name in mode.given)), None)
    for place, value in mode.set.items() if mode is not None else ():
        put(body, place, value)


def _put_references(body: Body, place: ReferencePlace | None, references: Sequence[Reference | RoleReference]) -> None:
    if not references or place is None:
        return
    written = list(_written(place, references))
    already = _at(body, place.place)
    if place.form != "one string":
        put(body, place.place, already + written if isinstance(already, list) else written)
        return
    if already is not None or len(written) > 1:
        raise ValueError(f"{place.place} holds one reference; give no more")
    put(body, place.place, written[0])


def _at(body: Body, place: str) -> object:
    value: object = body
    for key in place.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _written(place: ReferencePlace, references: Iterable[Reference | RoleReference]) -> Iterable[object]:
    keys = _KEYS.get(place.form)
    for reference in references:
        role = reference.role if isinstance(reference, RoleReference) else place.default_role
        address = reference.source if isinstance(reference, RoleReference) else reference
        if keys is None:
            yield address
            continue
        written: dict[str, object] = {keys[0]: address}
        if keys[1] is not None and role is not None:
            written[keys[1]] = wire_word(role, place.roles, place.words) or role
        yield written
