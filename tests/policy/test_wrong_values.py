"""Every constrained field of every model of the catalogue, with values on both sides of the line."""

import attrs
import pytest

from toapis_async.policy.requests.validation import violations
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.catalogue import Model
from toapis_async.values.requests import GenerationRequest, ImageRequest, RoleReference, VideoRequest
from toapis_async.values.rules import Parameter

CATALOGUE = packaged_catalogue()
MODELS = list(CATALOGUE)
URL = "https://files.example.com/{}.png"
CLIP = "https://files.example.com/clip"


def request_for(model: Model, **fields: object) -> GenerationRequest:
    if model.references.required and takes_references(model):
        fields.setdefault("reference_images", [URL.format(0)])
    elif model.references.required:
        fields.setdefault("first_frame", URL.format(0))
    kind = ImageRequest if model.kind == "image" else VideoRequest
    return kind("a lion", model=model.id, **fields)


def takes_references(model: Model) -> bool:
    roles = model.references.image_roles
    return model.references.images is not None or (roles is not None and not roles.role_required)


def urls(count: int) -> list[str]:
    return [URL.format(number) for number in range(count)]


def wrong_value(rule: Parameter) -> object:
    if rule.kind == "integer":
        return int(rule.high) + 1 if rule.high is not None else "7"
    if rule.kind == "number":
        return rule.high + 0.5
    if rule.kind == "text":
        return "x" * (int(rule.high) + 1) if rule.high is not None else 5
    if rule.kind == "list" and rule.high is not None:
        return ["x"] * (int(rule.high) + 1)
    return {
        "enum": "nonsense",
        "boolean": "maybe",
        "address": 5,
        "object": "text",
        "list": "text",
        "span": "4",
    }[rule.kind]


def as_extra(place: str, value: object) -> dict:
    for key in reversed(place.split(".")):
        value = {key: value}
    return value


def wrong_fields(model: Model):
    """Yield fields with one wrong value each, the field's name, the value, and something that is allowed."""
    if not (model.prompt_optional_with and model.references.required):
        yield {"prompt": " "}, "prompt", "", ""
    if model.prompt_max_chars is not None:
        many = model.prompt_max_chars + 1
        yield {"prompt": "x" * many}, "prompt", f"{many:,}", f"{model.prompt_max_chars:,}"
    if model.complete or model.sizes:
        yield {"size": "7:50"} if not model.any_ratio else {"size": "wide"}, "size", "", (model.sizes or ("",))[0]
        yield {"size": "sixteen by nine"}, "size", "'sixteen by nine'", (model.sizes or ("",))[0]
    if model.max_ratio is not None:
        yield {"size": "50:1"}, "size", "'50:1'", f"{model.max_ratio:g}:1"
    if model.pixels is not None and model.pixels.max_pixels is not None:
        yield {"size": "16384x16384"}, "size", "'16384x16384'", f"{model.pixels.max_pixels:,}"
    if model.complete or model.resolutions:
        yield {"resolution": "17K"}, "resolution", "'17K'", (model.resolutions or ("",))[-1]
    if model.kind == "video" and model.complete and not takes_references(model):
        yield {"reference_images": urls(1)}, "reference_images", "none", "first_frame"
    elif model.max_references is not None:
        place = model.references.images
        most = min(model.max_references, place.max if place and place.max is not None else 99)
        yield {"reference_images": urls(most + 1)}, "reference_images", f"{most + 1}", f"{most}" if most else "none"
    elif model.kind == "image":
        yield {"reference_images": urls(15)}, "reference_images", "15", "14"
    if model.kind == "image":
        yield {"n": 0}, "n", "0", "1"
        if model.n_max is not None:
            yield {"n": model.n_max + 1}, "n", f"{model.n_max + 1}", f"{model.n_max}"
        if model.n_values:
            yield {"n": 3}, "n", "3", "1, 2, 4"
        if model.references_plus_n_max is not None:
            yield {"n": 9, "reference_images": urls(9)}, "n", "18", "15"
    if model.durations is not None:
        rule = model.durations
        low = min(rule.values) if rule.values else rule.low
        high = max(rule.values) if rule.values else rule.high
        yield {"duration": low - 7}, "duration", f"{low - 7}", f"{low}"
        yield {"duration": low + 0.5}, "duration", f"{low + 0.5}", f"{low}"
        if high is not None:
            yield {"duration": high + 1}, "duration", f"{high + 1}", f"{high}"
    request_fields = {field.name for field in attrs.fields(ImageRequest if model.kind == "image" else VideoRequest)}
    for rule in model.parameters:
        value = wrong_value(rule)
        allowed = rule.choices[0] if rule.choices else f"{rule.high:g}" if isinstance(rule.high, float) else ""
        if rule.kind != "address" and "[]" not in rule.place:
            yield {"extra": as_extra(rule.place, value)}, rule.place, "", allowed
        if rule.name in request_fields and rule.name != rule.place.rpartition(".")[0]:
            yield {rule.name: value}, rule.name, "", allowed
    yield from wrong_video_references(model)


def wrong_video_references(model: Model):
    if model.kind != "video" or not model.complete:
        return
    for field, place in (("reference_videos", model.references.videos), ("reference_audios", model.references.audios)):
        if place is None:
            yield {field: [CLIP]}, field, "1", "none"
            continue
        if place.max is not None:
            yield (
                {field: [CLIP] * (place.max + 1)},
                field,
                f"{place.max + 1}",
                f"{place.max}",
            )
        if place.roles:
            clip = RoleReference(source=CLIP, role="villain")
            yield {field: [clip]}, field, "'villain'", place.roles[0]
    image = RoleReference(source=URL.format(0), role="villain")
    roles = model.references.image_roles.roles if model.references.image_roles else ()
    yield {"reference_images": [image]}, "reference_images", "'villain'", roles[0] if roles else ""


CASES = [(model, *case) for model in MODELS for case in wrong_fields(model)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_plain_request_passes(model):
    """A prompt alone, or with the reference that the model needs, is fine."""
    assert violations(request_for(model), CATALOGUE) == ()


@pytest.mark.parametrize(("model", "fields", "name", "value", "allowed"), CASES, ids=lambda one: getattr(one, "id", ""))
def test_wrong_value_is_refused(model, fields, name, value, allowed):
    """Each wrong value of each field of each model gets a sentence with field, value and what is allowed."""
    found = violations(
        attrs.evolve(request_for(model, **{k: v for k, v in fields.items() if k != "prompt"}), **fields), CATALOGUE
    )

    about = [sentence for sentence in found if name in sentence]
    assert about, found
    assert any(value in sentence for sentence in about), about
    assert any(allowed in sentence for sentence in about), about


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_listed_value_is_taken(model):
    """What the catalogue lists passes, in whichever case it is written."""
    for size in model.sizes or ():
        shown = {"reference_images": urls(1)} if size in {"auto", "adaptive", "match_input_image"} else {}
        assert violations(request_for(model, size=size, **shown), CATALOGUE) == ()
    for resolution in model.resolutions or ():
        for written in {resolution, resolution.upper(), resolution.lower(), *model.resolution_words.values()}:
            assert violations(request_for(model, resolution=written), CATALOGUE) == ()
    for duration in model.durations.values if model.durations else ():
        assert violations(request_for(model, duration=duration), CATALOGUE) == ()
