"""JPEG: segments, and scans of coded pixels to the real end (ITU-T T.81).

A thumbnail in the EXIF segment has an end mark of its own: segments are passed over by their lengths. Inside a scan
only marks can be seen; a change of coded pixels that makes no mark is not found, and decoders shrug it off too.
"""

import re
from collections.abc import Callable
from struct import unpack_from

import attrs

from toapis_async.errors import ContentMismatchError
from toapis_async.policy.files.formats.incoming import Incoming, Walk
from toapis_async.policy.files.formats.isobmff import walk_appended_film

_EOI, _SOS, _DHT, _DQT, _DRI = 0xD9, 0xDA, 0xC4, 0xDB, 0xDD
# SOF0 to SOF15 without DHT, JPG and DAC, which share the range (table B.1).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_SEGMENTS = _FRAMES | {_DHT, 0xCC, _SOS, _DQT, 0xDC, _DRI, 0xDE, 0xDF, 0xFE} | set(range(0xE0, 0xF0))
_next_mark = re.compile(rb"\xff[^\x00]").search


@attrs.define
class _Picture:
    """What the segments of one picture have said so far."""

    first: bool
    frame: int = 0
    components: int = 0
    tables: bool = False
    restarts: bool = False
    scans: int = 0


def walk_jpeg(incoming: Incoming) -> Walk[None]:
    """Walk a picture, and what phones append to it: further pictures (MPF, gain maps) and a film (motion photos)."""
    yield from incoming.skip(2)
    yield from _picture(incoming, _Picture(first=True))
    while True:
        ended = incoming.position
        byte = yield from incoming.skip_padding()
        if not byte:
            return
        if byte != b"\xff":
            # A film's first box is short: its length begins with three zeros, which look like padding.
            if incoming.position - ended < 4 or (yield from incoming.take_up_to(4)) != b"ftyp":
                raise ContentMismatchError(f"goes on after its end at byte {ended}")
            yield from walk_appended_film(incoming, byte[0])
            return
        if (yield from incoming.take_up_to(1)) != b"\xd8":
            raise ContentMismatchError(f"goes on after its end at byte {ended}")
        yield from _picture(incoming, _Picture(first=False))


def _picture(incoming: Incoming, picture: _Picture) -> Walk[None]:
    mark = yield from _mark(incoming)
    while mark != _EOI:
        if mark not in _SEGMENTS:
            raise ContentMismatchError(f"has no JPEG segment at byte {incoming.position - 2}")
        length = int.from_bytes((yield from incoming.take(2))) - 2
        if length < 0:
            raise ContentMismatchError(f"has a JPEG segment of no length at byte {incoming.position - 4}")
        if mark >= 0xDE:
            yield from incoming.skip(length)
        elif not _segment_fits(mark, (yield from incoming.take(length)), picture, incoming):
            raise ContentMismatchError(f"has a JPEG segment that makes no sense before byte {incoming.position}")
        mark = yield from (_scan(incoming, picture) if mark == _SOS else _mark(incoming))
    if not picture.scans:
        raise ContentMismatchError("has no picture inside")


def _mark(incoming: Incoming) -> Walk[int]:
    """Take the next mark, which must be here; any number of FF may stand before it."""
    if (yield from incoming.take(1)) != b"\xff":
        raise ContentMismatchError(f"has no JPEG segment at byte {incoming.position - 1}")
    return (yield from _after_ff(incoming))


def _after_ff(incoming: Incoming) -> Walk[int]:
    while (byte := (yield from incoming.take(1))[0]) == 0xFF:
        pass
    return byte


def _scan(incoming: Incoming, picture: _Picture) -> Walk[int]:
    """Pass over coded pixels and return the mark that ends them; restarts are counted from 0 to 7 and over."""
    restarts = 0
    while True:
        yield from incoming.wait()
        found = _next_mark(incoming.chunk, incoming.at)
        if found is not None:
            incoming.at = found.end() - 1
        else:
            incoming.at = len(incoming.chunk)
            if incoming.chunk[-1] != 0xFF:
                continue
        mark = yield from _after_ff(incoming)
        if 0xD0 <= mark <= 0xD7:
            if not picture.restarts or mark & 7 != restarts & 7:
                raise ContentMismatchError(f"has a gap in its pixels before byte {incoming.position}")
            restarts += 1
        elif mark:
            return mark


def _segment_fits(mark: int, content: bytes, picture: _Picture, incoming: Incoming) -> bool:
    """Tell whether a segment is as long as its own counts say, and note what later ones depend on."""
    if mark in _FRAMES:
        return _frame_fits(mark, content, picture, incoming)
    match mark:
        case 0xDA:
            picture.scans += 1
            count = content[0] if content else 0
            ready = picture.frame and (picture.tables or picture.frame in _LOSSLESS)
            return bool(ready) and 1 <= count <= picture.components and len(content) == 4 + 2 * count
        case 0xDB:
            picture.tables = True
            return _tables_fit(content, lambda at: 65 + 64 * (content[at] >> 4))
        case 0xC4:
            return _tables_fit(content, lambda at: 17 + sum(content[at + 1 : at + 17]))
        case 0xDD:
            picture.restarts = len(content) == 2 and content != b"\x00\x00"
            return len(content) == 2
        case _:
            return True


def _frame_fits(mark: int, content: bytes, picture: _Picture, incoming: Incoming) -> bool:
    if picture.frame or len(content) < 6 or len(content) != 6 + 3 * content[5] or not content[5]:
        return False
    _, height, width = unpack_from(">BHH", content)
    picture.frame, picture.components = mark, content[5]
    if picture.first:
        incoming.measured(width, height)
    # No height is allowed: a DNL segment after the first scan tells it.
    return bool(width)


def _tables_fit(content: bytes, length_at: Callable[[int], int]) -> bool:
    """Tell whether tables, of which each one's own bytes tell the length, fill a segment."""
    at = 0
    while at < len(content):
        if content[at] & 0xEC:
            return False
        at += length_at(at)
    return at == len(content)
