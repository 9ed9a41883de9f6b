"""Files that cost nothing to make and decode all the same: pictures of one colour, and a film of one second."""

import struct
import zlib
from functools import lru_cache
from random import Random

from toapis_async.testing.gateway.media.jpeg import flat_jpeg
from toapis_async.testing.gateway.media.mp4 import one_second_mp4
from toapis_async.testing.gateway.media.svg import captioned_svg
from toapis_async.testing.gateway.media.webp import flat_webp
from toapis_async.testing.gateway.pictures import Picture

_SHORT_SIDE = 24


def small_picture(picture: Picture, about_bytes: int) -> bytes:
    """A valid file of the picture's format and proportions in one colour, padded to about that length."""
    if picture.format == "png":
        return small_png(picture, about_bytes)
    width, height = _small_size(picture)
    colour, label = picture.seed.to_bytes(4)[1:], picture.label.encode("ascii", "replace")
    bare = _written(picture, width, height, colour, label)
    missing = about_bytes - len(bare)
    if missing <= 0:
        return bare
    return _written(picture, width, height, colour, label + _printable(missing))


def _written(picture: Picture, width: int, height: int, colour: bytes, comment: bytes) -> bytes:
    if picture.format == "jpeg":
        return flat_jpeg(width, height, colour, comment)
    if picture.format == "webp":
        return flat_webp(width, height, colour, comment)
    return captioned_svg(picture.width, picture.height, colour, picture.prompt, comment.decode())


def _small_size(picture: Picture) -> tuple[int, int]:
    scale = _SHORT_SIDE / min(picture.width, picture.height)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def small_png(picture: Picture, about_bytes: int) -> bytes:
    """A valid PNG of the picture's proportions in one colour, padded with a private chunk to about that length."""
    width, height = _small_size(picture)
    colour = picture.seed.to_bytes(4)[1:]
    rows = zlib.compress((b"\0" + colour * width) * height, 1)
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    label = _chunk(b"tEXt", b"Comment\0" + picture.label.encode("latin-1", "replace"))
    tail = _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    missing = about_bytes - len(head) - len(label) - len(tail) - 12
    return head + label + (_padding_chunk(missing) if missing > 0 else b"") + tail


@lru_cache(maxsize=8)
def _printable(length: int) -> bytes:
    return _noise(length).hex().encode()[:length]


@lru_cache(maxsize=8)
def _padding_chunk(length: int) -> bytes:
    # Label and colour tell files apart; noise of its own for each would cost more than all the rest.
    return _chunk(b"paDd", _noise(length))


@lru_cache(maxsize=8)
def _noise(length: int) -> bytes:
    return Random(length).randbytes(length)


def small_mp4(label: str, seed: int, about_bytes: int) -> bytes:
    """A film of one second in one colour, with random bytes after its picture to make it about that long."""
    colour = bytes(1 + byte % 254 for byte in Random(seed).randbytes(3))
    bare = one_second_mp4(colour, label.encode(), b"")
    return one_second_mp4(colour, label.encode(), _noise(max(0, about_bytes - len(bare))))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
