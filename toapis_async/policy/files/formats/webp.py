"""WebP: a RIFF file of chunks (RFC 9649).

Lengths, flags and the heads of frames are looked at; coded pixels carry no checksum and are passed over.
"""

from struct import unpack_from

import attrs

from toapis_async.errors import ContentMismatchError
from toapis_async.policy.files.formats.incoming import Incoming, Walk

_FIRST = frozenset({b"VP8 ", b"VP8L", b"VP8X"})
_FRAMES = frozenset({b"VP8 ", b"VP8L"})
_ANIMATED = 0x02


@attrs.define
class _Found:
    """What the chunks have said so far."""

    chunks: int = 0
    canvas: tuple[int, int] | None = None
    animated: bool = False
    frames: int = 0


def walk_webp(incoming: Incoming) -> Walk[None]:
    """Walk the chunks to the length that the file declares for itself."""
    head = yield from incoming.take(12)
    found = _Found()
    yield from _chunks(incoming, 8 + int.from_bytes(head[4:8], "little"), found)
    if not found.frames:
        raise ContentMismatchError("has no picture inside")
    yield from incoming.only_padding_follows()


def _chunks(incoming: Incoming, end: int, found: _Found, *, inside: bool = False) -> Walk[None]:
    while incoming.position < end:
        start = incoming.position
        head = yield from incoming.take(8)
        kind, length = head[:4], int.from_bytes(head[4:], "little")
        stop = start + 8 + length
        if stop > end or not _is_name(kind) or (not found.chunks and kind not in _FIRST):
            raise ContentMismatchError(f"has no WebP chunk at byte {start}")
        found.chunks += 1
        if kind == b"ANMF" and not inside:
            yield from _frame(incoming, stop, found)
        elif kind in _FIRST:
            content = yield from incoming.take(min(length, 10))
            _look_at(kind, content, length, found, incoming, inside=inside)
        yield from incoming.skip(stop - incoming.position)
        # Chunks are padded to even lengths; some writers leave that out at the end.
        if length % 2 and stop < end:
            yield from incoming.skip(1)


def _frame(incoming: Incoming, stop: int, found: _Found) -> Walk[None]:
    if not found.animated or stop - incoming.position < 16:
        raise ContentMismatchError(f"has a frame of an animation out of place at byte {incoming.position}")
    yield from incoming.skip(16)
    before = found.frames
    yield from _chunks(incoming, stop, found, inside=True)
    if found.frames == before:
        raise ContentMismatchError(f"has an empty frame before byte {stop}")


def _look_at(kind: bytes, content: bytes, length: int, found: _Found, incoming: Incoming, *, inside: bool) -> None:
    size = _size(kind, content, length)
    if size is None or (kind == b"VP8X" and found.chunks > 1):
        raise ContentMismatchError(f"has a {kind.decode()} chunk that makes no sense before byte {incoming.position}")
    if kind == b"VP8X":
        found.canvas, found.animated = size, bool(content[0] & _ANIMATED)
    else:
        found.frames += 1
        if found.canvas is not None and not found.animated and size != found.canvas:
            raise ContentMismatchError(f"says two sizes: {found.canvas} and {size}")
    if not inside:
        incoming.measured(*size)


def _size(kind: bytes, content: bytes, length: int) -> tuple[int, int] | None:
    """Return width and height; None where the chunk's head is not as it must be."""
    if len(content) < (5 if kind == b"VP8L" else 10):
        return None
    if kind == b"VP8 ":
        # A key frame, its first partition inside the chunk, its start code (RFC 6386, section 9.1).
        tag = int.from_bytes(content[:3], "little")
        if tag & 1 or tag >> 5 > length or content[3:6] != b"\x9d\x01\x2a":
            return None
        width, height = unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(content[1:5], "little")
        return None if content[0] != 0x2F or bits >> 29 else ((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
    return int.from_bytes(content[4:7], "little") + 1, int.from_bytes(content[7:10], "little") + 1


def _is_name(kind: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in kind)
