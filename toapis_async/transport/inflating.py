"""Bodies that come compressed although they were asked for as they are."""

import zlib
from collections.abc import AsyncIterator

from toapis_async.errors import ContentMismatchError, TruncatedError

_PIECE_BYTES = 262_144
# Recognises gzip and zlib by their headers (zlib manual, inflateInit2).
_EITHER_HEADER = 47


async def inflated(chunks: AsyncIterator[bytes], *, encoding: str, url: str) -> AsyncIterator[bytes]:
    """Decompress in pieces of at most 256 KiB, so that a bomb meets the caller's size cap before it fills memory.

    Raises:
        ContentMismatchError: an encoding that nobody asked for and that we do not know, or broken data.
        TruncatedError: the data ended too early.

    """
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise ContentMismatchError(f"The file came with the content encoding {encoding!r}.", url=url)
    inflater = zlib.decompressobj(_EITHER_HEADER)
    try:
        async for chunk in chunks:
            rest = chunk
            while rest and not inflater.eof:
                piece = inflater.decompress(rest, _PIECE_BYTES)
                rest = inflater.unconsumed_tail
                if piece:
                    yield piece
    except zlib.error as error:
        raise ContentMismatchError(f"The file came badly compressed: {error}.", url=url) from error
    if not inflater.eof:
        raise TruncatedError("The compressed transfer ended too early.", url=url)
