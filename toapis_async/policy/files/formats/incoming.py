"""The bytes of a file as they come, and what a walk over them needs: to take, to pass over, to know the end.

A walk is a generator that stands still (``yield``) whenever it needs bytes that are not here yet. It holds no more of
the file than the chunk at hand, and passes over contents by their length without looking at them.
"""

from collections.abc import Generator
from typing import TypeAlias, TypeVar

from toapis_async.errors import ContentMismatchError, TruncatedError

T = TypeVar("T")
Walk: TypeAlias = Generator[None, None, T]

_PADDING = b"\x00\r\n\t "


class Incoming:
    """A file on its way.

    Attributes:
        chunk: what came last.
        at: how much of the chunk the walk has passed.
        ended: no more will come.
        size_px: width and height in pixels, once the walk has come upon them.

    """

    __slots__ = ("_passed", "at", "chunk", "ended", "size_px")

    def __init__(self) -> None:
        self.chunk: bytes = b""
        self.at: int = 0
        self.ended: bool = False
        self.size_px: tuple[int, int] | None = None
        self._passed = 0

    @property
    def position(self) -> int:
        """How many bytes of the file the walk has passed."""
        return self._passed + self.at

    def put(self, chunk: bytes) -> None:
        """Replace the chunk, which the walk has passed, by the next one; an empty one says that the file has ended."""
        self._passed += len(self.chunk)
        self.chunk, self.at = chunk, 0
        self.ended = not chunk

    def at_end(self) -> Walk[bool]:
        """Wait for a byte; tell whether the file ends here instead."""
        while self.at >= len(self.chunk):
            if self.ended:
                return True
            yield
        return False

    def wait(self) -> Walk[None]:
        """Wait for a byte, which must come."""
        if self.at >= len(self.chunk) and (yield from self.at_end()):
            raise TruncatedError("ends in the middle")

    def piece(self, longest: int) -> Walk[memoryview]:
        """Take what is here, from 1 byte to so many; valid until the walk stands still."""
        yield from self.wait()
        start = self.at
        self.at = min(start + longest, len(self.chunk))
        return memoryview(self.chunk)[start : self.at]

    def take_up_to(self, count: int) -> Walk[bytes]:
        """Take so many bytes, or fewer where the file ends."""
        start = self.at
        taken = self.chunk[start : start + count]
        self.at = start + len(taken)
        while len(taken) < count and not (yield from self.at_end()):
            more = self.chunk[: count - len(taken)]
            self.at = len(more)
            taken += more
        return taken

    def take(self, count: int) -> Walk[bytes]:
        """Take exactly so many bytes; meant for few."""
        start = self.at
        if start + count <= len(self.chunk):
            self.at = start + count
            return self.chunk[start : start + count]
        taken = yield from self.take_up_to(count)
        if len(taken) < count:
            raise TruncatedError("ends in the middle")
        return taken

    def skip(self, count: int) -> Walk[None]:
        """Pass over so many bytes."""
        while count > len(self.chunk) - self.at:
            count -= len(self.chunk) - self.at
            self.at = len(self.chunk)
            yield from self.wait()
        self.at += count

    def skip_padding(self) -> Walk[bytes]:
        """Pass over zeros and white space; return the first byte that is neither, or nothing at the end."""
        while not (yield from self.at_end()):
            rest = self.chunk[self.at :].lstrip(_PADDING)
            self.at = len(self.chunk) - len(rest)
            if rest:
                self.at += 1
                return rest[:1]
        return b""

    def only_padding_follows(self) -> Walk[None]:
        """Pass over zeros and white space, which some writers append, to the end; nothing else may come."""
        if (yield from self.skip_padding()):
            raise ContentMismatchError(f"goes on after its end at byte {self.position - 1}")

    def measured(self, width: int, height: int) -> None:
        """Note a picture's size; the largest counts, since smaller ones belong to tiles and thumbnails."""
        if min(width, height) > 0 and (self.size_px is None or width * height > self.size_px[0] * self.size_px[1]):
            self.size_px = width, height
