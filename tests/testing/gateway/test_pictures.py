"""What picture a request asks for."""

import io

import pytest
from PIL import Image

from toapis_async.testing.gateway.pictures import format_of, pixels_of, resolution_of


@pytest.mark.parametrize(
    ("size", "resolution", "expected"),
    [
        (None, None, (1024, 1024)),
        ("16:9", "1K", (1368, 768)),
        ("9:16", "2k", (1536, 2728)),
        ("1536x1024", "4K", (1536, 1024)),
        ("1:1", "0.5K", (512, 512)),
        ("auto", None, (1024, 1024)),
        ("0:1", None, (1024, 1024)),
    ],
)
def test_pixels_by_ratio_and_resolution(size, resolution, expected):
    """The ratio at about the area of the resolution."""
    assert pixels_of(size, resolution) == expected


@pytest.mark.parametrize(
    ("body", "model", "expected"),
    [
        ({"resolution": "2k"}, "gpt-image-2", "2k"),
        ({"metadata": {"resolution": "2K"}}, "gpt-image-2", None),
        ({"metadata": {"resolution": "2K"}}, "gemini-3-pro-image-preview", "2K"),
        ({"resolution": "2K"}, "gemini-3-pro-image-preview", None),
        ({"resolution": "2K"}, "of-tomorrow", "2K"),
        ({"metadata": {"resolution": "2K"}}, "of-tomorrow", "2K"),
        ({"metadata": None}, "of-tomorrow", None),
    ],
)
def test_resolution_counts_where_the_model_reads_it(body, model, expected):
    """A resolution in the wrong place is ignored, as at the gateway."""
    assert resolution_of(body, model) == expected


@pytest.mark.parametrize(
    ("body", "model", "default", "expected"),
    [
        ({}, "gpt-image-2", None, "png"),
        ({}, "gemini-3-pro-image-preview", None, "jpeg"),
        ({}, "gemini-3-pro-image-preview", "webp", "webp"),
        ({"output_format": "JPG"}, "gpt-image-2", "png", "jpeg"),
        ({"output_format": "webp"}, "gpt-image-2", None, "webp"),
    ],
)
def test_format_by_request_scenario_and_model(body, model, default, expected):
    """What was asked for wins."""
    assert format_of(body, model, default) == expected


@pytest.mark.parametrize("files", ["drawn", "small"])
@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
async def test_files_on_the_wire_have_the_asked_format(running, files, form):
    """Drawn or small, the address ends rightly and the bytes are an image of the ratio."""
    async with running(files=files) as (_, caller):
        task = await caller.made(size="16:9", output_format=form)
        url = task["result"]["data"][0]["url"]

        _, headers, content = await caller.call("GET", url)

        assert url.endswith({"png": ".png", "jpeg": ".jpg", "webp": ".webp"}[form])
        assert headers["Content-Type"] == f"image/{form}"
        image = Image.open(io.BytesIO(content))
        image.load()
        assert image.format == form.upper()
        assert image.width / image.height == pytest.approx(16 / 9, rel=0.03)


async def test_a_file_is_the_same_after_it_was_forgotten(running):
    """The store keeps a few; the others are drawn again, byte for byte."""
    async with running(files="drawn") as (sim, caller):
        task = await caller.made(size="64x64")
        url = task["result"]["data"][0]["url"]
        first = (await caller.call("GET", url))[2]
        for number in range(33):
            other = await caller.made(f"other {number}", size="64x64")
            await caller.call("GET", other["result"]["data"][0]["url"])

        assert (await caller.call("GET", url))[2] == first
        assert sim.books.downloads == 35
