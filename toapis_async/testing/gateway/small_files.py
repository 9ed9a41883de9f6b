"""Files that cost nothing to make: plain PNGs, and containers that hold no film."""

import struct
import zlib
from random import Random

from toapis_async.testing.gateway.pictures import Picture

_SHORT_SIDE = 24


def small_png(picture: Picture, about_bytes: int) -> bytes:
    """A valid PNG of the picture's proportions in one colour, padded with a private chunk to about that length."""
    scale = _SHORT_SIDE / min(picture.width, picture.height)
    width, height = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    colour = picture.seed.to_bytes(4)[1:]
    rows = zlib.compress((b"\0" + colour * width) * height, 1)
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    label = _chunk(b"tEXt", b"Comment\0" + picture.label.encode("latin-1", "replace"))
    tail = _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    missing = about_bytes - len(head) - len(label) - len(tail) - 12
    padding = _chunk(b"paDd", Random(picture.seed).randbytes(missing)) if missing > 0 else b""
    return head + label + padding + tail


def small_mp4(label: str, seed: int, about_bytes: int) -> bytes:
    """An MP4 container with its type box and random bytes where the film would be."""
    kind = _box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isomiso2avc1mp41")
    name = _box(b"free", label.encode())
    return kind + name + _box(b"mdat", Random(seed).randbytes(max(0, about_bytes - len(kind) - len(name) - 8)))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content
