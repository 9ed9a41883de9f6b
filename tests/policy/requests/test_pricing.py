"""Prices before anything is sent."""

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.requests.pricing import estimate
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.catalogue import Catalogue, Model
from toapis_async.values.requests import ImageRequest, VideoRequest
from toapis_async.values.rules import Price

CATALOGUE = packaged_catalogue()
URLS = ("https://a.example/1", "https://a.example/2")
FLARE = "gpt-image-2.5-flare-vip"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (ImageRequest("x"), "0.0120"),
        (ImageRequest("x", model="nano-banana", resolution="4K", reference_images=URLS), "0.0120"),
        (ImageRequest("x", model="gpt-image-2"), "0.015"),
        (ImageRequest("x", model="gpt-image-2", resolution="4K", n=3), "0.075"),
        (ImageRequest("x", model="gpt-image-2.5-flare", resolution="2k"), "0.020"),
        (ImageRequest("x", model="qwen-image-3.0", reference_images=URLS), "0.036"),
        (ImageRequest("x", model=FLARE), "0.042208"),
        (ImageRequest("x", model=FLARE, quality="LOW", size="2048X2048"), "0.009592"),
        (ImageRequest("x", model=FLARE, quality="low", size="1536x1024"), "0.009592"),
        (ImageRequest("x", model=FLARE, quality="high", size="2160x3840"), "0.080152"),
        (ImageRequest("x", model=FLARE, quality="max"), "0.1687"),
        (ImageRequest("x", model=FLARE, quality="medium", reference_images=URLS[:1]), "0.0204"),
        (ImageRequest("x", model=FLARE, quality="medium", reference_images=URLS), "0.0302"),
        (ImageRequest("x", model="gpt-image-2.5-sunburst-official", quality="medium"), "0.0106"),
        (ImageRequest("x", model="gpt-image-2-vip", quality="low"), "0.0019"),
        (ImageRequest("x", model="nano_banana_2", resolution="4K"), "0.040"),
        (ImageRequest("x", model="gemini-3-1-flash-image-preview"), "0.025"),
        (VideoRequest("x", model="grok-video-1.5", duration=15), "0.15"),
        (VideoRequest("x", model="grok-video-1.5"), "0.08"),
        (VideoRequest("x", model="seedance-2-fast", resolution="480P", duration=4), "0.16"),
        (VideoRequest("x", model="wan3.0-video", resolution="480p", duration=2, audio=False), "0.10"),
        (VideoRequest("x", model="wan2.6-flash"), "0.3575"),
        (VideoRequest("x", model="wan2.6-flash", resolution="720P", duration=10, audio=True), "0.429"),
        (VideoRequest("x", model="wan2.6-flash", resolution="720p", duration=10, audio=False), "0.215"),
    ],
)
def test_known_price(request_, expected):
    """The documented or measured price, times what is asked for."""
    assert Decimal(expected) == estimate(request_, CATALOGUE)


@pytest.mark.parametrize(
    "request_",
    [
        ImageRequest("x", model="future-1"),
        ImageRequest("x", model="flux-2-pro"),
        ImageRequest("x", model="qwen-image-3.0-pro"),
        ImageRequest("x", model="gpt-image-2-vip"),
        ImageRequest("x", model=FLARE, quality="auto"),
        ImageRequest("x", model=FLARE, quality="max", size="2048x2048"),
        ImageRequest("x", model=FLARE, extra={"quality": "max"}),
        ImageRequest("x", model="gemini-3.1-flash-image-preview", resolution="0.5K"),
        ImageRequest("x", model="gpt-image-2", resolution="16k"),
        ImageRequest("x", model="gpt-image-2", extra={"n": 10}),
        ImageRequest("x", model="gpt-image-2", extra={"resolution": "4k"}),
        ImageRequest("x", extra={"metadata": {"resolution": "4K"}}),
        VideoRequest("x", model="seedance-2-fast", resolution="720p", duration=4),
        VideoRequest("x", model="seedance-2-fast", resolution="480p"),
        VideoRequest("x", model="seedance-2-fast", resolution="480p", duration=-1),
        VideoRequest("x", model="wan3.0-video", resolution="480p", duration=2),
        VideoRequest("x", model="wan3.0-video", resolution="480p", audio=False),
        VideoRequest("x", model="wan2.6", duration=5),
    ],
)
def test_unknown_price_is_none(request_):
    """Unknown is said to be unknown; a budget must not take it for free."""
    assert estimate(request_, CATALOGUE) is None


def test_price_for_each_video():
    """A flat price for a video stands whatever its length."""
    catalogue = Catalogue((Model(id="m", kind="video", price=Price(per_output=Decimal("0.5"))),))

    assert Decimal("0.5") == estimate(VideoRequest("x", model="m"), catalogue)


def test_price_by_resolution_without_a_default():
    """Nothing is guessed where neither the request nor the entry names the resolution."""
    catalogue = Catalogue((Model(id="m", kind="image", price=Price(by_resolution={"1K": Decimal(1)})),))

    assert estimate(ImageRequest("x", model="m"), catalogue) is None
    assert Decimal(1) == estimate(ImageRequest("x", model="m", resolution="1k"), catalogue)


@given(
    model=st.sampled_from([model.id for model in CATALOGUE if model.kind == "image"]),
    n=st.integers(1, 15),
    resolution=st.sampled_from([None, "1K", "2k", "4K"]),
)
def test_never_zero(model, n, resolution):
    """Whatever is asked for, the price is above zero or unknown."""
    price = estimate(ImageRequest("x", model=model, n=n, resolution=resolution), CATALOGUE)

    assert price is None or price > 0


def test_references_of_a_measured_price():
    """Where it is not known what a reference adds, an image with one has no price."""
    measured = {"8x8": {"high": Decimal(1)}}
    made = Model(id="m", kind="image", defaults={"size": "8x8", "quality": "high"})
    unknown, known = (
        Catalogue((attrs.evolve(made, price=Price(by_size_and_quality=measured, per_reference=each)),))
        for each in (None, Decimal("0.5"))
    )
    request = ImageRequest("x", model="m", reference_images=URLS, n=2)

    assert (None, Decimal(4)) == (estimate(request, unknown), estimate(request, known))


def test_most_that_the_sources_price_is_priced():
    """Every model whose price a source gives can be estimated at its cheapest; the others are said to be unknown."""
    cheapest = {"gpt-image-2-vip": {"quality": "low"}, "seedance-2-fast": {"resolution": "480p", "duration": 4}}
    cheapest["seedance-2-mini"] = cheapest["seedance-2-fast"]
    cheapest["wan3.0-video"] = {"resolution": "480p", "duration": 2, "audio": False}
    priced = [model for model in CATALOGUE if model.price is not None]

    assert len(priced) == 16
    for model in priced:
        kind = ImageRequest if model.kind == "image" else VideoRequest
        assert estimate(kind("x", model=model.id, **cheapest.get(model.id, {})), CATALOGUE), model.id
