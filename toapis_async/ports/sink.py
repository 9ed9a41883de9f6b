"""Where files go. The directory is the default; whatever keeps these promises can stand in its place.

A file is written as a draft, which nobody sees, and published whole under its name. Journal and lock are no files of
a sink: they stay on this machine.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from toapis_async.values.files import SavedFile


class Draft(Protocol):
    """A file on its way. It ends with ``publish`` or ``discard``, and leaves nothing but the file after either."""

    @property
    def bytes_written(self) -> int:
        """How many there are so far."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Append.

        Raises:
            StorageError: it could not be kept.

        """
        ...

    async def restart(self) -> None:
        """Forget everything that was written, and begin anew."""
        ...

    async def publish(
        self, name: str, *, mime: str, width: int | None = None, height: int | None = None, replace: bool = False
    ) -> SavedFile | None:
        """Give the file its name, at once and as a whole; returns when that will outlive a power cut.

        Args:
            name: safe on every file system, without a folder.
            mime, width, height: what the result says of the file; the sink need not look.
            replace: whether whatever has the name gives way. Otherwise a file with the same content is taken for
                this one, and any other stays.

        Returns:
            the file; None where another file has the name and stays. The draft is then as it was, and can be
            published under another name.

        Raises:
            StorageError: it could not be kept; nothing of the draft is left.

        """
        ...

    async def discard(self) -> None:
        """Remove what was written, if anything; does nothing after ``publish``."""
        ...


class Sink(Protocol):
    """A place that keeps files; open inside ``async with``."""

    @property
    def uri(self) -> str:
        """Where it is: a path as the user gave it, or an address such as ``s3://bucket/july``. Has no secret in it.

        The ``SavedFile.uri`` of each file is this, a slash, and the file's name.
        """
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

    def draft(self, stem: str) -> Draft:
        """Begin a file; nothing is made before there is something to write.

        Args:
            stem: the beginning of its name, which may show in the draft's.

        """
        ...

    async def intact(self, items: Sequence[Sequence[SavedFile]]) -> list[bool]:
        """Tell, for each item, whether all its files are here under their names and unchanged.

        Raises:
            StorageError: it could not be found out.

        """
        ...

    async def clean_up(self, *, alone: bool) -> int:
        """Remove the drafts of runs that died, and return how many there were.

        Args:
            alone: whether nobody else can be writing here; otherwise drafts that were touched within a day stay.

        Raises:
            StorageError: it could not be done.

        """
        ...


@runtime_checkable
class KeepsCopies(Protocol):
    """A sink that also keeps a copy of the manifest, which is written on this machine; optional for a sink."""

    async def keep_copy(self, path: Path) -> None:
        """Put a file of this machine, as far as it is written, in the place of the one with its name.

        Raises:
            StorageError: it could not be kept.

        """
        ...

    async def fetch_copy(self, path: Path) -> bool:
        """Fetch the file with the name of one of this machine, and tell whether there was one.

        Raises:
            StorageError: it could not be fetched.

        """
        ...
