"""Prices before anything is sent."""

from decimal import Decimal

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
        (VideoRequest("x", model="grok-video-1.5", duration=15), "0.15"),
        (VideoRequest("x", model="grok-video-1.5"), "0.08"),
        (VideoRequest("x", model="seedance-2-fast", resolution="480P", duration=4), "0.16"),
        (VideoRequest("x", model="wan3.0-video", resolution="480p", duration=2, audio=False), "0.10"),
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
        ImageRequest("x", model="gpt-image-2.5-flare-official"),
        ImageRequest("x", model=FLARE, reference_images=URLS),
        ImageRequest("x", model=FLARE, quality="max"),
        ImageRequest("x", model="gpt-image-2", resolution="16k"),
        ImageRequest("x", model="gpt-image-2", extra={"n": 10}),
        ImageRequest("x", model="gpt-image-2", extra={"resolution": "4k"}),
        ImageRequest("x", extra={"metadata": {"resolution": "4K"}}),
        VideoRequest("x", model="seedance-2-fast", resolution="720p", duration=4),
        VideoRequest("x", model="seedance-2-fast", resolution="480p"),
        VideoRequest("x", model="seedance-2-fast", resolution="480p", duration=-1),
        VideoRequest("x", model="wan3.0-video", resolution="480p", duration=2),
        VideoRequest("x", model="wan3.0-video", resolution="480p", audio=False),
        VideoRequest("x", model="wan2.6-flash", duration=5),
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
