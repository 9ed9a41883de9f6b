"""Whether a file is whole, told from its structure while it comes: the file itself is never held."""

from collections.abc import Callable, Iterator
from enum import Enum

import attrs

from toapis_async.errors import ContentMismatchError, TruncatedError
from toapis_async.policy.files.formats.bitmaps import walk_bmp, walk_tiff
from toapis_async.policy.files.formats.gif import walk_gif
from toapis_async.policy.files.formats.incoming import Incoming, Walk
from toapis_async.policy.files.formats.isobmff import walk_film, walk_heif
from toapis_async.policy.files.formats.jpeg import walk_jpeg
from toapis_async.policy.files.formats.jxl import walk_jxl
from toapis_async.policy.files.formats.matroska import walk_matroska
from toapis_async.policy.files.formats.png import walk_png
from toapis_async.policy.files.formats.svg import walk_svg
from toapis_async.policy.files.formats.webp import walk_webp
from toapis_async.policy.files.signatures import HEAD_BYTES, Signature, looks_like_markup, may_become_svg, sniff

_ENOUGH_TO_TELL = 256
_WALKS: dict[str, Callable[[Incoming], Walk[None]]] = {
    "png": walk_png,
    "jpg": walk_jpeg,
    "gif": walk_gif,
    "webp": walk_webp,
    "avif": walk_heif,
    "heic": walk_heif,
    "jxl": walk_jxl,
    "mp4": walk_film,
    "mov": walk_film,
    "webm": walk_matroska,
    "mkv": walk_matroska,
    "svg": walk_svg,
    "tif": walk_tiff,
    "bmp": walk_bmp,
}


class Kind(Enum):
    """How a file falls short."""

    FOREIGN = "foreign"
    """It is no image or video."""
    BROKEN = "broken"
    """It is one, and damaged."""
    CUT = "cut"
    """It is one, and ends too early."""


@attrs.frozen
class Flaw:
    """Why a file is not whole.

    Attributes:
        kind: how it falls short.
        what: in words that go on after "The file": "ends in the middle, after 4096 bytes".

    """

    kind: Kind
    what: str


class StructureCheck:
    """Told the bytes of a file as they come, tells what it is and whether it is whole.

    The structure is walked as far as each format has one: checksums, marks and lengths, to the real end. Zeros and
    white space after the end are tolerated. Pixels and film that carry no checksum are not decoded, so a change inside
    them is not found. Memory does not grow with the file.

    Attributes:
        signature: the format; None while it is not known.
        flaw: why the file cannot be whole, as early as that is certain; None so far.

    """

    __slots__ = ("_head", "_incoming", "_walk", "flaw", "signature")

    def __init__(self) -> None:
        self._head = b""
        self._incoming = Incoming()
        self._walk: Iterator[None] = iter(())
        self.signature: Signature | None = None
        self.flaw: Flaw | None = None

    @property
    def size_px(self) -> tuple[int, int] | None:
        """Width and height in pixels; None where the format does not say, or not yet."""
        return self._incoming.size_px

    def feed(self, chunk: bytes) -> Flaw | None:
        """Take the next bytes; return ``flaw``."""
        if not chunk or self.flaw is not None:
            return self.flaw
        if self.signature is None:
            chunk = self._head = self._head + chunk if self._head else chunk
            if not self._recognise(ended=False):
                return self.flaw
            self._head = b""
        self._go_on(chunk)
        return self.flaw

    def finish(self) -> Flaw | None:
        """Say that nothing more comes; return ``flaw``, and None for a whole file."""
        if self.flaw is None and self.signature is None and self._recognise(ended=True):
            self._go_on(self._head)
        if self.flaw is None:
            self._go_on(b"")
        return self.flaw

    def _recognise(self, *, ended: bool) -> bool:
        """Tell the format from the first bytes; False while that, or whether it is one at all, is open."""
        head = self._head
        if len(head) < _ENOUGH_TO_TELL and not ended:
            return False
        self.signature = signature = sniff(head)
        if signature is None:
            if ended or len(head) >= HEAD_BYTES or not may_become_svg(head):
                self.flaw = Flaw(Kind.FOREIGN, f"is no image or video, but {_foreign(head)}")
            return False
        self._walk = _WALKS[signature.extension](self._incoming)
        return True

    def _go_on(self, chunk: bytes) -> None:
        incoming = self._incoming
        incoming.put(chunk)
        try:
            next(self._walk, None)
        except TruncatedError as error:
            self.flaw = Flaw(Kind.CUT, f"{error.message}, after {incoming.position} bytes")
        except ContentMismatchError as error:
            self.flaw = Flaw(Kind.BROKEN, error.message)


def _foreign(head: bytes) -> str:
    if not head:
        return "an empty body"
    return "a page or message" if looks_like_markup(head) else "unknown bytes"
