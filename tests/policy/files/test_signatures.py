"""Formats are known by their bytes."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from toapis_async.policy.files.signatures import looks_like_markup, may_become_svg, sniff

DRAWN = [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("GIF", "gif"), ("TIFF", "tif"), ("BMP", "bmp")]


def drawn(kind: str, size: tuple[int, int] = (37, 21), **options: object) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(("kind", "extension"), DRAWN)
def test_drawn_images_are_recognised(kind, extension):
    """Each format that Pillow draws gets its extension."""
    signature = sniff(drawn(kind))

    assert signature is not None
    assert extension == signature.extension


@pytest.mark.parametrize(
    ("head", "extension"),
    [
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf", "avif"),
        (b"\x00\x00\x00\x1cftypavis\x00\x00\x00\x00avismsf1", "avif"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", "avif"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "heic"),
        (b"\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00miaf", "heic"),
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41", "mp4"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "mp4"),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  ", "mov"),
        (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", "mov"),
        (b"\x00\x00\x00\x08free\x00\x00\x10\x00moov", "mov"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska", "mkv"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    ],
)
def test_heads_of_other_formats_are_recognised(head, extension):
    """Formats that Pillow may not write are known by their documented first bytes."""
    signature = sniff(head)

    assert signature is not None
    assert extension == signature.extension


@pytest.mark.parametrize(
    "head",
    [b"", b"\x89PNG", b"<!DOCTYPE html><html>", b'{"error": 1}', b"RIFF\x00\x00\x00\x00WAVE", b"%PDF-1.7", b"ftyp"],
)
def test_everything_else_is_nothing(head):
    """Pages, messages, sounds and stumps are no images."""
    assert sniff(head) is None


@pytest.mark.parametrize("page", [b"<html>", b"\xef\xbb\xbf \r\n<!doctype html>", b' {"a":1}', b"[1]", b"<?xml ?>"])
def test_pages_and_messages_look_like_markup(page):
    """A byte order mark and white space do not hide a page."""
    assert looks_like_markup(page)


def test_images_do_not_look_like_markup():
    """No format that is kept begins like a page."""
    assert not any(looks_like_markup(drawn(kind)) for kind, _ in DRAWN)


PROLOGUE = (
    b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a > b --><!DOCTYPE svg PUBLIC "a" "b" [<!ENTITY n "v">]> <?go on?>\n'
)


@pytest.mark.parametrize("root", [b"<svg>", b"<svg xmlns='x'", b"<s:svg/>", b"<svg\n"])
@pytest.mark.parametrize("prologue", [b"", b" \n", PROLOGUE])
def test_vectors_are_known_by_their_root(prologue, root):
    """Whatever may stand before the root element, that it is ``svg`` makes an SVG."""
    signature = sniff(prologue + root)

    assert signature is not None
    assert (signature.mime, signature.extension) == ("image/svg+xml", "svg")


@pytest.mark.parametrize(
    "page",
    [b"<html><svg>", PROLOGUE + b"<html><svg/>", b"<!DOCTYPE html><svg>", b"<svgs>", b"text <svg>", b"<!-- <svg> -->"],
)
def test_pages_with_vectors_in_them_are_pages(page):
    """Only the root counts."""
    assert sniff(page) is None


def test_a_prologue_may_still_become_a_vector():
    """A comment whose end has not come keeps the question open; a page's root ends it."""
    comment = b"<?xml version='1.0'?><!-- " + b"words " * 500

    assert [may_become_svg(comment), may_become_svg(PROLOGUE + b"<html>" + b"words " * 500)] == [True, False]


@pytest.mark.parametrize("part", [b"<!--", b"<!---->", b"<?", b"<?a?>", b"<!DOCTYPE svg [", b"<!DOCTYPE svg[]>", b" "])
def test_no_page_makes_this_slow(part):
    """What begins over and over is looked at once: this test's own time limit would tell."""
    assert sniff(part * (65_536 // len(part))) is None


@given(st.sampled_from([beginning for beginning, _ in DRAWN]), st.binary(max_size=300))
def test_foreign_bytes_never_raise(kind, noise):
    """Whatever follows a good beginning, there is an answer."""
    assert sniff(drawn(kind, (8, 8))[:18] + noise) is not None
    sniff(noise)
    looks_like_markup(noise)
    may_become_svg(noise)
