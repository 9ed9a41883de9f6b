"""Which events came before, in a megabyte whatever their number."""

from array import array
from bisect import bisect_left
from collections import deque
from hashlib import blake2b

_CHUNK = 4096


class SeenEvents:
    """Knows about the latest events by eight bytes of each; the oldest are forgotten four thousand at a time.

    Args:
        remembered: at least so many.

    """

    def __init__(self, remembered: int) -> None:
        self._latest: set[int] = set()
        self._earlier: deque[array[int]] = deque(maxlen=-(-remembered // _CHUNK))

    def __contains__(self, event_id: str) -> bool:
        digest = _digest(event_id)
        return digest in self._latest or any(_holds(chunk, digest) for chunk in self._earlier)

    def add(self, event_id: str) -> None:
        """Remember an event."""
        self._latest.add(_digest(event_id))
        if len(self._latest) >= _CHUNK:
            self._earlier.append(array("Q", sorted(self._latest)))
            self._latest = set()


def _holds(chunk: "array[int]", digest: int) -> bool:
    at = bisect_left(chunk, digest)
    return at < len(chunk) and chunk[at] == digest


def _digest(event_id: str) -> int:
    return int.from_bytes(blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
