"""What the walks say of files made by hand: each rule by itself. Real files are in ``test_corpus``."""

import importlib.util
import io
import random
import struct
import sys
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from toapis_async.policy.files.formats import png
from toapis_async.policy.files.structure import Flaw, Kind, StructureCheck


def drawn(kind, size=(37, 21), **options):
    stream, dice = io.BytesIO(), random.Random(6)
    Image.frombytes("RGB", size, dice.randbytes(3 * size[0] * size[1])).save(stream, kind, **options)
    return stream.getvalue()


def check(*chunks):
    structure = StructureCheck()
    for chunk in chunks:
        structure.feed(chunk)
    structure.finish()
    return structure


def chunk(kind, content=b"", *, wrong=0):
    checksum = zlib.crc32(kind + content) ^ wrong
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def box(kind, content=b""):
    return struct.pack(">I", 8 + len(content)) + kind + content


def element(identity, content=b""):
    return bytes.fromhex(identity) + struct.pack(">Q", len(content) | 1 << 56) + content


def unending(identity, content=b""):
    return bytes.fromhex(identity) + b"\x01" + b"\xff" * 7 + content


SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 3, 8, 2, 0, 0, 0))
PALETTE_HEADER = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 3, 8, 3, 0, 0, 0))
PIXELS, END = chunk(b"IDAT", zlib.compress(bytes(39))), chunk(b"IEND")
NOTE = chunk(b"tEXt", b"Comment\x00" + b"n" * 300)


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ([HEADER, PIXELS, END], None),
        ([HEADER, NOTE, PIXELS, PIXELS, NOTE, END, bytes(9) + b"\r\n"], None),
        ([PALETTE_HEADER, chunk(b"PLTE", bytes(9)), PIXELS, END], None),
        ([PALETTE_HEADER, PIXELS, END], "has a IDAT chunk out of place"),
        ([HEADER, PIXELS, NOTE, PIXELS, END], "has a IDAT chunk out of place"),
        ([NOTE, HEADER, PIXELS, END], "has a tEXt chunk out of place"),
        ([HEADER, HEADER, PIXELS, END], "has a IHDR chunk out of place"),
        ([HEADER, NOTE, END], "has a IEND chunk out of place"),
        ([HEADER, chunk(b"NEED"), PIXELS, END], "has a NEED chunk out of place"),
        ([HEADER, chunk(b"PLTE", bytes(8)), PIXELS, END], "has a PLTE chunk out of place"),
        ([HEADER, chunk(b"IDAT", b"x" * 99, wrong=1), END], "has a wrong checksum in the IDAT chunk at byte 33"),
        ([chunk(b"IHDR", bytes(13)), NOTE], "has a PNG header that makes no sense"),
        ([HEADER, b"\x80" * 300], "has no PNG chunk at byte 33"),
        ([HEADER, chunk(b"fcTL", struct.pack(">I", 1) + bytes(22)), PIXELS, END], "lacks a part of its animation"),
        ([HEADER, NOTE, PIXELS], f"ends in the middle, after {33 + len(NOTE + PIXELS)} bytes"),
        ([HEADER, PIXELS, END, bytes(8), b"x"], f"goes on after its end at byte {33 + len(PIXELS + END) + 8}"),
    ],
)
def test_the_order_of_chunks(parts, what):
    """A PNG has its header first, its pixels together, its end last, and checksums that are right."""
    flaw = check(SIGNATURE, *parts).flaw

    assert what == (None if flaw is None else flaw.what)


def test_the_kinds_of_flaws():
    """A stump is cut, a wrong checksum is damage, a page is foreign."""
    good = SIGNATURE + HEADER + NOTE + PIXELS + END
    kinds = [check(one).flaw.kind for one in (good[:-1], good[:-1] + b"?", b"<html>" * 99, b"", b"\x00" * 300)]

    assert kinds == [Kind.CUT, Kind.BROKEN, Kind.FOREIGN, Kind.FOREIGN, Kind.FOREIGN]


def test_a_flaw_is_told_as_soon_as_it_is_certain():
    """A wrong checksum is told before the rest has come, and stays what it is."""
    structure = StructureCheck()
    flaws = [structure.feed(part) for part in (SIGNATURE + HEADER, chunk(b"tEXt", bytes(300), wrong=1), PIXELS)]

    told = Flaw(Kind.BROKEN, "has a wrong checksum in the tEXt chunk at byte 33")
    assert flaws == [None, told, told]
    assert structure.finish() == told


def test_a_page_is_told_before_it_ends():
    """Nothing that begins like a page is waited for."""
    assert StructureCheck().feed(b"<!DOCTYPE html>" + b" " * 300).kind is Kind.FOREIGN


def test_memory_does_not_grow_with_the_file():
    """Of 64 MiB, less than a chunk or two is held at any time."""
    structure, piece = StructureCheck(), bytes(65_536)
    tracemalloc.start()
    structure.feed(box(b"ftyp", b"isom\x00\x00\x02\x00isom") + struct.pack(">I", 64 * 2**20 + 8) + b"mdat" + bytes(300))
    for _ in range(1000):
        structure.feed(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert structure.flaw is None
    assert peak < 200_000


JPEG = drawn("JPEG", (64, 48))


@pytest.mark.parametrize(
    ("tail", "whole"),
    [
        (b"", True),
        (bytes(500), True),
        (JPEG, True),
        (bytes(100) + JPEG + bytes(4) + JPEG, True),
        (box(b"ftyp", b"isom\x00\x00\x00\x00") + box(b"mdat", bytes(90)), True),
        (JPEG[:-2], False),
        (box(b"ftyp", b"isom\x00\x00\x00\x00") + box(b"mdat", bytes(90))[:-1], False),
        (b"\xff\xd9", False),
        (b"page", False),
        (b"\x01ftyp", False),
        (b"\x00\x00\x00\x04ftyp", False),
    ],
    ids=range(11),
)
def test_what_may_follow_a_photo(tail, whole):
    """Phones append pictures (MPF, gain maps) and films (motion photos): these must be whole too."""
    structure = check(JPEG + tail)

    assert (structure.flaw is None) is whole
    assert structure.size_px == (64, 48)


@pytest.mark.parametrize(
    ("segments", "what"),
    [
        (b"\xff\xd9", "has no picture inside"),
        (b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00", "makes no sense"),
        (b"\xff\xdb\x00\x44\x00", "makes no sense"),
        (b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x00\x01\x01\x11\x00", "makes no sense"),
        (b"\xff\xc4\x00\x03\x20", "makes no sense"),
        (b"\xff\xe0\x00\x01", "of no length"),
        (b"\xff\xd0", "no JPEG segment"),
        (b"\x00", "no JPEG segment"),
    ],
)
def test_segments_that_make_no_sense(segments, what):
    """A scan without tables, a table of the wrong length, a picture without width, a mark out of place."""
    assert what in check(b"\xff\xd8\xff\xfe\x00\x02" + segments + bytes(300)).flaw.what


def test_restarts_are_counted():
    """A scan that lacks a restart has lost pixels; fill bytes before a mark are none."""
    whole = drawn("JPEG", (64, 64), restart_marker_blocks=1)
    scan = whole.index(b"\xff\xda")
    first, second = whole.index(b"\xff\xd0", scan), whole.index(b"\xff\xd1", scan)

    assert check(whole).flaw is None
    assert check(whole[:first] + b"\xff\xff\xff" + whole[first:]).flaw is None
    assert "gap in its pixels" in check(whole[:first] + whole[second:]).flaw.what


MVHD, TRACK = box(b"mvhd", bytes(100)), box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", b""))))
FTYP, MOOV, MDAT = box(b"ftyp", b"isom\x00\x00\x02\x00isom"), box(b"moov", MVHD + TRACK), box(b"mdat", bytes(300))
LARGE = struct.pack(">I4sQ", 1, b"mdat", 316) + bytes(300)
OPEN = struct.pack(">I4s", 0, b"mdat") + bytes(300)


def offsets(*places):
    table = box(b"stco", struct.pack(f">II{len(places)}I", 0, len(places), *places))
    return box(b"moov", MVHD + box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", table)))))


@pytest.mark.parametrize(
    ("boxes", "whole"),
    [
        ([FTYP, MOOV, MDAT], True),
        ([FTYP, MDAT, box(b"free", b"x"), MOOV], True),
        ([FTYP, MOOV, LARGE], True),
        ([FTYP, MOOV, OPEN], True),
        ([FTYP, offsets(300, 400), OPEN], True),
        ([FTYP, MOOV, box(b"moof", box(b"mfhd")), MDAT], True),
        ([FTYP, MOOV, MDAT, bytes(5)], True),
        ([FTYP, MOOV], False),
        ([FTYP, MDAT], False),
        ([FTYP, box(b"moov"), MDAT], False),
        ([FTYP, MOOV, LARGE[:-1]], False),
        ([FTYP, offsets(300, 900), OPEN], False),
        ([FTYP, box(b"moov", MVHD + b"\x00\x00"), MDAT], False),
        ([FTYP, box(b"moov", MVHD + struct.pack(">I", 99) + b"trak"), MDAT], False),
        ([FTYP, MOOV, box(b"moof", box(b"mfhd"))], False),
        ([FTYP, MOOV, box(b"moof", box(b"mfhd")), box(b"moof", box(b"mfhd")), MDAT], False),
        ([FTYP, MOOV, MDAT, TRACK], False),
        ([FTYP, MOOV, MDAT, b"page"], False),
        ([FTYP, b"\x00\x00\x00\x07moov", MDAT], False),
        ([FTYP, MOOV, struct.pack(">I4sQ", 1, b"mdat", 15), bytes(300)], False),
        ([FTYP, *[struct.pack(">I4s", 8000 - 8 * depth, b"moov") for depth in range(900)]], False),
    ],
)
def test_the_boxes_of_a_film(boxes, whole):
    """Boxes reach their declared lengths, of 32 and 64 bits and to the end; an index and a film are there."""
    structure = check(*boxes)

    assert structure.signature.extension == "mp4"
    assert (structure.flaw is None) is whole


def test_a_film_of_an_older_kind():
    """QuickTime needs no type; a track that is turned by a quarter is measured as it is shown."""
    track = (
        bytes(40)
        + struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
        + struct.pack(">II", 640 << 16, 360 << 16)
    )
    structure = check(box(b"wide"), MDAT, box(b"moov", MVHD + box(b"trak", box(b"tkhd", track))))

    assert (structure.flaw, structure.signature.extension, structure.size_px) == (None, "mov", (360, 640))


EBML = element("1a45dfa3", element("4282", b"webm"))
TRACKS = element("1654ae6b", element("ae", element("e0", element("b0", b"\x01\x40") + element("ba", b"\xf0"))))
BLOCKS = element("e7", b"\x00") + element("a3", bytes(300))


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([element("18538067", TRACKS + element("1f43b675", BLOCKS))], True),
        ([unending("18538067", TRACKS + element("1f43b675", BLOCKS))], True),
        ([unending("18538067", TRACKS + unending("1f43b675", BLOCKS) + unending("1f43b675", BLOCKS))], True),
        ([element("18538067", TRACKS + unending("1f43b675", BLOCKS) + element("1c53bb6b"))], True),
        ([unending("18538067", TRACKS + unending("1f43b675", BLOCKS)), EBML, element("18538067", TRACKS)], True),
        ([element("18538067", TRACKS + unending("1f43b675", BLOCKS)), element("ec", bytes(9))], True),
        ([element("18538067", TRACKS)], False),
        ([element("18538067", element("1f43b675", BLOCKS))], False),
        ([element("18538067", TRACKS + element("1f43b675", BLOCKS))[:-1]], False),
        ([unending("18538067", TRACKS + unending("1f43b675", BLOCKS))[:-1]], False),
        ([element("18538067", TRACKS + element("1f43b675", BLOCKS)), b"page"], False),
        ([element("18538067", TRACKS + element("1f43b675", BLOCKS + element("b0")))], False),
        ([element("18538067", TRACKS + element("1f43b675", BLOCKS) + b"\xec\x90")], False),
        ([element("18538067", TRACKS + unending("a3"))], False),
        ([element("18538067", TRACKS + unending("1654ae6b"))], False),
        ([element("18538067", b"\x00" * 300)], False),
        ([element("18538067", TRACKS + b"\x1f\x43\xb6\x75\x00" + BLOCKS)], False),
    ],
)
def test_the_elements_of_a_film(parts, whole):
    """Known lengths add up, unknown ones end where something else begins, tracks and clusters are there."""
    structure = check(EBML, *parts)

    assert structure.signature.extension == "webm"
    assert (structure.flaw is None) is whole
    assert structure.size_px == ((320, 240) if whole else None)


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (SVG + b"/>", None),
        (b"<s:svg xmlns:s='http://www.w3.org/2000/svg'/>\n<!-- bye -->", None),
        (b"<svg>" + "é".encode() * 999 + b"</svg>", None),
        (b"<!DOCTYPE svg [<!ENTITY a 'text'>]>" + SVG + b">&a;</svg>", None),
        (b"<?xml version='1.0' encoding='martian'?>" + SVG + b"/>", "cannot be read"),
        (b"<?xml version='1.0' encoding='gbk'?>" + SVG + b"/>", "cannot be read"),
        (SVG + b"><g></svg>", "is not well-formed"),
        (SVG + b"><g>", "is not well-formed"),
        (SVG + b">&nbsp;</svg>", "is not well-formed"),
        (SVG + b"/><html/>", "is not well-formed"),
        (SVG + b">\x00</svg>", "is not well-formed"),
        (b"<svg xmlns='http://example.org/'/>", "is XML, but no SVG"),
        (b"<!DOCTYPE svg [<!ENTITY a 'b'><!ENTITY c '&a;&a;'>]>" + SVG + b"/>", "which could grow"),
        (b"<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + SVG + b">&a;</svg>", "which could grow"),
        (b"<!DOCTYPE svg [<!ENTITY a '" + b"a" * 999 + b"'>]>" + SVG + b"/>", "which could grow"),
        (b"<!DOCTYPE svg [<!ENTITY % a 'b'>]>" + SVG + b"/>", None),
        (b"<!-- " + b"words " * 5000 + b"-->" + SVG + b"/>", None),
        (b"<?xml version='1.0'?><!-- " + b"words " * 50_000 + b"-->" + SVG + b"/>", "a page or message"),
    ],
)
def test_vectors_are_well_formed(text, what):
    """To the end, with the root that makes it one, and with no entity that grows or leads elsewhere."""
    flaw = check(*(text[at : at + 1000] for at in range(0, len(text), 1000))).flaw

    assert flaw is None if what is None else what in flaw.what


LARGE_TEXT = SVG + b">" + b"<g>t</g>" * 200_000


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ([LARGE_TEXT, b"<g>" * 9000, b"</g>" * 9000, b"</svg>"], None),
        ([LARGE_TEXT, b"<g>" * 11_000], "nests its elements too deeply"),
        ([SVG + b"><image href='data:,", *[b"A>" * 2048] * 2000, b"'/></svg>"], None),
        ([SVG + b"><image href='data:,", *[bytes([65]) * 2**20] * 40], "bytes between two brackets"),
    ],
)
def test_no_vector_takes_more_than_its_share(parts, what):
    """Neither depth nor one endless token fills the memory, and a large picture inside is read in linear time."""
    flaw = check(*parts).flaw

    assert flaw is None if what is None else what in flaw.what


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        (b"width='90' height='30.4px'", (90, 30)),
        (b"width='100%' height='100%' viewBox='0 0 64 48'", (64, 48)),
        (b"viewBox='-1,-2,640.5,480'", (640, 480)),
        (b"width='9cm' height='9cm'", None),
        (b"", None),
    ],
)
def test_the_size_of_a_vector(attributes, size):
    """In pixels, or the view box's; None where it depends on the page."""
    assert check(SVG + b" " + attributes + b"/>").size_px == size


@pytest.mark.parametrize(
    "parts",
    [
        [b"VP8X", bytes(10)],
        [b"VP8 ", bytes(10)],
        [b"VP8L", b"\x2f" + b"\xff" * 9],
        [b"EXIF", bytes(10)],
        [b"VP8X", bytes(4)],
        [b"VP8X\n\0\0\0" + bytes(10) + b"ANMF", bytes(16)],
        [b"VP8X\n\0\0\0\2" + bytes(9) + b"ANMF", bytes(16)],
        [b"VP8X\n\0\0\0\2" + bytes(9) + b"ANMF", bytes(4)],
    ],
)
def test_chunks_without_a_picture(parts):
    """A WebP with a canvas alone, a frame that is none, an empty or misplaced frame of an animation."""
    kind, content = parts
    body = b"WEBP" + kind + struct.pack("<I", len(content)) + content

    assert check(b"RIFF" + struct.pack("<I", len(body)) + body).flaw.kind is Kind.BROKEN


def test_a_canvas_of_another_size_than_its_picture():
    """Two files glued together by a tool: decoders refuse it, and so do we."""
    data = bytearray(drawn("WEBP", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x00"))
    data[24] ^= 1

    assert "two sizes" in check(bytes(data)).flaw.what


@pytest.mark.parametrize(
    ("blocks", "whole"),
    [
        (b"\x2c\0\0\0\0\1\0\1\0\0\x02\x02\x4c\x01\x00\x3b", True),
        (b"\0\x21\xf9\x04\0\0\0\0\0\x2c\0\0\0\0\1\0\1\0\0\x02\x02\x4c\x01\x00\x3b", True),
        (b"\x21\xfe\x03abc\x00\x3b", False),
        (b"\x21\xf9\x05\0\0\0\0\0\0\x3b", False),
        (b"\x2c\0\0\0\0\0\0\1\0\0\x02\x02\x4c\x01\x00\x3b", False),
        (b"\x2c\0\0\0\0\1\0\1\0\0\x0c\x02\x4c\x01\x00\x3b", False),
        (b"\x2c\0\0\0\0\1\0\1\0\0\x02\x02\x4c\x01\x00\x3b<", False),
        (b"\x2c\0\0\0\0\1\0\1\0\0\x02\x02\x4c\x01\x00", False),
    ],
)
def test_the_blocks_of_a_gif(blocks, whole):
    """An image there must be, extensions have their lengths, the trailer ends it."""
    assert (check(b"GIF89a\1\0\1\0\0\0\0" + blocks).flaw is None) is whole


def tiff(*entries, order=">", first=8, tail=b""):
    table = b"".join(struct.pack(f"{order}HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    mark = b"MM\x00*" if order == ">" else b"II*\x00"
    return mark + struct.pack(f"{order}IH", first, len(entries)) + table + bytes(4) + tail


def short(tag, number):
    return tag, 3, 1, struct.pack(">HH", number, 0)


def long(tag, number, count=1):
    return tag, 4, count, struct.pack(">I", number)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (tiff(short(256, 4), short(257, 3), long(273, 62), long(279, 36), tail=bytes(36)), None),
        (tiff(short(256, 4), short(257, 3), long(273, 62), long(279, 37), tail=bytes(36)), "ends in the middle"),
        (tiff(short(256, 4), short(257, 3), long(273, 9, 3), long(279, 62, 3), tail=struct.pack(">3I", 9, 9, 9)), None),
        (tiff(short(256, 4), short(257, 3), long(279, 900, 3), tail=bytes(36)), "ends in the middle"),
        (tiff(short(256, 4), long(273, 62), long(279, 36), tail=bytes(36)), "no picture inside"),
        (tiff(short(256, 4), first=4), "leads back to byte 4"),
        (b"BM" + struct.pack("<IIIIii", 60, 0, 54, 40, 1, -1) + bytes(34), None),
        (b"BM" + struct.pack("<IIIIii", 60, 0, 9, 40, 1, -1) + bytes(34), "makes no sense"),
        (b"BM" + struct.pack("<IIIIii", 61, 0, 54, 40, 1, -1) + bytes(34), "ends in the middle"),
    ],
    ids=range(9),
)
def test_bitmaps_reach_their_pixels(data, what):
    """The file reaches as far as its table says; what a table behind would say is not known."""
    flaw = check(data).flaw

    assert flaw is None if what is None else what in flaw.what


AVIF = box(b"ftyp", b"avif\x00\x00\x00\x00avif")


def located(version, *items):
    wide = "I" if version == 2 else "H"
    body = bytes([version, 0, 0, 0, 0x44, 0x40]) + struct.pack(f">{wide}", len(items))
    for way, base, offset, length in items:
        body += struct.pack(f">{wide}", 1) + (struct.pack(">H", way) if version else b"")
        body += struct.pack(">HIHII", 0, base, 1, offset, length)
    return box(b"meta", bytes(4) + box(b"iloc", body))


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize(
    ("item", "whole"), [((0, 100, 20, 30), True), ((0, 100, 20, 9000), False), ((0, 9000, 20, 30), False)]
)
def test_a_picture_reaches_as_far_as_its_table_says(version, item, whole):
    """A box to the end of the file hides no cut."""
    assert (check(AVIF, located(version, item), OPEN).flaw is None) is whole


def test_what_is_not_in_the_file_needs_no_length():
    """Places inside a box of their own are counted from there; a table longer than its box is damage."""
    assert check(AVIF, located(1, (1, 9000, 20, 30)), OPEN).flaw is None
    short_table = box(b"meta", bytes(4) + box(b"iloc", bytes([0, 0, 0, 0, 0x44, 0x40, 0, 9])))
    assert "longer than its box" in check(AVIF, short_table, OPEN).flaw.what


def test_checksums_need_no_extra(monkeypatch):
    """Without the faster checksum of the extra ``speed`` there is zlib's, and both say the same."""
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    source = importlib.util.find_spec("toapis_async.policy.files.formats.png")
    slow = importlib.util.module_from_spec(source)
    source.loader.exec_module(slow)

    assert slow.crc32 is zlib.crc32
    assert check(SIGNATURE, HEADER, NOTE, PIXELS, END).flaw is None
    assert slow.crc32(memoryview(NOTE), 7) == png.crc32(memoryview(NOTE), 7)


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]), st.integers(4, 60), st.binary(max_size=600))
def test_foreign_bytes_never_raise(kind, kept, noise):
    """Whatever follows a good beginning, the answer is a flaw or none."""
    flaw = check(drawn(kind, (8, 8))[:kept] + noise).flaw

    assert flaw is None or flaw.what


@given(
    st.sampled_from([FTYP, EBML, SVG, b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n", box(b"ftyp", b"avif" * 4)]),
    st.lists(
        st.sampled_from([MOOV, MDAT, TRACKS, BLOCKS, box(b"iloc", bytes(9)), box(b"sidx"), b"<g>", b"\x00\x01", b"x"])
    ),
    st.binary(max_size=99),
)
def test_parts_in_any_order_never_raise(beginning, parts, noise):
    """Nor do good parts in bad places."""
    check(beginning, *parts, noise)
    check(beginning + b"".join(parts) + noise)
