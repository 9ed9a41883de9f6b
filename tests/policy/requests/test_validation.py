"""Requests against the catalogue: what is certainly wrong is told, what may be right passes."""

from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.requests.validation import doubt, violations
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.catalogue import Model
from toapis_async.values.requests import ImageRequest, RoleReference, VideoRequest

CATALOGUE = packaged_catalogue()
MODELS = list(CATALOGUE)
GEMINI = "gemini-2.5-flash-image-preview"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24
URL = "https://files.example.com/{}.png"


def urls(count: int) -> list[str]:
    return [URL.format(number) for number in range(count)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", 5),
        ("prompt", None),
        ("model", 5),
        ("size", 169),
        ("resolution", 2),
        ("n", "2"),
        ("n", True),
        ("n", 1.0),
        ("n", None),
        ("n", 10**30),
        ("quality", 1),
        ("background", b"x"),
        ("output_format", []),
        ("output_compression", "90"),
        ("temperature", "1"),
        ("temperature", True),
        ("top_p", float("nan")),
        ("seed", 1.5),
        ("seed", 10**30),
        ("id", 7),
        ("client_business_id", 7),
        ("callback_url", 7),
        ("extra", [1]),
        ("extra", None),
        ("extra", {1: 2}),
        ("edit", "yes"),
        ("reference_images", "https://a.example/x.png"),
        ("reference_images", None),
        ("reference_images", [5]),
        ("mask", 5),
    ],
)
def test_wrong_type_is_a_violation(field, value):
    """Input from files may be anything; the answer is a sentence about the field, never a TypeError."""
    found = violations(attrs.evolve(ImageRequest("x"), **{field: value}), CATALOGUE)

    assert [field] == [sentence.split()[0].split("[")[0] for sentence in found]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration", "5"),
        ("duration", True),
        ("duration", float("inf")),
        ("duration", 10**30),
        ("audio", "on"),
        ("audio", 1),
        ("reference_videos", "x"),
        ("reference_audios", [None]),
        ("first_frame", 5),
        ("last_frame", ["x"]),
        ("seed", "1"),
        ("reference_images", [RoleReference(source=5, role="x")]),
        ("reference_images", [RoleReference(source="x", role=5)]),
    ],
)
def test_wrong_type_in_a_video_request_is_a_violation(field, value):
    """The same for videos."""
    found = violations(attrs.evolve(VideoRequest("x", model="seedance-2"), **{field: value}), CATALOGUE)

    assert [field] == [sentence.split()[0].split("[")[0] for sentence in found]


def test_quoted_number_is_told_apart():
    """A quoted number is the commonest slip, so the sentence says it."""
    (sentence,) = violations(ImageRequest("x", n="2"), CATALOGUE)

    assert sentence == "n is '2' (str); it has to be a whole number without quotes"


def test_number_that_cannot_be_printed():
    """Python refuses to print numbers of many thousand digits; the sentence does without."""
    (sentence,) = violations(ImageRequest("x", n=10**5000), CATALOGUE)

    assert sentence.startswith("n is ")


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"size": "16：9"}, "did you mean '16:9'"),
        ({"size": "16 : 9"}, "did you mean '16:9'"),
        ({"size": "16/9"}, "did you mean '16:9'"),
        ({"size": "16:10"}, "the closest is '3:2'"),
        ({"size": "1920x1080"}, "the closest is '16:9'"),
        ({"model": "gpt-image-2-official", "size": "autom"}, "did you mean 'auto'"),
        ({"size": "2K"}, "did you mean resolution='2K'"),
        ({"resolution": "16:9"}, "did you mean size='16:9'"),
        ({"model": "qwen-image-3.0", "size": "1024 × 768"}, "did you mean '1024x768'"),
        ({"model": "future-1", "size": "1024×768"}, "did you mean '1024x768'"),
        ({"model": "gpt-image-2-vip", "quality": "hihg"}, "did you mean 'high'"),
    ],
)
def test_slip_is_recognised(fields, hint):
    """The sentence offers what was probably meant."""
    (sentence,) = violations(ImageRequest("x", **fields), CATALOGUE)

    assert hint in sentence


def test_market_page_and_documentation_are_both_right():
    """The default model takes the union of the two."""
    for size in ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "3:2", "2:3"):
        for resolution in ("1K", "2K", "4K"):
            assert (
                violations(ImageRequest("x", size=size, resolution=resolution, reference_images=urls(14)), CATALOGUE)
                == ()
            )


@pytest.mark.parametrize(
    "request_",
    [
        ImageRequest("x", model="gemini-2.5-flash-image-pro", size="7:9", resolution="16K", n=9, quality="ultra"),
        ImageRequest("x", model="future-1", size="auto", resolution="hd", temperature=9.0, extra={"new": [1, None]}),
        VideoRequest("x", model="future-2", duration=900, size="7:9", resolution="8k", reference_images=urls(40)),
    ],
)
def test_unknown_model_passes(request_):
    """Even one whose name is like a known one: the gateway may know better."""
    assert violations(request_, CATALOGUE) == ()
    assert request_.model in doubt(request_.model, CATALOGUE)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gemini-2.5-flash-image-previw", GEMINI),
        ("gemini-2.5-flash-image-previeww", GEMINI),
        ("gemini-2.5-flash-imgae-preview", GEMINI),
        ("gemini_2.5_flash_image_preview", GEMINI),
        ("gemini2.5-flash-image-preview", GEMINI),
        ("nano-bananna", "nano-banana"),
        ("gpt-image-2-vop", "gpt-image-2-vip"),
    ],
)
def test_model_one_slip_away_is_refused(name, meant):
    """A misspelled model costs a failed request each; the sentence has the name that was meant."""
    (sentence,) = violations(ImageRequest("x", model=name), CATALOGUE)

    assert meant in sentence
    assert doubt(name, CATALOGUE) is None


@pytest.mark.parametrize("name", ["sora-3", "gpt-image-3", "kling-v4", "doubao-seedream-5-1", "veo3.2-fast"])
def test_another_version_is_no_slip(name):
    """A digit makes another model; it is sent, and the user is told that nobody knows it."""
    assert not [sentence for sentence in violations(VideoRequest("x", model=name), CATALOGUE) if name in sentence]
    assert name in doubt(name, CATALOGUE)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_known_model_is_not_doubted(model):
    """Neither by its id, nor an alias, nor as the market page spells it, in whichever case."""
    for name in (model.id, *model.aliases, model.id.replace(".", "-"), model.id.upper()):
        assert doubt(name, CATALOGUE) is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prompt": "\n\t"}, "prompt"),
        ({"prompt": "a\0b"}, "prompt"),
        ({"prompt": "\ud800"}, "prompt"),
        ({"model": ""}, "model"),
        ({"model": "my model"}, "model"),
        ({"n": -1}, "n"),
        ({"size": "big one"}, "size"),
        ({"resolution": "2 K"}, "resolution"),
        ({"reference_images": urls(15)}, "reference_images"),
        ({"edit": True}, "edit"),
        ({"id": " "}, "id"),
        ({"client_business_id": "x" * 97}, "client_business_id"),
        ({"client_business_id": "a/b"}, "client_business_id"),
        ({"client_business_id": "Ü"}, "client_business_id"),
        ({"client_business_id": ".."}, "client_business_id"),
        ({"client_business_id": ""}, "client_business_id"),
        ({"callback_url": "http://app.example/hook"}, "callback_url"),
        ({"callback_url": "https://u:p@app.example/hook"}, "callback_url"),
        ({"callback_url": "https://app.example/hook#x"}, "callback_url"),
        ({"callback_url": "https://[bad"}, "callback_url"),
        ({"extra": {"metadata": "text"}}, "extra"),
        ({"extra": {"client_business_id": "x"}}, "extra"),
        ({"extra": {"metadata": {"client_business_id": "x"}}}, "extra"),
        ({"extra": {"model": "x"}}, "extra"),
        ({"extra": {"x": float("inf")}}, "extra"),
        ({"extra": {"x": Path("y")}}, "extra"),
    ],
)
def test_what_no_model_takes_is_refused(fields, field):
    """These hold for models that nobody knows, too."""
    (sentence,) = violations(attrs.evolve(ImageRequest("x", model="future-1"), **fields), CATALOGUE)

    assert field in sentence


@pytest.mark.parametrize("name", ["a", "run-7.item_3:2~", "x" * 96])
def test_good_client_business_id_passes(name):
    """Letters, digits and what needs no escape in a path."""
    assert violations(ImageRequest("x", client_business_id=name), CATALOGUE) == ()


def test_all_that_is_wrong_is_told_at_once():
    """One look at the message is enough to mend the request."""
    local = "http://localhost/a.png"
    request = ImageRequest(" ", size="1:9", resolution="8K", n=2, quality="high", reference_images=[local])

    assert [sentence.split()[0] for sentence in violations(request, CATALOGUE)] == [
        "prompt",
        "reference_images[0]",
        "size",
        "resolution",
        "n",
        "quality",
    ]


def test_wrong_kind_of_request_is_told():
    """A video model in an image request would go to the wrong endpoint."""
    (image,) = violations(ImageRequest("x", model="sora-2"), CATALOGUE)
    (video,) = violations(VideoRequest("x", model="nano-banana"), CATALOGUE)

    assert "VideoRequest" in image
    assert "ImageRequest" in video


def test_known_by_name_only():
    """Of a model without a page, the forms of fields are judged and nothing else."""
    good = VideoRequest("x", model="grok-video-3", size="16:9", resolution="720p", audio=True, duration=9)
    (size, resolution) = violations(attrs.evolve(good, size="16 by 9", resolution="7 20"), CATALOGUE)

    assert violations(good, CATALOGUE) == ()
    assert "ratio" in size
    assert "720p" in resolution


def test_role_without_a_word_is_told():
    """An empty role is neither a role nor none."""
    request = VideoRequest("x", model="future-2", reference_images=[RoleReference(source=URL.format(1), role=" ")])

    (sentence,) = violations(request, CATALOGUE)
    assert "empty role" in sentence


def test_video_model_without_images():
    """A user's own entry may leave images out."""
    mine = CATALOGUE.with_models(Model(id="mine", kind="video"))

    (sentence,) = violations(VideoRequest("x", model="mine", reference_images=urls(1)), mine)
    assert sentence == "reference_images: mine takes none"


def test_control_of_another_model_is_refused():
    """What the model does not have would be ignored or refused by the gateway; the sentence lists what it has."""
    (sentence,) = violations(ImageRequest("x", model="flux-kontext-pro", quality="high"), CATALOGUE)

    assert "quality" in sentence
    assert "output_format" in sentence


def test_extra_passes_what_nobody_knows():
    """Unknown fields are the user's own business."""
    assert violations(ImageRequest("x", extra={"quality": "ultra", "metadata": {"new_field": 1}}), CATALOGUE) == ()


def test_empty_prompt_passes_with_an_image_where_the_page_says_so():
    """Some video models animate an image without words."""
    frame = VideoRequest("", model="MiniMax-Hailuo-02", first_frame=URL.format(1))

    assert violations(frame, CATALOGUE) == ()
    assert violations(attrs.evolve(frame, first_frame=None), CATALOGUE) != ()


def test_reference_through_extra_counts():
    """A model that needs a reference may get it through a field of its own."""
    subjects = {"metadata": {"subjects": [{"name": "cat", "images": urls(1)}]}}

    assert violations(VideoRequest("x", model="viduq3", extra=subjects), CATALOGUE) == ()


def test_local_address_passes_for_a_gateway_on_this_machine():
    """Against the simulator, uploads live on this machine."""
    request = ImageRequest("x", reference_images=["http://127.0.0.1:8080/uploads/1.png"])

    assert len(violations(request, CATALOGUE)) == 1
    assert violations(request, CATALOGUE, allow_local=True) == ()


def test_bytes_and_paths_are_references():
    """Good bytes pass, a path is not looked at, and bytes that are no image are told."""
    assert violations(ImageRequest("x", reference_images=[PNG, Path("a.png"), "b.png"]), CATALOGUE) == ()
    (sentence,) = violations(ImageRequest("x", reference_images=[b"%PDF-1.7 and so on"]), CATALOGUE)
    assert sentence.startswith("reference_images[0] is no JPEG")


anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.binary(max_size=5)
    | st.lists(st.text(max_size=3), max_size=2)
)


def some_of(kind: type) -> st.SearchStrategy[dict]:
    return st.dictionaries(st.sampled_from([field.name for field in attrs.fields(kind)]), anything, max_size=6)


@given(
    fields=some_of(ImageRequest),
    model=st.sampled_from(MODELS),
)
def test_no_image_request_raises(fields, model):
    """Whatever the fields hold, the answer is sentences."""
    request = ImageRequest(**({"prompt": "x", "model": model.id} | fields))

    assert all(isinstance(sentence, str) for sentence in violations(request, CATALOGUE))


@given(
    fields=some_of(VideoRequest),
    model=st.sampled_from(MODELS),
)
def test_no_video_request_raises(fields, model):
    """The same for videos."""
    request = VideoRequest(**({"prompt": "x", "model": model.id} | fields))

    assert all(isinstance(sentence, str) for sentence in violations(request, CATALOGUE))
