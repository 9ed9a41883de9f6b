"""An MP4 film of one second that plays: one H.264 picture of 16 by 16 pixels, written without compression."""

import struct

from toapis_async.testing.gateway.media.bits import BitWriter

_SIDE = 16
_PROFILE = bytes([66, 0xC0, 10])  # constrained baseline, level 1
_UNCOMPRESSED = 25
_UNITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def one_second_mp4(colour: bytes, label: bytes, padding: bytes) -> bytes:
    """Write it.

    Args:
        colour: luma and two chromas, a byte each; none may be zero.
        label: kept in a box of its own.
        padding: follows the picture among the media data, to make the file longer.

    """
    kind = _box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isomiso2avc1mp41")
    name = _box(b"free", label)
    frame = _picture(colour)
    sample = struct.pack(">I", len(frame)) + frame
    length = len(_movie(len(sample), 0))
    movie = _movie(len(sample), len(kind) + len(name) + length + 8)
    return kind + name + movie + _box(b"mdat", sample + padding)


def _sequence() -> bytes:
    writer = BitWriter().number(int.from_bytes(_PROFILE), 24)
    # Ids and frame numbers of the shortest form, output in decoding order, no earlier picture needed, one block.
    writer.golomb(0, 0, 2, 0).number(0, 1).golomb(0, 0).number(0b1100, 4)
    return b"\x67" + writer.number(1, 1).filled("0")


def _settings() -> bytes:
    writer = BitWriter().golomb(0, 0).number(0, 2).golomb(0, 0, 0).number(0, 3).golomb(0, 0, 0).number(0, 3)
    return b"\x68" + writer.number(1, 1).filled("0")


def _picture(colour: bytes) -> bytes:
    writer = BitWriter().golomb(0, 7, 0).number(0, 4).golomb(0).number(0, 2).golomb(0, _UNCOMPRESSED)
    luma, first, second = colour
    pixels = bytes([luma]) * _SIDE**2 + bytes([first]) * (_SIDE // 2) ** 2 + bytes([second]) * (_SIDE // 2) ** 2
    return b"\x65" + writer.filled("0") + pixels + b"\x80"


def _movie(sample_bytes: int, offset: int) -> bytes:
    times = struct.pack(">IIII", 0, 0, 1000, 1000)
    head = _box(b"mvhd", bytes(4), times, struct.pack(">IH10x", 0x10000, 0x100), _UNITY, bytes(24), b"\0\0\0\2")
    track = struct.pack(">IIIIII", 0, 0, 1, 0, 1000, 0) + bytes(4) + struct.pack(">4H", 0, 0, 0, 0)
    size = struct.pack(">II", _SIDE << 16, _SIDE << 16)
    media = _box(
        b"mdia",
        _box(b"mdhd", bytes(4), times, struct.pack(">HH", 0x55C4, 0)),
        _box(b"hdlr", bytes(8), b"vide", bytes(12), b"film\0"),
        _box(b"minf", _box(b"vmhd", b"\0\0\0\1", bytes(8)), _references(), _table(sample_bytes, offset)),
    )
    return _box(b"moov", head, _box(b"trak", _box(b"tkhd", b"\0\0\0\3", track, _UNITY, size), media))


def _references() -> bytes:
    return _box(b"dinf", _box(b"dref", bytes(4), b"\0\0\0\1", _box(b"url ", b"\0\0\0\1")))


def _table(sample_bytes: int, offset: int) -> bytes:
    sequence, settings = _sequence(), _settings()
    decoder = _box(
        b"avcC",
        b"\1" + _PROFILE + b"\xff\xe1",
        struct.pack(">H", len(sequence)) + sequence,
        b"\1" + struct.pack(">H", len(settings)) + settings,
    )
    film = struct.pack(">6xH16xHHIII", 1, _SIDE, _SIDE, 0x480000, 0x480000, 0)
    film += struct.pack(">H32xHh", 1, 24, -1)
    return _box(
        b"stbl",
        _box(b"stsd", bytes(4), b"\0\0\0\1", _box(b"avc1", film, decoder)),
        _box(b"stts", bytes(4), struct.pack(">III", 1, 1, 1000)),
        _box(b"stsc", bytes(4), struct.pack(">IIII", 1, 1, 1, 1)),
        _box(b"stsz", bytes(4), struct.pack(">III", 0, 1, sample_bytes)),
        _box(b"stco", bytes(4), struct.pack(">II", 1, offset)),
    )


def _box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + name + body
