"""What the user's own reference files hold: an item is known again by that, and not by where a file lies."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import file_digest
from stat import S_ISREG

from toapis_async.storage.inputs.reference_files import MOST_BYTES

_REMEMBERED = 4096
# A pipe that nobody writes to would be waited for: it is opened without waiting, looked at, and left alone.
_WITHOUT_WAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class ContentDigests:
    """Hashes files in a thread, and remembers the last 4,096 by path, length and modification time."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[tuple[int, int], str]] = OrderedDict()

    async def of(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the sha256 of each file, in hexadecimal; what is missing, unreadable or no file is left out."""
        wanted = dict.fromkeys(paths)
        return await asyncio.to_thread(self._digests, wanted) if wanted else {}

    def _digests(self, paths: Iterable[str]) -> dict[str, str]:
        found = {path: self._digest(path) for path in paths}
        return {path: digest for path, digest in found.items() if digest is not None}

    def _digest(self, path: str) -> str | None:
        try:
            descriptor = os.open(path, _WITHOUT_WAITING)
        except (OSError, ValueError):
            return None  # said when it is to be uploaded
        with os.fdopen(descriptor, "rb") as file:
            seen = os.fstat(file.fileno())
            if not S_ISREG(seen.st_mode) or seen.st_size > MOST_BYTES:
                return None
            mark = seen.st_size, seen.st_mtime_ns
            known = self._known.get(path)
            if known is not None and known[0] == mark:
                return known[1]
            try:
                digest = file_digest(file, "sha256").hexdigest()
            except OSError:
                return None
        self._known[path] = mark, digest
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return digest
