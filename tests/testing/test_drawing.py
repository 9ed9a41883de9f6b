"""Pictures of the asked size and format."""

import io

import pytest
from PIL import Image

from toapis_async.testing.drawing import draw, draw_small
from toapis_async.testing.gateway.pictures import Picture, format_of, pixels_of, resolution_of, seed_of
from toapis_async.testing.gateway.small_files import small_mp4, small_png


def opened(content):
    """The image, read to its last pixel."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("number", range(4))
def test_drawn_pictures_are_valid_and_of_their_size(form, number):
    """Whatever the motif, and a realistic length for their size."""
    picture = Picture(f"a fox {number}", 640, 360, form, seed_of("a fox", number), "tsk_img_1 0")

    content = draw(picture)
    image = opened(content)

    assert (image.format, image.size) == (form.upper(), (640, 360))
    assert len(content) > 8_000
    assert content == draw(picture)


def test_prompts_and_seeds_make_different_pictures():
    """A person can tell them apart, and so can a checksum."""
    pictures = {draw(Picture(prompt, 320, 320, "png", seed_of(prompt, n))) for prompt in ("cat", "dog") for n in (0, 1)}

    assert len(pictures) == 4


@pytest.mark.parametrize("prompt", ["", "空山新雨后", "x" * 3000, "word " * 400, "line\nbreak\ttab", "🦊 fox"])
def test_any_prompt_can_be_drawn(prompt):
    """Long, empty, and in scripts that the font does not have."""
    assert opened(draw(Picture(prompt, 256, 512, "jpeg", 5))).size == (256, 512)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_small_pictures_are_valid(form):
    """They keep the proportions."""
    assert opened(draw_small(Picture("p", 1600, 900, form, 9))).size == (43, 24)


@pytest.mark.parametrize(("about", "expected"), [(0, 123), (2048, 2048), (100_000, 100_000)])
def test_small_pngs_are_valid_and_as_long_as_asked(about, expected):
    """Padded with a private chunk; never shorter than they have to be."""
    content = small_png(Picture("p", 1024, 1024, "png", 9, "label"), about)

    assert opened(content).size == (24, 24)
    assert len(content) == pytest.approx(expected, abs=15)


def test_small_pngs_of_two_tasks_differ():
    """The task is in the file."""
    one, other = (small_png(Picture("p", 64, 64, "png", 9, label), 500) for label in ("tsk_1 0", "tsk_2 0"))

    assert one != other


def test_a_container_without_a_film():
    """The boxes of an MP4 add up."""
    content, place, boxes = small_mp4("tsk_vid_1", 1, 5000), 0, []
    while place < len(content):
        boxes.append(content[place + 4 : place + 8])
        place += int.from_bytes(content[place : place + 4])

    assert (boxes, place) == ([b"ftyp", b"free", b"mdat"], 5000)


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
def test_format_by_wish_scenario_and_model(body, model, default, expected):
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
        image = opened(content)
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
