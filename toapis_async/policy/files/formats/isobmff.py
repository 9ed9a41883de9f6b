"""ISO base media: boxes to their declared lengths, for MP4, MOV, AVIF, HEIC and JPEG XL (ISO/IEC 14496-12).

What is in ``mdat`` (and ``jxlc``) carries no checksum: it is passed over by its length, and only decoding tells more.
That films and pictures reach as far as their own tables say is checked: a box that goes "to the end of the file" hides
no cut. A film in fragments without an index of them that was cut exactly between two looks whole.
"""

from collections.abc import Callable
from itertools import islice
from struct import unpack_from

import attrs

from toapis_async.errors import ContentMismatchError, TruncatedError
from toapis_async.policy.files.formats.incoming import Incoming, Walk

# Boxes of boxes, and the bytes before the first inner one.
_CONTAINERS = {
    b"moov": 0,
    b"trak": 0,
    b"mdia": 0,
    b"minf": 0,
    b"stbl": 0,
    b"mvex": 0,
    b"moof": 0,
    b"traf": 0,
    b"iprp": 0,
    b"ipco": 0,
}
# Only what holds contents may go on "to the end of the file".
_ENDLESS = frozenset({b"mdat", b"jxlc", b"jxlp", b"free", b"skip"})
# Of the boxes that belong into others, those that a misled walk would come upon.
_INNER = (frozenset(_CONTAINERS) - {b"moov", b"moof"}) | {
    *(b"mvhd", b"tkhd", b"trex", b"udta"),
    *(b"mfhd", b"tfhd", b"tfdt", b"trun", b"tfra", b"mfro"),
    *(b"iloc", b"ispe", b"hdlr", b"ilst", b"data"),
}
_DEEPEST = 8
_LONGEST_TABLE = 65_536
_CODESTREAM_BYTES = 32


@attrs.define
class Boxes:
    """What the boxes have said so far.

    Attributes:
        kinds: which have come; of inner ones only those that are looked at.
        promised: a fragment's head has come, and its contents not yet.
        least_bytes: how long the file must be for its tables to be true.
        codestream: the first bytes of a JPEG XL codestream.
        last_part: whether the last part of a JPEG XL codestream in parts has come.

    """

    kinds: set[bytes] = attrs.field(factory=set)
    promised: bool = False
    least_bytes: int = 0
    codestream: bytes = b""
    last_part: bool = False


def walk_film(incoming: Incoming) -> Walk[None]:
    """Walk an MP4 or MOV: an index and the film, or fragments."""
    yield from _walk(incoming, _film_is_there)


def walk_heif(incoming: Incoming) -> Walk[None]:
    """Walk an AVIF or HEIC: a still picture or a sequence."""
    yield from _walk(incoming, _picture_is_there)


def walk_boxed_jxl(incoming: Incoming) -> Walk["Boxes"]:
    """Walk a JPEG XL file in boxes, with its codestream whole or in parts."""
    return (yield from _walk(incoming, lambda seen: b"jxlc" in seen.kinds or seen.last_part))


def walk_appended_film(incoming: Incoming, first_length: int) -> Walk[None]:
    """Walk a film behind a photo, whose first box's length and name have been taken."""
    if first_length < 8:
        raise ContentMismatchError(f"has no box at byte {incoming.position - 8}")
    yield from incoming.skip(first_length - 8)
    yield from _boxes(incoming, None, Boxes(), 0)


def _walk(incoming: Incoming, is_there: Callable[[Boxes], bool]) -> Walk[Boxes]:
    seen = Boxes()
    yield from _boxes(incoming, None, seen, 0)
    if seen.least_bytes > incoming.position:
        raise TruncatedError(f"ends before byte {seen.least_bytes}, where its tables lead")
    if seen.promised or not is_there(seen):
        raise TruncatedError("lacks its index or its contents")
    return seen


def _film_is_there(seen: Boxes) -> bool:
    index = b"moov" in seen.kinds and not seen.kinds.isdisjoint({b"mvhd", b"cmov"})
    return index and not seen.kinds.isdisjoint({b"mdat", b"moof"})


def _picture_is_there(seen: Boxes) -> bool:
    still = {b"meta", b"iloc"} <= seen.kinds and not seen.kinds.isdisjoint({b"mdat", b"idat"})
    return still or _film_is_there(seen)


def _boxes(incoming: Incoming, end: int | None, seen: Boxes, depth: int) -> Walk[None]:
    """Walk boxes to the end of the box around them; at the top (None), to the end of the file."""
    while end is None or incoming.position < end:
        start = incoming.position
        head = yield from incoming.take_up_to(8)
        if end is None and not head.strip(b"\x00"):
            yield from incoming.only_padding_follows()
            return
        if len(head) < 8:
            raise TruncatedError("ends in the middle")
        length, kind = int.from_bytes(head[:4]), head[4:]
        if length == 1:
            length = int.from_bytes((yield from incoming.take(8)))
        elif length == 0 and end is None and kind in _ENDLESS:
            seen.kinds.add(kind)
            yield from _to_the_end(incoming, kind, seen)
            return
        stop = start + length
        if stop < incoming.position or (end is not None and stop > end) or not _fits_in(kind, depth):
            raise ContentMismatchError(f"has no box at byte {start}")
        yield from _box(incoming, kind, stop, seen, depth)
        yield from incoming.skip(stop - incoming.position)


def _to_the_end(incoming: Incoming, kind: bytes, seen: Boxes) -> Walk[None]:
    """Pass over the last box, which declares no length."""
    if kind in _READERS:
        _READERS[kind]((yield from incoming.take_up_to(64)), seen, incoming)
    while not (yield from incoming.at_end()):
        incoming.at = len(incoming.chunk)


def _box(incoming: Incoming, kind: bytes, stop: int, seen: Boxes, depth: int) -> Walk[None]:
    seen.kinds.add(kind)
    if kind in {b"moof", b"mdat"} and not depth:
        if seen.promised and kind == b"moof":
            raise ContentMismatchError(f"has a fragment without contents before byte {incoming.position}")
        seen.promised = kind == b"moof"
    room = stop - incoming.position
    # At the top `meta` begins with a version; inside QuickTime's `moov` it may not, and is of no interest.
    prefix = 4 if kind == b"meta" and depth == 0 else _CONTAINERS.get(kind)
    if prefix is not None and depth < _DEEPEST:
        if room < prefix:
            raise ContentMismatchError(f"has an empty box before byte {stop}")
        yield from incoming.skip(prefix)
        yield from _boxes(incoming, stop, seen, depth + 1)
    elif kind in _OFFSET_BYTES and room >= 8:
        yield from _chunk_offsets(incoming, stop, seen, _OFFSET_BYTES[kind])
    elif kind in _READERS:
        _READERS[kind]((yield from incoming.take(min(room, _LONGEST_TABLE))), seen, incoming)


_OFFSET_BYTES = {b"stco": 4, b"co64": 8}


def _chunk_offsets(incoming: Incoming, stop: int, seen: Boxes, width: int) -> Walk[None]:
    """Read where the last chunk of a track begins."""
    count = int.from_bytes((yield from incoming.take(8))[4:])
    missing = stop - incoming.position - count * width
    if missing < 0:
        raise ContentMismatchError(f"has a table longer than its box before byte {stop}")
    if count:
        yield from incoming.skip((count - 1) * width)
        last = int.from_bytes((yield from incoming.take(width)))
        seen.least_bytes = max(seen.least_bytes, last + 1)


def _read_track(content: bytes, _seen: Boxes, incoming: Incoming) -> None:
    """Read a track's size, which is 16.16; a matrix may turn it by a quarter."""
    at = 52 if content[:1] == b"\x01" else 40
    if len(content) < at + 44:
        raise ContentMismatchError("has a track that makes no sense")
    straight, _, _, _, upright = unpack_from(">5i", content, at)
    width, height = (side >> 16 for side in unpack_from(">II", content, at + 36))
    incoming.measured(*((height, width) if not straight and not upright else (width, height)))


def _read_extent(content: bytes, _seen: Boxes, incoming: Incoming) -> None:
    if len(content) < 12:
        raise ContentMismatchError("has a picture without a size")
    incoming.measured(*unpack_from(">II", content, 4))


def _read_locations(content: bytes, seen: Boxes, _incoming: Incoming) -> None:
    """Read where a picture's parts are (section 8.11.3): the file must reach the end of each."""
    if len(content) < 8 or content[0] > 2:
        return
    version, widths = content[0], (content[4] >> 4, content[4] & 15, content[5] >> 4, content[5] & 15)
    offset_bytes, length_bytes, base_bytes, index_bytes = widths
    at = 6

    def number(width: int) -> int:
        nonlocal at
        at += width
        if at > len(content):
            raise ContentMismatchError("has a table longer than its box")
        return int.from_bytes(content[at - width : at])

    for _ in range(number(4 if version == 2 else 2)):
        number(4 if version == 2 else 2)
        in_file = version == 0 or number(2) & 15 == 0
        elsewhere = number(2)
        base = number(base_bytes)
        for _ in range(number(2)):
            number(index_bytes if version else 0)
            stop = base + number(offset_bytes) + number(length_bytes)
            if in_file and not elsewhere:
                seen.least_bytes = max(seen.least_bytes, stop)


def _read_segments(content: bytes, seen: Boxes, incoming: Incoming) -> None:
    """Read how far the fragments go that follow an index (section 8.16.3)."""
    at = 20 if content[:1] == b"\x00" else 28
    if len(content) < at + 4:
        raise ContentMismatchError("has an index that makes no sense")
    first, count = int.from_bytes(content[at // 2 + 6 : at]), int.from_bytes(content[at + 2 : at + 4])
    sizes = (int.from_bytes(content[place : place + 4]) & 0x7FFFFFFF for place in range(at + 4, len(content), 12))
    seen.least_bytes = max(seen.least_bytes, incoming.position + first + sum(islice(sizes, count)))


def _read_codestream(content: bytes, seen: Boxes, _incoming: Incoming) -> None:
    seen.codestream = content[:_CODESTREAM_BYTES]


def _read_part(content: bytes, seen: Boxes, _incoming: Incoming) -> None:
    """Read a part of a codestream: a number, of which the highest bit marks the last part."""
    if len(content) < 4 or seen.last_part:
        raise ContentMismatchError("has a part of its codestream out of place")
    seen.codestream = (seen.codestream + content[4:])[:_CODESTREAM_BYTES]
    seen.last_part = bool(content[0] & 0x80)


_READERS: dict[bytes, Callable[[bytes, Boxes, Incoming], None]] = {
    b"tkhd": _read_track,
    b"ispe": _read_extent,
    b"iloc": _read_locations,
    b"sidx": _read_segments,
    b"jxlc": _read_codestream,
    b"jxlp": _read_part,
}


def _fits_in(kind: bytes, depth: int) -> bool:
    """Tell whether these may be a box's name at this depth: QuickTime's own names begin with a copyright sign."""
    if depth == 0:
        return kind not in _INNER and all(0x20 <= byte < 0x7F for byte in kind)
    return all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind)
