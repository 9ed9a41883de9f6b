"""No reference is lost: whatever is given is sent as what it was given, or the request is refused."""

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.validation import violations
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.catalogue import Model
from toapis_async.values.requests import GenerationRequest, ImageRequest, RoleReference, VideoRequest
from toapis_async.wire.encoding import submission

CATALOGUE = packaged_catalogue()
FRAMES = ("first_frame", "last_frame")
STYLE_ROLES = ("reference", "reference_image")
MODELS = [model.id for model in CATALOGUE] + ["future-1"]
VIDEO_MODELS = [model.id for model in CATALOGUE if model.kind == "video"] + ["future-2"]


def address(kind: str, number: int) -> str:
    return f"https://a.example/{kind}-{number}"


@st.composite
def video_requests(draw: st.DrawFn) -> VideoRequest:
    roles = draw(st.lists(st.sampled_from((None, None, *FRAMES, *STYLE_ROLES, "end_frame")), max_size=4))
    images = [
        address("image", number) if role is None else RoleReference(source=address(f"image-{role}", number), role=role)
        for number, role in enumerate(roles)
    ]
    fields: dict[str, object] = {frame: draw(st.none() | st.just(address(f"image-{frame}", 9))) for frame in FRAMES}
    for name, kind in (("reference_videos", "video"), ("reference_audios", "audio")):
        fields[name] = [address(kind, number) for number in range(draw(st.integers(0, 2)))]
    return VideoRequest("x", model=draw(st.sampled_from(VIDEO_MODELS)), reference_images=images, **fields)


def sent(request: GenerationRequest) -> dict:
    return json.loads(submission(request, catalogue=CATALOGUE, client_business_id="b").body)


def addresses_given(request: GenerationRequest) -> list[str]:
    found = [getattr(one, "source", one) for one in request.reference_images]
    if isinstance(request, VideoRequest):
        found += [*request.reference_videos, *request.reference_audios]
        found += [one for one in (request.first_frame, request.last_frame) if one is not None]
    return sorted(found)


def addresses_sent(value: object) -> list[str]:
    if isinstance(value, dict):
        return sorted(one for inner in value.values() for one in addresses_sent(inner))
    if isinstance(value, list):
        return sorted(one for inner in value for one in addresses_sent(inner))
    return [value] if isinstance(value, str) and value.startswith("https://a.example/") else []


@given(request=video_requests())
def test_every_reference_of_a_video_is_sent_once(request):
    """All addresses are in the body, each once; what cannot be sent is refused, with checks or without."""
    try:
        body = sent(request)
    except InvalidRequestError:
        assert violations(request, CATALOGUE)
        return

    assert addresses_given(request) == addresses_sent(body)


@given(request=video_requests())
def test_no_reference_of_a_video_becomes_another_part(request):
    """A frame is sent as that frame, and nothing else is sent as one."""
    if violations(request, CATALOGUE):
        return
    model = CATALOGUE.find(request.model)
    body = sent(request)

    for one in addresses_sent(body):
        given_as = next((frame for frame in FRAMES if frame in one), None)
        given_as = "last_frame" if "end_frame" in one else given_as
        if "/image-" in one:
            assert part_sent(body, one, model) in {given_as, "only image" if given_as is None else given_as}


def part_sent(body: dict, one: str, model: Model | None) -> str | None:
    """Tell as which frame the body has an image, or None; a lone image of a model that takes one is ``only image``."""
    for entry in [*body.get("image_with_roles", ()), *body.get("metadata", {}).get("image_list", ())]:
        if one in entry.values():
            role = entry.get("role", entry.get("type"))
            role = "last_frame" if role == "end_frame" else role
            return role if role in FRAMES else None
    rules = model.references if model is not None else None
    for frame in FRAMES:
        place = getattr(rules, frame, None)
        if place is None:
            continue
        held = at(body, place.place)
        shared = rules.last_frame is not None and rules.last_frame.place == getattr(rules.first_frame, "place", "")
        index = FRAMES.index(frame) if shared else 0
        held = held if isinstance(held, list) else [held]
        if len(held) > index and held[index] == one:
            style = rules.images is not None and rules.images.place == place.place
            mode = at(body, "metadata.generation_type")
            if mode == "reference":
                return None
            return "only image" if style and len(held) == 1 and not has_frame(one) else frame
    return None


def has_frame(one: str) -> bool:
    return any(frame in one for frame in (*FRAMES, "end_frame"))


def at(body: object, place: str) -> object:
    for key in place.split("."):
        body = body.get(key) if isinstance(body, dict) else None
    return body


@given(
    model=st.sampled_from([model.id for model in CATALOGUE if model.kind == "image"] + ["future-1"]),
    count=st.integers(0, 17),
    edit=st.booleans(),
)
def test_every_reference_of_an_image_is_sent_once(model, count, edit):
    """The same for images, on the edits endpoint too."""
    request = ImageRequest("x", model=model, edit=edit, reference_images=[address("image", n) for n in range(count)])
    if violations(request, CATALOGUE):
        return

    body = submission(request, catalogue=CATALOGUE, client_business_id="b").body.decode()

    assert count == sum(body.count(one + end) for one in request.reference_images for end in ('"', "\r"))


@pytest.mark.parametrize("model", [model for model in CATALOGUE if model.kind == "video"], ids=lambda one: one.id)
def test_a_frame_is_the_same_as_a_field_and_as_a_role(model):
    """``first_frame=`` and a reference with that role are one wish: the same answer, the same body."""
    one, two = address("image-first_frame", 1), address("image-last_frame", 2)
    field = VideoRequest("x", model=model.id, first_frame=one, last_frame=two)
    roles = [RoleReference(source=one, role="first_frame"), RoleReference(source=two, role="last_frame")]
    role = attrs.evolve(field, first_frame=None, last_frame=None, reference_images=roles)

    assert len(violations(field, CATALOGUE)) == len(violations(role, CATALOGUE))
    assert sent(field) == sent(role)
