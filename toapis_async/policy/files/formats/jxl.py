"""JPEG XL, naked or in boxes (ISO/IEC 18181).

A codestream does not say how long it is: a naked one is whole when the host's own length is kept, and of one in boxes
the boxes are checked. Only decoding tells more.
"""

from toapis_async.errors import ContentMismatchError, TruncatedError
from toapis_async.policy.files.formats.incoming import Incoming, Walk
from toapis_async.policy.files.formats.isobmff import walk_boxed_jxl

_HEAD_BYTES = 16
_RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIDE_BITS = (9, 13, 18, 30)


def walk_jxl(incoming: Incoming) -> Walk[None]:
    """Walk the boxes, if there are any, and look at the beginning of the codestream."""
    yield from incoming.wait()
    if incoming.chunk[incoming.at] != 0xFF:
        seen = yield from walk_boxed_jxl(incoming)
        _measure(seen.codestream, incoming)
        return
    head = yield from incoming.take_up_to(_HEAD_BYTES)
    _measure(head, incoming)
    while not (yield from incoming.at_end()):
        incoming.at = len(incoming.chunk)


def _measure(head: bytes, incoming: Incoming) -> None:
    """Read the size header behind the two bytes of the signature; its bits come lowest first."""
    if len(head) < 12:
        raise TruncatedError("has no whole codestream inside")
    if head[:2] != b"\xff\x0a":
        raise ContentMismatchError("has no codestream inside")
    bits, at = int.from_bytes(head[2:], "little"), 0

    def number(count: int) -> int:
        nonlocal at
        at += count
        return (bits >> (at - count)) & ((1 << count) - 1)

    small = number(1)

    def side() -> int:
        return (number(5) + 1) * 8 if small else number(_SIDE_BITS[number(2)]) + 1

    height = side()
    ratio = _RATIOS[number(3)]
    incoming.measured(side() if ratio is None else height * ratio[0] // ratio[1], height)
