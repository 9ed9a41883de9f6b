"""A lossless WebP of one colour: each channel has a single symbol, so that the pixels take no bits at all."""

import struct

_LABELLED = 0x04


def flat_webp(width: int, height: int, colour: bytes, comment: bytes) -> bytes:
    """Write it.

    Args:
        width, height: pixels.
        colour: red, green and blue, a byte each.
        comment: printable; kept in the chunk for XMP.

    """
    red, green, blue = colour
    value, place = 0, 0
    # Least significant bits first: size, no alpha, version 0; no transform, no cache, no groups of codes; then the
    # codes of green, red, blue, alpha and distance, each with one symbol of eight bits, or of one.
    fields = [(width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)]
    fields += [field for symbol in (green, red, blue, 255) for field in ((1, 1), (0, 1), (1, 1), (symbol, 8))]
    fields += [(1, 1), (0, 1), (0, 1), (0, 1)]
    for number, bits in fields:
        value |= number << place
        place += bits
    picture = b"\x2f" + value.to_bytes(-(-place // 8), "little")
    canvas = bytes([_LABELLED, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = _chunk(b"VP8X", canvas) + _chunk(b"VP8L", picture) + _chunk(b"XMP ", comment)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
