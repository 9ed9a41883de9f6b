"""Bodies that come compressed although they were asked for as they are."""

import zlib
from collections.abc import AsyncIterator, Iterator

from toapis_async.errors import ContentMismatchError, TruncatedError
from toapis_async.policy.files.signatures import sniff

_PIECE_BYTES = 262_144
_TELLING_BYTES = 64
_GZIP = b"\x1f\x8b"
_KNOWN = frozenset({"gzip", "x-gzip", "deflate"})
# Recognises gzip and zlib by their headers; negative is deflate without any (zlib manual, inflateInit2).
_EITHER_HEADER = 47
_NO_HEADER = -15


async def inflated(chunks: AsyncIterator[bytes], *, encoding: str, url: str) -> AsyncIterator[bytes]:
    """Decompress in pieces of at most 256 KiB, so that a bomb meets the caller's size cap before it fills memory.

    The label does not decide: bytes that begin as an image or a video are passed on as they are.

    Args:
        chunks: of the body.
        encoding: what the host calls it.
        url: for errors, without its query.

    Raises:
        ContentMismatchError: a compression that nobody asked for and that we do not know, or broken data.
        TruncatedError: the data ended too early.

    """
    beginning = b""
    async for chunk in chunks:
        beginning += chunk
        if len(beginning) >= _TELLING_BYTES:
            break
    # Hosts label stored files as compressed that are not.
    if sniff(beginning) is not None:
        yield beginning
        async for chunk in chunks:
            yield chunk
        return
    if encoding not in _KNOWN:
        raise ContentMismatchError(f"The file came with the content encoding {encoding!r}.", url=url)
    inflater = _Inflater(beginning)
    try:
        async for piece in inflater.whole(beginning, chunks):
            yield piece
    except zlib.error as error:
        raise ContentMismatchError(f"The file came badly compressed: {error}.", url=url) from error
    if not inflater.ended:
        raise TruncatedError("The compressed transfer ended too early.", url=url)


class _Inflater:
    """Undoes gzip, in one member or several (RFC 1952), zlib, and deflate without a header, which some hosts send."""

    def __init__(self, beginning: bytes) -> None:
        first, second = (beginning + b"\0\0")[:2]
        # RFC 1950: the method in four bits, and two bytes divisible by 31.
        has_header = beginning[:2] == _GZIP or (first & 15 == 8 and (first * 256 + second) % 31 == 0)
        self._bits = _EITHER_HEADER if has_header else _NO_HEADER
        self._object = zlib.decompressobj(self._bits)

    @property
    def ended(self) -> bool:
        return self._object.eof

    async def whole(self, beginning: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        for piece in self.pieces(beginning):
            yield piece
        async for chunk in rest:
            for piece in self.pieces(chunk):
                yield piece

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        rest = chunk
        while rest:
            if self._object.eof:
                if not rest.startswith(_GZIP[:1]):
                    return  # padding
                self._object = zlib.decompressobj(self._bits)
            piece = self._object.decompress(rest, _PIECE_BYTES)
            rest = self._object.unused_data if self._object.eof else self._object.unconsumed_tail
            if piece:
                yield piece
