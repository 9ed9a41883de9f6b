"""``manifest.jsonl`` in the output directory: one line per item that ended.

During a run lines are only added. Where that can have left a key twice, or a killed run can have left a key out, the
file is made anew from the journal when the run ends, line by line and beside the old one. Without a journal it is
only ever added to.
"""

import contextlib
import itertools
from collections.abc import AsyncIterator, Container, Iterator
from pathlib import Path
from typing import Self

from toapis_async.errors import StorageError
from toapis_async.storage.journal.group_writer import GroupWriter
from toapis_async.storage.journal.port import Journal
from toapis_async.storage.manifest.carried_contexts import CarriedContexts
from toapis_async.storage.manifest.line_file import LineFile, read_lines
from toapis_async.storage.manifest.single_lines import was_added_to
from toapis_async.values.columns import CarriedColumns
from toapis_async.values.records import ItemRecord, ItemState
from toapis_async.wire.manifest import ManifestEntry, manifest_entry_from, manifest_line
from toapis_async.wire.records import Root

_LINES_AT_ONCE = 256

# What the journal remembers of the manifest. A journal that was begun beside an older manifest (its predecessor was
# moved away, or there was none) cannot tell the older lines anew: they are carried over.
_STATE, _WHOLE, _OPEN = "manifest", "whole", "open"
_HAS_ELDERS = "manifest is older"


class Manifest:
    """The manifest of an output directory.

    Args:
        directory: where it lies: the output directory, or that of the journal.
        files_at: where the files are, as their ``SavedFile.uri`` begins; None for the same directory.

    """

    def __init__(self, directory: Path, *, files_at: Root | None = None) -> None:
        self._files_at = directory if files_at is None else files_at
        self.path: Path = directory / "manifest.jsonl"
        self._file = LineFile(self.path, draft=directory / ".toapis" / "manifest.new", is_whole=_is_whole)
        self._writer: GroupWriter[str] | None = None
        self._added = False
        self.is_older: bool = False
        """Whether it has lines that the journal it was opened beside does not know."""

    @contextlib.asynccontextmanager
    async def writing(self, journal: Journal) -> AsyncIterator[Self]:
        """Add lines inside; leaving it in the ordinary way leaves one line per key.

        An error or a cancellation leaves what was added, and the rest to the next run of the directory.

        Args:
            journal: of the same run, open for longer than this.

        Raises:
            StorageError: the file cannot be written.

        """
        self._writer = GroupWriter(self._file.write, window_seconds=(0.1, 0.4), patience_seconds=0.2, limit=1000)
        try:
            had_lines = await self._writer.call(self._file.open)
            has_gaps = await self._begin(journal, had_lines=had_lines)
            yield self
            older = had_lines or not journal.empty_at_open
            if has_gaps or (older and self._added and await journal.counts()):
                await self.rebuild(journal)
            await self._writer.call(_nothing)
            await journal.remember(_STATE, _WHOLE)
        finally:
            writer, self._writer = self._writer, None
            await writer.close(self._file.close)

    def append(self, line: str) -> None:
        """Add a line, without its line end, soon.

        Raises:
            StorageError: lines before it could not be written.

        """
        self._added = True
        self._opened().add(line)

    async def append_in_flight(self, journal: Journal, *, told: Container[str]) -> None:
        """Add a line for each item that may have a task and has not ended; on the disk when it returns.

        Args:
            journal: of the same run.
            told: keys of those that have such a line from this run.

        Raises:
            StorageError: they could not be written.

        """
        async for record in journal.items(ItemState.INTENDED, ItemState.ACCEPTED, ItemState.FINISHED):
            if record.key not in told:
                self.append(self._line(record, None))
        await self._opened().call(_nothing)

    async def rebuild(self, journal: Journal) -> None:
        """Make the file anew from a journal; needs no more memory for a million items than for a thousand.

        Raises:
            StorageError: it cannot be written; the old one is as it was.

        """
        writer = self._opened()
        await writer.call(self._file.begin_draft)
        contexts = await writer.call(lambda: CarriedContexts(read_lines(self.path)))
        try:
            page: list[ItemRecord] = []
            async for record in journal.items():
                page.append(record)
                if len(page) >= _LINES_AT_ONCE:
                    await self._draft_records(page, contexts)
                    page = []
            await self._draft_records(page, contexts)
        finally:
            await writer.call(contexts.close)
        await writer.call(self._file.lock)
        if was_added_to(self.path.parent) or await journal.recall(_HAS_ELDERS):
            await self._draft_elders(journal)
        await writer.call(self._file.publish_draft)

    async def _begin(self, journal: Journal, *, had_lines: bool) -> bool:
        """Note that lines are being added, and tell whether an earlier run may have left some out."""
        has_gaps = not journal.empty_at_open and await journal.recall(_STATE) != _WHOLE
        self.is_older = had_lines and (
            journal.empty_at_open
            or was_added_to(self.path.parent)
            or bool(await journal.recall(_HAS_ELDERS))
            or not await self._knows_ends(journal)
        )
        if self.is_older:
            await journal.remember(_HAS_ELDERS, "yes")
        await journal.remember(_STATE, _OPEN)
        return has_gaps

    async def _knows_ends(self, journal: Journal) -> bool:
        """Whether the journal knows the first and the last line: it may be another directory's, or an old copy."""
        ends = await self._opened().call(self._file.ends)
        keys = [manifest_entry_from(line).id for line in ends if _is_whole(line)]
        return None not in await journal.find(keys)

    async def _draft_records(self, records: list[ItemRecord], contexts: CarriedContexts) -> None:
        def write() -> None:
            self._file.write_draft([self._line(record, contexts.of(record.key)) for record in records])

        await self._opened().call(write)

    async def _draft(self, lines: list[str]) -> None:
        await self._opened().call(lambda: self._file.write_draft(lines))

    async def _draft_elders(self, journal: Journal) -> None:
        lines = read_lines(self.path)
        while page := await self._opened().call(lambda: _some(lines)):
            whole = [line for line in page if _is_whole(line)]
            known = await journal.find([manifest_entry_from(line).id for line in whole])
            await self._draft([line for line, record in zip(whole, known, strict=True) if record is None])

    def _line(self, record: ItemRecord, context: CarriedColumns | None) -> str:
        return manifest_line(record, directory=self._files_at, context=context)

    def _opened(self) -> GroupWriter[str]:
        if self._writer is None:
            raise StorageError(f"{self.path} is not open.", path=str(self.path), hint="Write inside writing().")
        return self._writer


def _nothing() -> None:
    """Wait, in the thread, for what was handed to it before."""


def _some(lines: Iterator[str]) -> list[str]:
    return list(itertools.islice(lines, _LINES_AT_ONCE))


def _is_whole(line: str) -> bool:
    try:
        manifest_entry_from(line)
    except ValueError:
        return False
    return True


def read_manifest(directory: Path) -> Iterator[ManifestEntry]:
    """Read a manifest line by line; what is no line of a manifest, such as a killed run's last one, is passed over.

    Raises:
        StorageError: the file cannot be read; a missing one has no lines.

    """
    for line in read_lines(directory / "manifest.jsonl"):
        with contextlib.suppress(ValueError):
            yield manifest_entry_from(line)
