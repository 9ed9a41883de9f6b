"""What a file is, by its own bytes: neither its name nor the server's word counts."""

import re
from struct import unpack_from

import attrs

HEAD_BYTES = 65_536
"""How much of a file's beginning tells for certain what it is."""


@attrs.frozen(kw_only=True)
class Signature:
    """A format that we keep.

    Attributes:
        mime: the media type.
        extension: without the dot.

    """

    mime: str
    extension: str


_PNG = Signature(mime="image/png", extension="png")
_JPEG = Signature(mime="image/jpeg", extension="jpg")
_GIF = Signature(mime="image/gif", extension="gif")
_WEBP = Signature(mime="image/webp", extension="webp")
_AVIF = Signature(mime="image/avif", extension="avif")
_HEIC = Signature(mime="image/heic", extension="heic")
_BMP = Signature(mime="image/bmp", extension="bmp")
_SVG = Signature(mime="image/svg+xml", extension="svg")
_TIFF = Signature(mime="image/tiff", extension="tif")
_JXL = Signature(mime="image/jxl", extension="jxl")
_MP4 = Signature(mime="video/mp4", extension="mp4")
_MOV = Signature(mime="video/quicktime", extension="mov")
_WEBM = Signature(mime="video/webm", extension="webm")
_MATROSKA = Signature(mime="video/x-matroska", extension="mkv")

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"\xff\xd8\xff", _JPEG),
    (b"GIF87a", _GIF),
    (b"GIF89a", _GIF),
    (b"II*\x00", _TIFF),
    (b"MM\x00*", _TIFF),
    (b"\xff\x0a", _JXL),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", _JXL),
)
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
# What may stand before the root element: declaration, comments, document type, instructions, white space. Each part
# is matched once and for all (?>…), so that no page makes this slow.
_prologue = re.compile(
    rb"(?>\xef\xbb\xbf)?(?>\s+|<!--(?>.*?-->)|<\?(?>.*?\?>)|<!DOCTYPE\s+(?>(?:\w+:)?svg\b)(?>[^>\[]*)(?>\[.*?\]\s*)?>)*+",
    re.DOTALL,
).match
_svg_root = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?svg[\s/>]").match
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_BARE_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})


def sniff(head: bytes) -> Signature | None:
    """Return the format that these first bytes announce; None for anything that is no image or video."""
    for beginning, signature in _BEGINNINGS:
        if head.startswith(beginning):
            return signature
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _WEBP
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _WEBM if b"webm" in head[:64] else _MATROSKA
    if head[4:8] == b"ftyp":
        return _by_brands(head)
    if head[4:8] in _BARE_QUICKTIME:
        return _MOV
    if head[:2] == b"BM" and head[6:10] == bytes(4) and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return _BMP
    return _SVG if _svg_root(head, _end_of_prologue(head)) else None


def may_become_svg(head: bytes) -> bool:
    """Tell whether nothing but what may stand before an SVG's root element has come so far."""
    rest = head[_end_of_prologue(head) :]
    return len(rest) < 100 or rest.startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg"))


def _end_of_prologue(head: bytes) -> int:
    matched = _prologue(head)
    return 0 if matched is None else matched.end()


def _by_brands(head: bytes) -> Signature:
    """Tell the ISO base media formats apart (ISO/IEC 14496-12, section 4.3)."""
    length = min(unpack_from(">I", head)[0], len(head), 256)
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, length - 3, 4))]
    if b"avif" in brands or b"avis" in brands:
        return _AVIF
    if not _HEIC_BRANDS.isdisjoint(brands):
        return _HEIC
    return _MOV if brands[0] == b"qt  " else _MP4


def looks_like_markup(head: bytes) -> bool:
    """Tell whether this is a page or a JSON message: what file hosts send in place of a file."""
    text = head[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    return text[:1] in {b"<", b"{", b"["}
