"""Pixels are decoded on demand."""

import builtins
import io
import random
import struct
import zlib

import pytest
from PIL import Image, features

from toapis_async.errors import ConfigurationError
from toapis_async.storage.files.decoding import why_undecodable


def drawn(kind, **options):
    stream = io.BytesIO()
    frames = [Image.effect_noise((60, 40), 40 + number).convert("RGB") for number in range(3)]
    frames[0].save(stream, kind, **options, **({"append_images": frames[1:]} if options.get("save_all") else {}))
    return stream.getvalue()


WHOLE = [
    ("image/png", drawn("PNG")),
    ("image/png", drawn("PNG", save_all=True)),
    ("image/jpeg", drawn("JPEG")),
    ("image/jpeg", drawn("MPO", save_all=True)),
    ("image/webp", drawn("WEBP", save_all=True)),
    ("image/gif", drawn("GIF", save_all=True)),
    ("image/tiff", drawn("TIFF")),
    ("image/bmp", drawn("BMP")),
    *([("image/avif", drawn("AVIF"))] if features.check("avif") else []),
]
STUMPS = [(mime, data) for mime, data in WHOLE if mime != "image/bmp"]


def lossy_png(lost):
    """A PNG whose every checksum is right, and whose compressed pixels lack something."""
    pixels = zlib.compress(random.Random(1).randbytes(40 * 181), 1)[:-lost]
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 60, 40, 8, 2, 0, 0, 0)), (b"IDAT", pixels), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(text)) + kind + text + struct.pack(">I", zlib.crc32(kind + text)) for kind, text in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize(("mime", "data"), WHOLE, ids=range(len(WHOLE)))
def test_whole_pictures_decode(tmp_path, mime, data):
    """From bytes and from the disk."""
    (tmp_path / "picture").write_bytes(data)

    assert [why_undecodable(one, mime=mime) for one in (data, tmp_path / "picture")] == [None, None]


@pytest.mark.parametrize(("mime", "data"), STUMPS, ids=range(len(STUMPS)))
def test_stumps_do_not_decode(mime, data):
    """A picture without its second half."""
    assert why_undecodable(data[: len(data) // 2], mime=mime).startswith("cannot be decoded: ")


def test_missing_pixels_behind_good_checksums_are_found():
    """What no structure tells."""
    assert why_undecodable(lossy_png(3000), mime="image/png").startswith("cannot be decoded: ")


def test_a_picture_of_another_kind_is_named():
    """What the structure calls a PNG must open as one."""
    assert why_undecodable(drawn("GIF"), mime="image/png") == "cannot be decoded: its beginning makes no sense"


@pytest.mark.parametrize("mime", ["video/mp4", "image/svg+xml", "image/jxl"])
def test_films_and_vectors_are_not_decoded(mime):
    """Nothing is said of what Pillow does not decode."""
    assert why_undecodable(b"anything", mime=mime) is None


def test_what_is_too_large_is_not_decoded(monkeypatch):
    """Pillow's limit on pixels guards the memory, and condemns no file."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)

    assert why_undecodable(drawn("PNG"), mime="image/png") is None


def test_without_pillow_there_is_advice(monkeypatch):
    """The extra is named."""
    imported = builtins.__import__

    def refuse(name, *rest, **options):
        if name == "PIL":
            raise ImportError(name)
        return imported(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigurationError) as caught:
        why_undecodable(b"", mime="image/png")

    assert "toapis-async[verify]" in caught.value.hint
