"""PNG and APNG: chunks, each with a checksum (W3C PNG, third edition).

Every byte after the signature is covered, so that any flip is found; what no checksum tells is whether whole chunks
of pixels were left out (only decoding does).
"""

from struct import unpack_from

import attrs

from toapis_async.errors import ContentMismatchError
from toapis_async.policy.files.formats.incoming import Incoming, Walk

try:
    from isal.isal_zlib import crc32  # the extra ``speed``: a tenth of zlib's time
except ImportError:
    from zlib import crc32

_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_LOOKED_AT = 26
_LONGEST = 2**31 - 1


@attrs.define
class _Order:
    """What has come so far: chunks have their places."""

    last: bytes = b""
    header: bool = False
    palette_needed: bool = False
    pixels: bool = False
    frames: int = 0


def walk_png(incoming: Incoming) -> Walk[None]:
    """Walk from the signature to ``IEND``."""
    yield from incoming.skip(8)
    order = _Order()
    while order.last != b"IEND":
        yield from _chunk(incoming, order)
    yield from incoming.only_padding_follows()


def _chunk(incoming: Incoming, order: _Order) -> Walk[None]:
    start = incoming.position
    head = yield from incoming.take(8)
    length, kind = int.from_bytes(head[:4]), head[4:]
    if length > _LONGEST or not kind.isalpha():
        raise ContentMismatchError(f"has no PNG chunk at byte {start}")
    content = yield from incoming.take(min(length, _LOOKED_AT))
    checksum = crc32(content, crc32(kind))
    _check_order(order, kind, length)
    missing = length - len(content)
    while missing:
        piece = yield from incoming.piece(missing)
        checksum = crc32(piece, checksum)
        missing -= len(piece)
    told = yield from incoming.take(4)
    if checksum != int.from_bytes(told):
        raise ContentMismatchError(f"has a wrong checksum in the {kind.decode('latin-1')} chunk at byte {start}")
    if kind == b"IHDR":
        _check_header(content, incoming, order)
    elif kind in {b"fcTL", b"fdAT"}:
        _check_frame(content, order)
    order.last = kind


def _check_order(order: _Order, kind: bytes, length: int) -> None:
    wrong = (
        (kind == b"IHDR") == order.header
        or (kind == b"IHDR" and length != 13)
        or (kind == b"IEND" and (length > 0 or not order.pixels))
        or (kind == b"IDAT" and (order.palette_needed or (order.pixels and order.last != b"IDAT")))
        or (kind == b"PLTE" and (order.pixels or length % 3 > 0 or not length))
        or (kind[0] < 0x60 and kind not in _CRITICAL)
    )
    if wrong:
        raise ContentMismatchError(f"has a {kind.decode('latin-1')} chunk out of place")
    order.header = True
    order.pixels |= kind == b"IDAT"
    order.palette_needed &= kind != b"PLTE"


def _check_header(content: bytes, incoming: Incoming, order: _Order) -> None:
    width, height, depth, colour, compression, filtering, interlace = unpack_from(">IIBBBBB", content)
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1 or not width or not height:
        raise ContentMismatchError("has a PNG header that makes no sense")
    order.palette_needed = colour == 3
    incoming.measured(width, height)


def _check_frame(content: bytes, order: _Order) -> None:
    """Count the chunks of an animation, which are numbered."""
    if len(content) < 4 or int.from_bytes(content[:4]) != order.frames:
        raise ContentMismatchError("lacks a part of its animation")
    order.frames += 1
