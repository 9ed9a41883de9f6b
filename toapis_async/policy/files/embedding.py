"""Prompt, model and seed written into a picture: text chunks of PNG, a comment of JPEG.

Pixels and everything else stay as they are. What would break is left alone: pictures whose makers signed their bytes
(content credentials, C2PA), and JPEGs whose parts point at each other by distance (MPF).
"""

import json
from zlib import crc32

import attrs

from toapis_async.policy.files.structure import StructureCheck

# The signature and IHDR, which has to be first.
_PNG_HEAD = 33
_PNG_SIGNED = b"caBX"
_JPEG_LONGEST = 65_533
_COM, _APP2, _APP11 = 0xFE, 0xE2, 0xEB


@attrs.frozen(kw_only=True)
class Provenance:
    """What a picture was made of, as far as it goes into the file. Nothing else does.

    Attributes:
        prompt: or empty.
        model: or None.
        seed: or None.

    """

    prompt: str = attrs.field(default="", repr=False)
    model: str | None = None
    seed: int | None = None

    @property
    def facts(self) -> dict[str, str]:
        """What is known, by name; text that UTF-8 can hold, without NUL."""
        said = {"prompt": self.prompt, "model": self.model, "seed": None if self.seed is None else str(self.seed)}
        return {
            name: text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
            for name, text in said.items()
            if text
        }


def with_provenance(picture: bytes, provenance: Provenance, *, mime: str) -> bytes | None:
    """Return a picture with its provenance inside; None where it cannot have any and has to stay as it is.

    Args:
        picture: whole, by its structure.
        provenance: what to write.
        mime: by its structure; other formats than PNG and JPEG have none.

    """
    facts = provenance.facts
    write = {"image/png": _into_png, "image/jpeg": _into_jpeg}.get(mime)
    made = write(picture, facts) if write and facts else None
    return made if made is not None and _is_whole(made) else None


def _is_whole(picture: bytes) -> bool:
    check = StructureCheck()
    check.feed(picture)
    return check.finish() is None


def _into_png(picture: bytes, facts: dict[str, str]) -> bytes | None:
    if _PNG_SIGNED in _png_kinds(picture):
        return None
    chunks = b"".join(_png_text(name, text) for name, text in facts.items())
    return picture[:_PNG_HEAD] + chunks + picture[_PNG_HEAD:]


def _png_kinds(picture: bytes) -> set[bytes]:
    kinds, at = set(), 8
    while at + 8 <= len(picture):
        kinds.add(picture[at + 4 : at + 8])
        at += 12 + int.from_bytes(picture[at : at + 4])
    return kinds


def _png_text(name: str, text: str) -> bytes:
    """Make an iTXt chunk: a keyword, not compressed, in no language."""
    content = b"iTXt" + name.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
    return (len(content) - 4).to_bytes(4) + content + crc32(content).to_bytes(4)


def _into_jpeg(picture: bytes, facts: dict[str, str]) -> bytes | None:
    """Put a comment after the application's segments, some of which have to come first."""
    content = json.dumps(facts, ensure_ascii=False).encode()
    at = 2
    while picture[at : at + 1] == b"\xff" and 0xE0 <= picture[at + 1] <= 0xEF:
        end = at + 2 + int.from_bytes(picture[at + 2 : at + 4])
        if picture[at + 1] == _APP11 or (picture[at + 1] == _APP2 and picture[at + 4 : at + 8] == b"MPF\0"):
            return None
        at = end
    if len(content) > _JPEG_LONGEST:
        return None
    return picture[:at] + bytes((0xFF, _COM)) + (len(content) + 2).to_bytes(2) + content + picture[at:]
