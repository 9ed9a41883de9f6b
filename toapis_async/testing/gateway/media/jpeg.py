"""A JPEG of one colour: baseline, three components, nothing but the mean of each block."""

import struct

from toapis_async.testing.gateway.media.bits import BitWriter

_LONGEST_SEGMENT = 65_533
_QUANTUM = 8
_CATEGORIES = 9


def flat_jpeg(width: int, height: int, colour: bytes, comment: bytes) -> bytes:
    """Write it.

    Args:
        width, height: pixels.
        colour: luma and two chromas, a byte each.
        comment: kept in as many comment segments as it needs.

    """
    parts = [b"\xff\xd8", _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")]
    parts += [
        _segment(0xFE, comment[start : start + _LONGEST_SEGMENT]) for start in range(0, len(comment), _LONGEST_SEGMENT)
    ]
    parts.append(_segment(0xDB, b"\0" + bytes([_QUANTUM]) * 64))
    planes = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    parts.append(_segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + planes))
    # Every size of a difference takes four bits; the only word about the other coefficients is that there are none.
    parts.append(_segment(0xC4, b"\0" + bytes([0, 0, 0, _CATEGORIES, *[0] * 12]) + bytes(range(_CATEGORIES))))
    parts.append(_segment(0xC4, b"\x10" + bytes([1, *[0] * 15]) + b"\0"))
    parts.append(_segment(0xDA, b"\3" + b"".join(bytes([number, 0]) for number in (1, 2, 3)) + b"\0\x3f\0"))
    blocks = -(-width // 8) * -(-height // 8)
    return b"".join(parts) + _scan(blocks, colour).replace(b"\xff", b"\xff\0") + b"\xff\xd9"


def _scan(blocks: int, colour: bytes) -> bytes:
    writer = BitWriter()
    for value in colour:
        level = value - 128
        size = abs(level).bit_length()
        writer.number(size, 4).number(level if level >= 0 else level + (1 << size) - 1, size).number(0, 1)
    # After the first block nothing changes.
    for _ in range(3 * (blocks - 1)):
        writer.number(0, 5)
    return writer.filled("1")


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
