"""Formats are known by their bytes."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from toapis_async.policy.files.signatures import end_is_whole, looks_like_markup, size_px, sniff

DRAWN = [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("GIF", "gif"), ("TIFF", "tif")]


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
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41", "mp4"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "mp4"),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  ", "mov"),
        (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", "mov"),
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


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\x00\x00" + bytes(9000), "comment": b"\xff\xc0" * 30}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 60}),
        ("WEBP", {"exif": b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"}),
        ("GIF", {}),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (37, 21), (640, 360)])
def test_sizes_are_read_from_the_head(kind, options, size):
    """Width and height come out as they were drawn."""
    assert size == size_px(drawn(kind, size, **options))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow draws no AVIF")
def test_the_size_of_an_avif_is_read():
    """AVIF keeps its size in an ``ispe`` box."""
    assert size_px(drawn("AVIF", (64, 48))) == (64, 48)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_stump_has_no_size(kind):
    """Where the head ends before the size, the size is unknown."""
    data = drawn(kind)

    assert [size_px(data[:length]) for length in range(9)] == [None] * 9


def test_formats_without_a_measure_have_no_size():
    """A video's size is not in its head."""
    assert size_px(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom") is None


@given(st.sampled_from([beginning for beginning, _ in DRAWN]), st.binary(max_size=300))
def test_foreign_bytes_never_raise(kind, noise):
    """Whatever follows a good beginning, the answer is a size or None."""
    head = drawn(kind, (8, 8))[:12] + noise

    assert size_px(head) is None or len(size_px(head)) == 2
    sniff(noise)
    looks_like_markup(noise)


@pytest.mark.parametrize(("kind", "_extension"), DRAWN)
def test_whole_files_have_whole_ends(kind, _extension):
    """What Pillow drew ends as it should, also with padding after it."""
    data = drawn(kind)
    signature = sniff(data)

    assert end_is_whole(signature, head=data, tail=data[-65536:], length=len(data))
    padded = data + bytes(40)
    assert end_is_whole(signature, head=padded, tail=padded[-65536:], length=len(padded))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_cut_files_have_no_whole_end(kind):
    """A file that lacks its last part is told from a whole one."""
    data = drawn(kind, (64, 64))
    cut = data[: len(data) - 40].rstrip(b";")

    assert not end_is_whole(sniff(data), head=cut, tail=cut[-65536:], length=len(cut))
