"""Requests as the gateway's fields: the catalogue says which goes where."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from toapis_async.policy.requests.placement import PlacedImage, parts_given, placed_images
from toapis_async.policy.requests.sizes import wire_size
from toapis_async.policy.requests.spelling import wire_word
from toapis_async.values.catalogue import Model
from toapis_async.values.requests import GenerationRequest, ImageRequest, Reference, RoleReference, VideoRequest
from toapis_async.values.rules import Parameter, ReferencePlace, References

Body = dict[str, Any]

# What most models of the gateway do; for models that the catalogue does not know.
_UNKNOWN_IMAGE = Model(
    id="", kind="image", complete=False, references=References(images=ReferencePlace(place="image_urls"))
)
_UNKNOWN_VIDEO = Model(
    id="",
    kind="video",
    complete=False,
    size_place="aspect_ratio",
    resolution_place="resolution",
    references=References(
        images=ReferencePlace(place="image_urls"),
        image_roles=ReferencePlace(place="image_with_roles", form="{url, role}", default_role="reference_image"),
        videos=ReferencePlace(place="video_with_roles", form="{url, role}", default_role="reference_video"),
        audios=ReferencePlace(place="audio_with_roles", form="{url, role}", default_role="reference_audio"),
    ),
)
_IMAGE_CONTROLS = {
    "mask": "mask_url",
    "quality": "quality",
    "background": "background",
    "output_format": "output_format",
    "output_compression": "output_compression",
    "temperature": "metadata.temperature",
    "top_p": "metadata.topP",
    "seed": "seed",
}
_VIDEO_CONTROLS = {"audio": "audio", "keep_original_sound": "keep_original_sound", "seed": "seed"}
# For each form: the key of the address, and that of the role.
_KEYS: Mapping[str, tuple[str, str | None]] = {
    "{url}": ("url", None),
    "{url, role}": ("url", "role"),
    "{image_url, type}": ("image_url", "type"),
    "{video_url}": ("video_url", None),
    "{video_url, refer_type}": ("video_url", "refer_type"),
}


def image_body(request: ImageRequest, known: Model | None) -> Body:
    """Return the fields of an image request; its references are addresses by now."""
    model = known or _UNKNOWN_IMAGE
    body: Body = {"model": model.id or request.model, "prompt": request.prompt}
    if request.size is not None:
        put(body, model.size_place, wire_size(model, request.size) or request.size)
    if request.n != 1 or model.n_sent:
        body["n"] = request.n
    _put_resolution(body, model, request.resolution)
    if request.reference_images:
        place = model.references.images or _UNKNOWN_IMAGE.references.images
        _put_references(body, place, request.reference_images)
    _put_controls(body, model, request, _IMAGE_CONTROLS)
    return _finished(body, model, request)


def video_body(request: VideoRequest, known: Model | None) -> Body:
    """Return the fields of a video request; its references are addresses by now."""
    model = known or _UNKNOWN_VIDEO
    body: Body = {"model": model.id or request.model, "prompt": request.prompt}
    if not request.prompt:
        del body["prompt"]
    if request.duration is not None:
        body["duration"] = _seconds(request.duration, as_text=bool(model.durations and model.durations.as_text))
    if request.size is not None:
        put(body, model.size_place, wire_size(model, request.size) or request.size)
    _put_resolution(body, model, request.resolution)
    _put_images(body, model.references, request)
    _put_references(body, model.references.videos or _UNKNOWN_VIDEO.references.videos, request.reference_videos)
    _put_references(body, model.references.audios or _UNKNOWN_VIDEO.references.audios, request.reference_audios)
    _put_mode(body, model.references, request)
    _put_controls(body, model, request, _VIDEO_CONTROLS)
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


def _put_controls(body: Body, model: Model, request: GenerationRequest, usual: Mapping[str, str]) -> None:
    for name, place in usual.items():
        value = getattr(request, name)
        if value is None:
            continue
        parameter = model.parameter(name)
        if parameter is None:
            put(body, place, value)
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


def _put_images(body: Body, rules: References, request: VideoRequest) -> None:
    for image in placed_images(request, rules):
        usual = _UNKNOWN_VIDEO.references
        # With validation off an image may have no place; it is sent as most models want it, never dropped.
        place = image.place or (usual.images if image.role is None else usual.image_roles)
        _put_references(body, place, (_with_role(image),))


def _with_role(image: PlacedImage) -> Reference | RoleReference:
    return image.source if image.role is None else RoleReference(source=image.source, role=image.role)


def _put_mode(body: Body, rules: References, request: GenerationRequest) -> None:
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
