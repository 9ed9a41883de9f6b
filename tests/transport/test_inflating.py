"""Compressed bodies come out whole, or not at all."""

import gzip
import zlib

import pytest

from toapis_async.errors import ContentMismatchError, TruncatedError
from toapis_async.transport.inflating import inflated


async def pieces(data, *, size=1000):
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def gathered(data, encoding):
    return [piece async for piece in inflated(pieces(data), encoding=encoding, url="https://x/a")]


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_known_encodings_are_undone(encoding, compress):
    """The bytes that come out are those that went in."""
    content = bytes(range(256)) * 100

    assert b"".join(await gathered(compress(content), encoding)) == content


async def test_a_bomb_comes_in_small_pieces():
    """Two hundred megabytes of zeros never lie in memory at once."""
    largest = total = 0
    async for piece in inflated(pieces(gzip.compress(bytes(200_000_000), 9)), encoding="gzip", url=""):
        largest, total = max(largest, len(piece)), total + len(piece)

    assert largest <= 262_144
    assert total == 200_000_000


async def test_a_cut_body_is_truncated():
    """A stream without its end is no file."""
    with pytest.raises(TruncatedError):
        await gathered(gzip.compress(b"content" * 99)[:-9], "gzip")


def raw_deflate(content):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(content) + compressor.flush()


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(b"content" * 99) + gzip.compress(b"and more")),
        ("gzip", gzip.compress(b"content" * 99 + b"and more") + bytes(300)),
        ("deflate", raw_deflate(b"content" * 99 + b"and more")),
        ("deflate", gzip.compress(b"content" * 99 + b"and more")),
    ],
    ids=["members", "padding", "no header", "another name"],
)
async def test_what_hosts_make_of_compression_is_undone(encoding, data, size):
    """Several members, padding, deflate without its header, and one compression under another's name."""
    whole = inflated(pieces(data, size=size), encoding=encoding, url="")
    assert b"".join([piece async for piece in whole]) == b"content" * 99 + b"and more"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
@pytest.mark.parametrize("size", [1, 1000])
async def test_an_image_that_is_called_compressed_is_an_image(encoding, size):
    """The label does not decide."""
    content = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9
    whole = inflated(pieces(content, size=size), encoding=encoding, url="")
    assert content == b"".join([piece async for piece in whole])


@pytest.mark.parametrize(("data", "encoding"), [(b"no gzip", "gzip"), (b"x", "br"), (b"x", "gzip, gzip")])
async def test_what_cannot_be_undone_is_refused(data, encoding):
    """Broken data and unknown encodings are named."""
    with pytest.raises(ContentMismatchError):
        await gathered(data, encoding)
