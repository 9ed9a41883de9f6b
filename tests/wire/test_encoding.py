"""Requests on the wire. The expected bodies are data, written from the pages' field rules, one set per kind."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.validation import violations
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.catalogue import Catalogue
from toapis_async.values.exchange import HttpRequest, Purpose
from toapis_async.values.requests import GenerationRequest, ImageRequest, RoleReference, VideoRequest
from toapis_async.wire.encoding import balance, extend, lookup, models, remix, submission, upload

DATA = Path(__file__).parent / "data"
IMAGES = json.loads((DATA / "image_bodies.json").read_text("utf-8"))
VIDEOS = json.loads((DATA / "video_bodies.json").read_text("utf-8"))
CATALOGUE = packaged_catalogue()


def named(case: dict) -> str:
    return case["model"]


def wished(case: dict) -> GenerationRequest:
    fields = dict(case["wish"], model=case["model"])
    for name in ("reference_images", "reference_videos", "reference_audios"):
        if name in fields:
            fields[name] = [RoleReference(**one) if isinstance(one, dict) else one for one in fields[name]]
    return (VideoRequest if case["path"].startswith("/videos") else ImageRequest)(**fields)


def sent(request: GenerationRequest, catalogue: Catalogue = CATALOGUE) -> dict:
    return json.loads(submission(request, catalogue=catalogue, client_business_id="run-item-1").body or b"")


def form_fields(request: HttpRequest) -> list[list[str]]:
    boundary = re.fullmatch(r"multipart/form-data; boundary=(.+)", request.content_type or "")[1]
    parts = (request.body or b"").decode().split(f"--{boundary}")
    assert parts[0] == ""
    assert parts[-1] == "--\r\n"
    heads_and_bodies = (part.strip("\r\n").split("\r\n\r\n", 1) for part in parts[1:-1])
    return [[re.search(r'name="([^"]*)"', head)[1], body] for head, body in heads_and_bodies]


@pytest.mark.parametrize("case", IMAGES + VIDEOS, ids=named)
def test_body_is_the_documented_one(case):
    """Every model gets the fields that its page names, in the places and words that it names."""
    request = wished(case)

    encoded = submission(request, catalogue=CATALOGUE, client_business_id="run-item-1")

    assert violations(request, CATALOGUE) == ()
    assert ("POST", case["path"], Purpose.SUBMIT) == (encoded.method, encoded.path, encoded.purpose)
    if "form" in case:
        expected = case["form"] + [["client_business_id", "run-item-1"]]
        assert sorted(expected) == sorted(form_fields(encoded))
    else:
        assert encoded.content_type == "application/json"
        expected = case["body"] | {"client_business_id": "run-item-1"}
        assert expected == json.loads(encoded.body)
        assert "Löwe" in encoded.body.decode("utf-8")


def test_every_model_has_an_expected_body():
    """No model of the catalogue is left out of the data."""
    assert {model.id for model in CATALOGUE} == {case["model"] for case in IMAGES + VIDEOS}


def test_references_keep_their_order_in_a_form():
    """The first reference is the first image field."""
    request = ImageRequest(
        "x", model="gpt-image-2.5-flare-vip", edit=True, reference_images=["https://a.example/1", "https://a.example/2"]
    )

    fields = form_fields(submission(request, catalogue=CATALOGUE, client_business_id="b"))

    assert [f for f in fields if f[0] == "image"] == [
        ["image", "https://a.example/1"],
        ["image", "https://a.example/2"],
    ]


@pytest.mark.parametrize(
    "alias", [alias for model in CATALOGUE for alias in (*model.aliases, model.id.replace(".", "-"))]
)
def test_alias_becomes_the_id(alias):
    """The wire sees ids only."""
    model = CATALOGUE.find(alias)
    request = (ImageRequest if model.kind == "image" else VideoRequest)("x", model=alias)

    assert model.id == sent(request)["model"]


def test_unknown_image_model_is_encoded_as_most_are():
    """A model of tomorrow gets its name through and the usual places."""
    request = ImageRequest(
        "x",
        model="future-1",
        size="16:9",
        resolution="8K",
        n=2,
        reference_images=["https://a.example/1"],
        seed=3,
        temperature=0.5,
    )

    expected = {
        "model": "future-1",
        "prompt": "x",
        "size": "16:9",
        "n": 2,
        "metadata": {"resolution": "8K", "temperature": 0.5},
        "image_urls": ["https://a.example/1"],
        "seed": 3,
        "client_business_id": "run-item-1",
    }
    assert expected == sent(request)


def test_unknown_video_model_is_encoded_as_most_are():
    """Frames and clips carry roles, since most models with both want them."""
    request = VideoRequest(
        "x", model="future-2", size="16:9", resolution="1080p", duration=5.0, first_frame="https://a.example/1"
    )

    expected = {
        "model": "future-2",
        "prompt": "x",
        "duration": 5,
        "aspect_ratio": "16:9",
        "resolution": "1080p",
        "image_with_roles": [{"url": "https://a.example/1", "role": "first_frame"}],
        "client_business_id": "run-item-1",
    }
    assert expected == sent(request)


def test_plain_and_role_references_never_stand_side_by_side():
    """image_urls and image_with_roles exclude each other, so with one frame all images carry roles."""
    request = VideoRequest(
        "x",
        model="doubao-seedance-1-0-pro-quality",
        reference_images=["https://a.example/style"],
        first_frame="https://a.example/first",
    )

    body = sent(request)

    assert "image_urls" not in body
    assert body["image_with_roles"] == [
        {"url": "https://a.example/first", "role": "first_frame"},
        {"url": "https://a.example/style", "role": "reference"},
    ]


def test_extra_overrides_and_metadata_is_merged():
    """A key of extra replaces ours; metadata is merged to any depth."""
    request = ImageRequest(
        "x",
        model="gemini-3-pro-image-preview-official",
        resolution="2K",
        output_format="png",
        extra={"n": 4, "metadata": {"imageOutputOptions": {"compressionQuality": 5}}},
    )

    body = sent(request)

    assert body["n"] == 4
    assert body["metadata"] == {
        "resolution": "2K",
        "imageOutputOptions": {"mimeType": "image/png", "compressionQuality": 5},
    }


def test_extra_is_left_as_it_was():
    """Encoding twice gives the same, and the user's mapping is not written to."""
    extra = {"metadata": {"orientation": "landscape"}}
    request = ImageRequest("x", resolution="1K", extra=extra)

    assert sent(request) == sent(request)
    assert extra == {"metadata": {"orientation": "landscape"}}


def test_empty_prompt_of_a_video_is_left_out():
    """Models that animate an image without words get no empty text."""
    request = VideoRequest("", model="wan2.6-flash", reference_images=["https://a.example/1"])

    assert "prompt" not in sent(request)


def test_nothing_replaces_our_own_reference():
    """A client_business_id in extra would break the search for a lost task."""
    assert sent(ImageRequest("x", extra={"client_business_id": "theirs"}))["client_business_id"] == "run-item-1"


@pytest.mark.parametrize("extra", [{"x": float("nan")}, {"x": {1, 2}}, {"x": b"bytes"}])
def test_what_json_does_not_have_is_refused(extra):
    """With validation off, an impossible extra is still an error of the family."""
    with pytest.raises(InvalidRequestError, match="JSON"):
        sent(ImageRequest("x", extra=extra))


def test_wrong_types_are_named_even_with_validation_off():
    """A size that is a number cannot be encoded; the error says which field it is."""
    with pytest.raises(InvalidRequestError, match="size is 169"):
        sent(ImageRequest("x", size=169))


def test_half_a_character_is_escaped():
    """The body is UTF-8 whatever the prompt holds."""
    encoded = submission(ImageRequest("\ud800"), catalogue=CATALOGUE, client_business_id="b")

    assert json.loads(encoded.body.decode("utf-8"))["prompt"] == "\ud800"


def test_user_catalogue_decides_the_places():
    """An entry that the user adds is obeyed."""
    mine = CATALOGUE.find("qwen-image-3.0")
    catalogue = CATALOGUE.with_models(type(mine)(id="mine", kind="image", resolutions=("9K",), resolution_place="q.r"))

    body = sent(ImageRequest("x", model="mine", resolution="9k"), catalogue)

    assert body["q"] == {"r": "9K"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tsk_img_01", "/images/generations/tsk_img_01"),
        ("a b/c?d#é", "/images/generations/a%20b%2Fc%3Fd%23%C3%A9"),
        ("..", "/images/generations/%2E%2E"),
    ],
)
def test_lookup_path_is_one_segment(name, expected):
    """Whatever the id holds, it cannot leave its place in the path."""
    request = lookup(name, kind="image")

    assert ("GET", expected, Purpose.QUERY, None) == (request.method, request.path, request.purpose, request.body)


def test_video_lookup_goes_to_the_video_endpoint():
    """Videos are looked up where they were made."""
    assert lookup("v1", kind="video").path == "/videos/generations/v1"


def test_remix_and_extend_name_the_video():
    """Both take the video's id in the path and a body like a new one."""
    request = VideoRequest("more", model="grok-video-1.0", size="16:9")

    remixed = remix("task/1", request, catalogue=CATALOGUE, client_business_id="b")
    extended = extend("task/1", request, catalogue=CATALOGUE, client_business_id="b")

    body = {"model": "grok-video-1.0", "prompt": "more", "client_business_id": "b"}
    assert ("/videos/task%2F1/remix", body | {"aspect_ratio": "16:9"}) == (remixed.path, json.loads(remixed.body))
    assert ("/videos/task%2F1/extend", body | {"size": "16:9"}) == (extended.path, json.loads(extended.body))
    assert Purpose.SUBMIT is remixed.purpose is extended.purpose


def test_account_requests():
    """Balance and models have paths of their own and spend the account's budget."""
    paths = [balance().path, balance(user=True).path, models("image").path]

    assert paths == ["/balance", "/user/balance", "/models?type=image"]
    assert Purpose.ACCOUNT is balance().purpose is models("all").purpose


def test_upload_is_a_whole_form():
    """One part named file, with the bytes untouched; a hostile file name cannot end its header."""
    data = b"\x89PNG\r\n\x1a\n--toapis-async-form\r\n"

    request = upload(data, filename='a"\r\nX: y.png', mime_type="image/png", kind="image")

    assert (request.path, request.purpose) == ("/uploads/images", Purpose.ACCOUNT)
    boundary = request.content_type.partition("boundary=")[2].encode()
    assert boundary not in data
    head, _, rest = request.body.partition(b"\r\n\r\n")
    assert head.splitlines() == [
        b"--" + boundary,
        b'Content-Disposition: form-data; name="file"; filename="a%22%0D%0AX: y.png"',
        b"Content-Type: image/png",
    ]
    assert rest == data + b"\r\n--" + boundary + b"--\r\n"
    assert upload(b"x", filename="a.mp4", mime_type="video/mp4", kind="video").path == "/uploads/videos"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    prompt=st.text(min_size=1),
    model=st.sampled_from([model.id for model in CATALOGUE if model.kind == "image"]) | st.text(min_size=1, max_size=9),
    size=st.none() | st.sampled_from(["1:1", "16:9", "1024x1024", "auto"]),
    resolution=st.none() | st.sampled_from(["1K", "2k", "4K"]),
    extra=st.dictionaries(st.text(max_size=8), json_values, max_size=3),
    n=st.integers(1, 15),
)
def test_a_valid_request_always_encodes(prompt, model, size, resolution, extra, n):
    """What validation passes comes back from the body as it went in."""
    request = ImageRequest(prompt, model=model, size=size, resolution=resolution, extra=extra, n=n)
    if violations(request, CATALOGUE):
        return

    body = sent(request)

    assert body["client_business_id"] == "run-item-1"
    assert extra.get("prompt", prompt) == body["prompt"]
    assert all(body[key] == value for key, value in extra.items() if key != "metadata")


@pytest.mark.parametrize("kind", [ImageRequest, VideoRequest])
def test_what_is_the_caller_s_is_not_sent(kind: type[ImageRequest | VideoRequest]) -> None:
    """Context, label and priority are in no body."""
    model = "sora-2" if kind is VideoRequest else "gpt-image-2"
    carried = kind("fox", model=model, context=["row-4711"], label="tenant-7", priority=0)
    sent = submission(carried, catalogue=CATALOGUE, client_business_id="b")

    assert sent == submission(kind("fox", model=model), catalogue=CATALOGUE, client_business_id="b")
