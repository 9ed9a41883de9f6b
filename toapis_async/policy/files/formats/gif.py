"""GIF: blocks, and sub-blocks of coded pixels to the trailer (GIF89a).

Coded pixels carry no checksum; of them, only that their sub-blocks lead from one block to the next is seen.
"""

from struct import unpack_from

from toapis_async.errors import ContentMismatchError
from toapis_async.policy.files.formats.incoming import Incoming, Walk

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
# Graphic control, plain text and application extensions begin with a block of a known length.
_FIRST_LENGTHS = {0xF9: 4, 0x01: 12, 0xFF: 11}


def walk_gif(incoming: Incoming) -> Walk[None]:
    """Walk from the screen's description to the trailer."""
    head = yield from incoming.take(13)
    width, height, packed = unpack_from("<HHB", head, 6)
    incoming.measured(width, height)
    yield from incoming.skip(_colours(packed))
    images = 0
    while (kind := (yield from incoming.take(1))[0]) != _TRAILER:
        if kind == _IMAGE:
            images += 1
            yield from _image(incoming)
        elif kind == _EXTENSION:
            label, length = yield from incoming.take(2)
            if length != _FIRST_LENGTHS.get(label, length):
                raise ContentMismatchError(f"has an extension that makes no sense at byte {incoming.position - 3}")
            yield from incoming.skip(length)
            if length:
                yield from _sub_blocks(incoming)
        elif kind:  # some writers put a zero too many between blocks
            raise ContentMismatchError(f"has no GIF block at byte {incoming.position - 1}")
    if not images:
        raise ContentMismatchError("has no picture inside")
    yield from incoming.only_padding_follows()


def _colours(packed: int) -> int:
    """Return the length of a colour table in bytes."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _image(incoming: Incoming) -> Walk[None]:
    head = yield from incoming.take(9)
    yield from incoming.skip(_colours(head[8]))
    code_bits = (yield from incoming.take(1))[0]
    if not 1 <= code_bits <= 11 or head[4:6] == b"\x00\x00" or head[6:8] == b"\x00\x00":
        raise ContentMismatchError(f"has an image that makes no sense before byte {incoming.position}")
    yield from _sub_blocks(incoming)


def _sub_blocks(incoming: Incoming) -> Walk[None]:
    """Pass over sub-blocks to the empty one; there are thousands, so this looks at the chunk itself."""
    while True:
        yield from incoming.wait()
        chunk, at = incoming.chunk, incoming.at
        end = len(chunk)
        while at < end and chunk[at]:
            at += chunk[at] + 1
        if at < end:
            incoming.at = at + 1
            return
        incoming.at = end
        yield from incoming.skip(at - end)
