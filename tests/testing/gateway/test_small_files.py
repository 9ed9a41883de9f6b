"""Files that cost nothing: each decodes, and is as long as asked."""

import io
import struct
import xml.etree.ElementTree as ET

import pytest
from PIL import Image

from toapis_async.testing.gateway.pictures import Picture
from toapis_async.testing.gateway.small_files import small_mp4, small_picture, small_png


def opened(content):
    """The image, read to its last pixel."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
@pytest.mark.parametrize(("width", "height", "expected"), [(1600, 900, (43, 24)), (8, 400, (24, 1200))])
def test_small_pictures_keep_the_proportions_and_one_colour(form, width, height, expected):
    """Decoded by another library, every pixel is the same."""
    image = opened(small_picture(Picture("p", width, height, form, 0x12345678), 0)).convert("RGB")

    assert (image.format or form, image.size, len(image.getcolors())) == (form, expected, 1)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "svg"])
@pytest.mark.parametrize("about", [2048, 200_001])
def test_small_pictures_are_as_long_as_asked(form, about):
    """To the few bytes that a format pads by itself."""
    content = small_picture(Picture("p", 1024, 1024, form, 9, "label"), about)

    assert len(content) == pytest.approx(about, abs=15)


@pytest.mark.parametrize("form", ["jpeg", "webp", "png"])
def test_padded_pictures_decode(form):
    """Also where the padding takes several segments."""
    assert opened(small_picture(Picture("p", 64, 64, form, 9, "label"), 200_000)).size == (24, 24)


def test_an_svg_has_its_size_and_prompt_whatever_the_prompt():
    """Markup, control characters and hyphens in pairs do no harm."""
    content = small_picture(Picture("a <fox> & \x00 --", 1024, 512, "svg", 9, "--task--"), 900)
    root = ET.fromstring(content)

    assert (root.get("width"), root.get("height")) == ("1024", "512")
    assert "a <fox> &" in "".join(root.itertext())


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "svg"])
def test_small_pictures_of_two_tasks_differ(form):
    """The task is in the file."""
    one, other = (small_picture(Picture("p", 64, 64, form, 9, label), 500) for label in ("tsk_1 0", "tsk_2 0"))

    assert one != other


@pytest.mark.parametrize(("about", "expected"), [(0, 123), (2048, 2048), (100_000, 100_000)])
def test_small_pngs_are_never_shorter_than_they_have_to_be(about, expected):
    """Padded with a private chunk."""
    assert len(small_png(Picture("p", 1024, 1024, "png", 9, "label"), about)) == pytest.approx(expected, abs=15)


def boxes_of(content, start, end):
    """Names and places of the boxes between two offsets."""
    found = {}
    while start < end:
        size = int.from_bytes(content[start : start + 4])
        found[content[start + 4 : start + 8]] = (start + 8, start + size)
        start += size
    assert start == end
    return found


def test_the_boxes_of_a_film_add_up():
    """From the file down to the table of samples, whose offset and size lead to the picture."""
    content = small_mp4("tsk_vid_1", 1, 5000)
    top = boxes_of(content, 0, 5000)
    place = top
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        place = boxes_of(content, *place[name])
    (offset,) = struct.unpack(">I", content[place[b"stco"][0] + 8 :][:4])
    (size,) = struct.unpack(">I", content[place[b"stsz"][0] + 12 :][:4])

    assert list(top) == [b"ftyp", b"free", b"moov", b"mdat"]
    assert offset == top[b"mdat"][0]
    # A picture that says how long it is, of the kind that needs no other.
    assert (int.from_bytes(content[offset : offset + 4]), content[offset + 4]) == (size - 4, 0x65)


def test_two_films_differ():
    """By label, and by seed."""
    assert len({small_mp4("a", 1, 2000), small_mp4("b", 1, 2000), small_mp4("a", 2, 2000)}) == 3


def test_a_film_plays():
    """Decoded by another library where there is one."""
    av = pytest.importorskip("av")
    for about in (0, 200_000):
        with av.open(io.BytesIO(small_mp4("film", 1, about))) as film:
            frames = [(frame.width, frame.height) for frame in film.decode(video=0)]
            assert (frames, film.duration) == ([(16, 16)], 1_000_000)
