"""The sink that is memory: for files that are wanted as bytes, and for tests."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Self

from toapis_async.values.files import SavedFile


class MemorySink:
    """Keeps files for as long as it lives.

    Attributes:
        uri: ``memory://`` and a name.
        contents: the published files by name.

    """

    def __init__(self, name: str = "sink") -> None:
        self.uri: str = f"memory://{name}"
        self.contents: dict[str, bytes] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    def draft(self, stem: str) -> "MemoryDraft":
        """See ``Sink.draft``."""
        return MemoryDraft(self)

    async def intact(self, items: Sequence[Sequence[SavedFile]]) -> list[bool]:
        """See ``Sink.intact``."""
        return [all(self._is_intact(file) for file in files) for files in items]

    def _is_intact(self, file: SavedFile) -> bool:
        found = self.contents.get(file.name)
        return found is not None and sha256(found).hexdigest() == file.sha256

    async def clean_up(self, *, alone: bool) -> int:
        """Do nothing: the drafts of a run die with it."""
        return 0


class MemoryDraft:
    """See ``Draft``."""

    def __init__(self, sink: MemorySink) -> None:
        self._sink = sink
        self._content = bytearray()

    @property
    def bytes_written(self) -> int:
        """See ``Draft.bytes_written``."""
        return len(self._content)

    async def write(self, chunk: bytes) -> None:
        """See ``Draft.write``."""
        self._content += chunk

    async def restart(self) -> None:
        """See ``Draft.restart``."""
        self._content = bytearray()

    async def publish(
        self, name: str, *, mime: str, width: int | None = None, height: int | None = None, replace: bool = False
    ) -> SavedFile | None:
        """See ``Draft.publish``."""
        content, taken = bytes(self._content), self._sink.contents.get(name)
        if taken is not None and taken != content and not replace:
            return None
        self._sink.contents[name] = content
        self._content = bytearray()
        return SavedFile(
            uri=f"{self._sink.uri}/{name}",
            bytes=len(content),
            sha256=sha256(content).hexdigest(),
            mime=mime,
            width=width,
            height=height,
        )

    async def discard(self) -> None:
        """See ``Draft.discard``."""
        await self.restart()
