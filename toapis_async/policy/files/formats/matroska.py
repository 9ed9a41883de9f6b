"""WebM and Matroska: elements with ids and lengths (RFC 8794, RFC 9559).

The Segment and its clusters are walked element by element, known lengths and unknown ones. What is in a block carries
no checksum and is passed over. A live stream of unknown length that was cut exactly between two elements looks whole.
"""

from toapis_async.errors import ContentMismatchError, TruncatedError
from toapis_async.policy.files.formats.incoming import Incoming, Walk

_HEADER, _SEGMENT, _CLUSTER, _TRACKS = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1654AE6B
_TRACK, _VIDEO, _WIDTH, _HEIGHT = 0xAE, 0xE0, 0xB0, 0xBA
_VOID, _CHECKSUM = 0xEC, 0xBF

# Seek head, info, cues, attachments, chapters, tags.
_SECTIONS = {0x114D9B74, 0x1549A966, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, _CLUSTER, _TRACKS}
_KNOWN = {
    _SEGMENT: _SECTIONS | {_VOID, _CHECKSUM},
    # Timestamp, blocks, groups, position, previous size, silent tracks, encrypted blocks.
    _CLUSTER: {0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0x5854, 0xAF, _VOID, _CHECKSUM},
}
_ENDS = {_SEGMENT: {_HEADER, _SEGMENT}, _CLUSTER: _SECTIONS | {_HEADER, _SEGMENT}}
_MASTERS = {_SEGMENT: {_CLUSTER, _TRACKS}, _TRACKS: {_TRACK}, _TRACK: {_VIDEO}}


class _Found:
    __slots__ = ("height", "kinds", "width")

    def __init__(self) -> None:
        self.kinds: set[int] = set()
        self.width = self.height = 0


def walk_matroska(incoming: Incoming) -> Walk[None]:
    """Walk the header and the segment, or several of each."""
    found = _Found()
    element: int | None = None
    while element is not None or not (yield from incoming.at_end()):
        start = incoming.position
        element = element or (yield from _id(incoming))
        length = yield from _length(incoming)
        stop = None if length is None else incoming.position + length
        if element == _SEGMENT:
            found.kinds.add(element)
            element = yield from _children(incoming, element, stop, found, unknown=stop is None)
        elif element in {_HEADER, _VOID} and length is not None:
            yield from incoming.skip(length)
            element = None
        else:
            raise ContentMismatchError(f"has no element at byte {start}")
    if not {_SEGMENT, _TRACKS, _TRACK, _CLUSTER} <= found.kinds:
        raise TruncatedError("lacks its tracks or its contents")
    incoming.measured(found.width, found.height)


def _children(
    incoming: Incoming, parent: int, end: int | None, found: _Found, *, unknown: bool = False
) -> Walk[int | None]:
    """Walk what is in an element; return the id after it where only that tells the end, with the id taken."""
    element: int | None = None
    while True:
        start = incoming.position
        if element is None:
            if start == end or (end is None and (yield from incoming.at_end())):
                return None
            element = yield from _id(incoming)
        if unknown and element in _ENDS[parent]:
            return element
        if element not in _KNOWN.get(parent, {element}):
            raise ContentMismatchError(f"has no element at byte {start}")
        found.kinds.add(element)
        length = yield from _length(incoming)
        stop = end if length is None else incoming.position + length
        if end is not None and (stop is None or stop > end or incoming.position > end):
            raise ContentMismatchError(f"has an element at byte {start} that is longer than the one around it")
        if length is None and element != _CLUSTER:
            raise ContentMismatchError(f"has an element of no length at byte {start}")
        if element in _MASTERS.get(parent, ()):
            element = yield from _children(incoming, element, stop, found, unknown=length is None)
        else:
            yield from _pass(incoming, element, length or 0, found)
            element = None


def _pass(incoming: Incoming, element: int, length: int, found: _Found) -> Walk[None]:
    if element in {_WIDTH, _HEIGHT} and length <= 8:
        number = int.from_bytes((yield from incoming.take(length)))
        if element == _WIDTH:
            found.width = found.width or number
        else:
            found.height = found.height or number
    else:
        yield from incoming.skip(length)


def _id(incoming: Incoming) -> Walk[int]:
    """Take an id of 1 to 4 bytes; leading zero bits tell how many follow."""
    first = (yield from incoming.take(1))[0]
    more = 8 - first.bit_length()
    if more > 3:
        raise ContentMismatchError(f"has no element at byte {incoming.position - 1}")
    return int.from_bytes(bytes([first]) + (yield from incoming.take(more))) if more else first


def _length(incoming: Incoming) -> Walk[int | None]:
    """Take a length of 1 to 8 bytes; None, all ones, is unknown."""
    first = (yield from incoming.take(1))[0]
    more = 8 - first.bit_length()
    if more > 7:
        raise ContentMismatchError(f"has an element of no length before byte {incoming.position}")
    most = (1 << 7 * (more + 1)) - 1
    number = int.from_bytes(bytes([first]) + (yield from incoming.take(more))) & most
    return None if number == most else number
