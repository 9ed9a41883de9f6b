"""The manifest of a session of which nothing is kept on this machine."""

import contextlib
from collections.abc import AsyncIterator
from typing import Self

from toapis_async.storage.journal.port import Journal


class NoManifest:
    """Forgets every line; see ``Manifest``."""

    @contextlib.asynccontextmanager
    async def writing(self, journal: Journal) -> AsyncIterator[Self]:
        """Take lines inside."""
        yield self

    def append(self, line: str) -> None:
        """Forget a line."""
