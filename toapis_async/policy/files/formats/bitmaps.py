"""TIFF and BMP: a header and a table say where the pixels are, and the file must reach the end of them.

Pixels carry no checksum and are passed over. Of a TIFF the first picture is looked at, where its table lies ahead of
what has passed already; a table behind it cannot be seen without the file.
"""

from collections.abc import Sequence
from struct import unpack_from

from toapis_async.errors import ContentMismatchError
from toapis_async.policy.files.formats.incoming import Incoming, Walk

_WIDTH, _HEIGHT, _STARTS, _LENGTHS = 256, 257, frozenset({273, 324}), frozenset({279, 325})
_ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_LONGEST_TABLE = 65_536
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})


def walk_tiff(incoming: Incoming) -> Walk[None]:
    """Read the first table, and pass over the rest to the end of every strip or tile."""
    head = yield from incoming.take(8)
    order = "<" if head[:1] == b"I" else ">"
    yield from _skip_to(incoming, int(unpack_from(order + "I", head, 4)[0]))
    count = unpack_from(order + "H", (yield from incoming.take(2)))[0]
    entries = yield from incoming.take(12 * count)
    fields = [_Field(entries[at : at + 12], order) for at in range(0, 12 * count, 12)]
    least = max([field.stop for field in fields], default=0)
    tables: dict[int, Sequence[int]] = {}
    for field in sorted(fields, key=lambda field: field.place):
        if field.tag in {_WIDTH, _HEIGHT} | _STARTS | _LENGTHS and field.readable:
            if field.place > 0:
                if field.place < incoming.position:
                    continue
                yield from _skip_to(incoming, field.place)
                field.content = yield from incoming.take(field.bytes)
            tables[field.tag] = field.numbers
    starts = next((tables[tag] for tag in tables if tag in _STARTS), ())
    lengths = next((tables[tag] for tag in tables if tag in _LENGTHS), ())
    least = max([least, *(start + length for start, length in zip(starts, lengths, strict=False))])
    if not count or not {_WIDTH, _HEIGHT} <= tables.keys():
        raise ContentMismatchError("has no picture inside")
    incoming.measured(tables[_WIDTH][0], tables[_HEIGHT][0])
    yield from _reach(incoming, least)


class _Field:
    """One entry of a table; its place is 0 when the values are in the entry itself."""

    def __init__(self, entry: bytes, order: str) -> None:
        self.tag, kind, self._count = unpack_from(order + "HHI", entry)
        width = _ITEM_BYTES.get(kind, 0)
        self.bytes = width * self._count
        self.place = 0 if self.bytes <= 4 else int(unpack_from(order + "I", entry, 8)[0])
        self.stop = self.place + self.bytes if self.place else 0
        self.readable = kind in {3, 4} and 0 < self.bytes <= _LONGEST_TABLE
        self.content = entry[8 : 8 + self.bytes]
        self._format = order + str(self._count) + ("H" if kind == 3 else "I")

    @property
    def numbers(self) -> Sequence[int]:
        return unpack_from(self._format, self.content)


def walk_bmp(incoming: Incoming) -> Walk[None]:
    """Read the header, and pass over the rest to the declared length."""
    head = yield from incoming.take(26)
    length, pixels, header = (int(unpack_from("<I", head, at)[0]) for at in (2, 10, 14))
    if header not in _BMP_HEADERS or pixels < 14 + header or length < pixels:
        raise ContentMismatchError("has a BMP header that makes no sense")
    size = unpack_from("<HH" if header == 12 else "<ii", head, 18)
    incoming.measured(size[0], abs(size[1]))
    yield from _reach(incoming, length)
    yield from incoming.only_padding_follows()


def _skip_to(incoming: Incoming, place: int) -> Walk[None]:
    if place < incoming.position:
        raise ContentMismatchError(f"leads back to byte {place}")
    yield from incoming.skip(place - incoming.position)


def _reach(incoming: Incoming, least: int) -> Walk[None]:
    yield from incoming.skip(max(0, least - incoming.position))
