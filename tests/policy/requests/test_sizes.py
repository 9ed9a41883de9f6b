"""Sizes in their three forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.requests.sizes import allowed_sizes, closest_ratio, looks_like_a_size, repaired, wire_size
from toapis_async.values.catalogue import Model
from toapis_async.values.rules import PixelSizes

RATIOS = Model(id="m", kind="image", sizes=("1:1", "16:9", "auto"))
ANY = Model(id="m", kind="image", sizes=("1:1",), any_ratio=True, max_ratio=3.0)
PIXELS = Model(
    id="m",
    kind="image",
    pixels=PixelSizes(separator="*", step=16, min_pixels=65536, max_pixels=4194304, max_ratio=4.0, max_side=2048),
)


@pytest.mark.parametrize(
    ("model", "size", "expected"),
    [
        (RATIOS, "16:9", "16:9"),
        (RATIOS, "AUTO", "auto"),
        (RATIOS, "9:16", None),
        (RATIOS, "1024x1024", None),
        (ANY, "7:5", "7:5"),
        (ANY, "3:1", "3:1"),
        (ANY, "10:3", None),
        (ANY, "1:4", None),
        (PIXELS, "1024x512", "1024*512"),
        (PIXELS, "1024*512", "1024*512"),
        (PIXELS, "1024X512", "1024*512"),
        (PIXELS, "1000x512", None),
        (PIXELS, "128x128", None),
        (PIXELS, "2064x1024", None),
        (PIXELS, "2048x2064", None),
        (PIXELS, "2048x496", None),
        (PIXELS, "0x16", None),
        (PIXELS, "１０２４x512", None),
        (PIXELS, "", None),
    ],
)
def test_size_on_the_wire(model, size, expected):
    """Case and separator are the model's, bounds are inclusive."""
    assert expected == wire_size(model, size)


def test_allowed_sizes_in_words():
    """What is allowed is told in full."""
    assert allowed_sizes(RATIOS) == "1:1, 16:9, auto"
    assert allowed_sizes(ANY) == "1:1 or any ratio up to 3:1"
    assert allowed_sizes(PIXELS) == (
        "WIDTH*HEIGHT in pixels (sides in steps of 16, 65,536 to 4,194,304 pixels, long side at most 2048, "
        "ratio at most 4:1)"
    )
    assert allowed_sizes(Model(id="m", kind="image", pixels=PixelSizes())) == "WIDTHxHEIGHT in pixels"
    assert not allowed_sizes(Model(id="m", kind="image"))


@pytest.mark.parametrize("size", ["16:9", "1024x768", "1024*768", "auto", "match_input_image", "2K", "0.5k"])
def test_forms_of_sizes(size):
    """Ratios, pixels, words and resolutions used as sizes."""
    assert looks_like_a_size(size)
    assert repaired(size) is None


@pytest.mark.parametrize("size", ["", "16:", "0:1", "-1:1", "16:9:1", "1024", "a b", "１６:9", "1:" + "9" * 6])
def test_what_is_no_size(size):
    """Nothing else has the form of a size."""
    assert not looks_like_a_size(size)


def test_closest_ratio():
    """By shape, not by spelling; words have none."""
    assert closest_ratio(RATIOS, "1920x1080") == "16:9"
    assert closest_ratio(RATIOS, "5:4") == "1:1"
    assert closest_ratio(RATIOS, "wide") is None
    assert closest_ratio(PIXELS, "5:4") is None


@given(st.text(max_size=20))
def test_nothing_raises(size):
    """Whatever the text, and a repaired size always has the form of one."""
    assert all(wire_size(model, size) is None or looks_like_a_size(size) for model in (RATIOS, ANY, PIXELS))
    closest_ratio(RATIOS, size)
    assert repaired(size) is None or looks_like_a_size(repaired(size))
