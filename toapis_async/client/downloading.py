"""A finished task's files, fetched and saved. A dead or broken link leads back to the task before anything else."""

import asyncio
import random as random_module
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

import attrs

from toapis_async.client.dispatching import Tell, tell_nobody
from toapis_async.client.download_workers import DownloadWorkers
from toapis_async.client.fetching import fetch_file
from toapis_async.client.file_sources import FileSources
from toapis_async.client.finishing import Finish
from toapis_async.client.saving import FileTarget
from toapis_async.clock import Clock
from toapis_async.errors import (
    ContentMismatchError,
    DownloadError,
    IncompleteDownloadError,
    LinkExpiredError,
    StorageError,
    ToAPIsError,
    TruncatedError,
)
from toapis_async.policy.files.addresses import host_of
from toapis_async.storage.files.memory_sink import MemorySink
from toapis_async.transport.files import FileHost
from toapis_async.values.files import FileBytes, SavedFile
from toapis_async.values.tasks import GenerationTask
from toapis_async.wire.tasks import result_excerpt

FRESH_LOOKS = 3
SIDE_BY_SIDE = 32

Fresh: TypeAlias = Callable[[], Awaitable[GenerationTask]]

_LINK_MAY_HELP = (LinkExpiredError, ContentMismatchError, TruncatedError)


@attrs.frozen
class _Source:
    url: str
    index: int
    count: int
    part: str = ""


@attrs.define(kw_only=True)
class Downloader:
    """Fetches files without the key.

    Attributes:
        host: the keyless way to file hosts.
        clock, random: wait and jitter between tries.
        workers: how many files are fetched at once, over all tasks.
        sources: where else files lie; None for nowhere.

    """

    host: FileHost
    clock: Clock
    random: random_module.Random
    workers: DownloadWorkers = attrs.field(factory=lambda: DownloadWorkers(SIDE_BY_SIDE))
    sources: FileSources | None = None

    def limited(self, files: int) -> "Downloader":
        """Return one that fetches at most so many files at once, whatever others do."""
        return attrs.evolve(self, workers=DownloadWorkers(files))

    async def save(
        self,
        task: GenerationTask,
        target: FileTarget,
        *,
        fresh: Fresh,
        tell: Tell = tell_nobody,
        on_slow: Callable[[], None] = lambda: None,
    ) -> tuple[SavedFile, ...]:
        """Save every file of a completed task.

        Args:
            task: completed.
            target: where the first of its files belongs; the others are numbered by themselves.
            fresh: looks the task up again, for fresh links.
            tell: hears of each transfer.
            on_slow: called, perhaps several times, when a transfer is slow or waits.

        Raises:
            IncompleteDownloadError: some were saved, others could not be fetched.
            DownloadError: none could be fetched.
            StorageError: a file could not be kept.

        """
        return await _TaskDownload(downloader=self, target=target, fresh=fresh, tell=tell, on_slow=on_slow).run(task)

    async def read(
        self, task: GenerationTask, *, fresh: Fresh, finish: Finish, tell: Tell = tell_nobody
    ) -> tuple[FileBytes, ...]:
        """Fetch and verify every file of a completed task into memory; see ``save()``.

        Raises:
            DownloadError: a file could not be fetched.

        """
        memory = MemorySink()
        files = await self.save(task, FileTarget(sink=memory, stem="file", finish=finish), fresh=fresh, tell=tell)
        return tuple(
            FileBytes(
                data=memory.contents[file.name],
                mime=file.mime,
                sha256=file.sha256,
                width=file.width,
                height=file.height,
            )
            for file in files
        )

    async def fetch(
        self, source: _Source, target: FileTarget, tell: Tell, on_slow: Callable[[], None]
    ) -> SavedFile | ToAPIsError:
        """Fetch one file when its turn comes; an error is a value, so that it ends no other file."""
        spot = target.of(source.index, source.count, source.part)
        host = host_of(source.url, base_url=self.host.base_url)
        try:
            async with self.workers.at(host) as worker:

                def slow() -> None:
                    worker.lend()
                    on_slow()

                return await fetch_file(
                    self.host,
                    source.url,
                    spot,
                    clock=self.clock,
                    random=self.random,
                    tell=tell,
                    sources=self.sources,
                    on_slow=slow,
                )
        except ToAPIsError as error:
            return error


@attrs.define(kw_only=True)
class _TaskDownload:
    """The files of one task, in rounds: all that are missing side by side, then a fresh look for those that failed."""

    downloader: Downloader
    target: FileTarget
    fresh: Fresh
    tell: Tell
    on_slow: Callable[[], None]
    saved: dict[int, SavedFile] = attrs.field(factory=dict)
    errors: dict[int, ToAPIsError] = attrs.field(factory=dict)
    looks: int = 0

    async def run(self, task: GenerationTask) -> tuple[SavedFile, ...]:
        if not task.files or self._expired(task):
            self.looks, task = 1, await self._with_links(task)
        await self._round(_sources(task))
        while self.looks < FRESH_LOOKS and any(isinstance(error, _LINK_MAY_HELP) for error in self.errors.values()):
            await self._pause(self.looks)
            self.looks += 1
            try:
                task = await self._with_links(task)
            except ToAPIsError as error:
                if not self.saved or not isinstance(error, DownloadError):
                    raise
                self.errors = dict.fromkeys(self.errors, error)
                break
            await self._round(_sources(task))
        if self.errors:
            raise self._failure()
        return tuple(self.saved[place] for place in sorted(self.saved))

    async def _round(self, sources: Sequence[_Source]) -> None:
        left = [place for place in range(len(sources)) if place not in self.saved]
        fetch = partial(self.downloader.fetch, target=self.target, tell=self.tell, on_slow=self.on_slow)
        if len(left) == 1:
            results = [await fetch(sources[left[0]])]
        else:
            # Cancelled, it cancels each of them and waits for it; a defect of one waits for the others.
            ended = await asyncio.gather(*(fetch(sources[place]) for place in left), return_exceptions=True)
            results = [_unless_a_defect(result) for result in ended]
        for place, result in zip(left, results, strict=True):
            self.errors.pop(place, None)
            if isinstance(result, SavedFile):
                self.saved[place] = result
            else:
                self.errors[place] = result

    def _failure(self) -> ToAPIsError:
        missing = {place: self.errors[place] for place in sorted(self.errors)}
        for error in missing.values():
            if isinstance(error, StorageError):
                return error
        first = next(iter(missing.values()))
        if not self.saved:
            return first
        which, count = ", ".join(str(place + 1) for place in missing), len(self.saved) + len(missing)
        return IncompleteDownloadError(
            f"{len(missing)} of {count} files could not be fetched (number {which}): {first.message}",
            files=tuple(self.saved[place] for place in sorted(self.saved)),
            missing=missing,
            hint="The task is paid for, and the others are saved: download again for what is missing, do not submit "
            "again.",
        )

    async def _pause(self, looks: int) -> None:
        """Wait before every look but the first."""
        if looks:
            await self.downloader.clock.sleep(2.0**looks * self.downloader.random.uniform(0.75, 1.25))

    def _expired(self, task: GenerationTask) -> bool:
        return task.expires_at is not None and task.expires_at.timestamp() <= self.downloader.clock.now()

    async def _with_links(self, task: GenerationTask) -> GenerationTask:
        # Completed without a link has been seen; the link may follow.
        again = task
        for looks in range(FRESH_LOOKS):
            await self._pause(looks)
            again = await self.fresh()
            if again.files:
                return again
        came = result_excerpt(again)
        raise LinkExpiredError(
            f"Task {task.id} is completed but the gateway has no link for it"
            + (f"; where links stand it says {came}." if came else "."),
            hint="Links live for 24 hours. Look again later (toapis status); if none comes back, ask the gateway's "
            "support with the task id before generating it anew.",
        )


def _unless_a_defect(result: SavedFile | ToAPIsError | BaseException) -> SavedFile | ToAPIsError:
    if isinstance(result, SavedFile | ToAPIsError):
        return result
    raise result


def _sources(task: GenerationTask) -> list[_Source]:
    count = len(task.files)
    sources = [_Source(file.url, index, count) for index, file in enumerate(task.files)]
    stills = [file.last_frame_url for file in task.files if file.last_frame_url]
    sources += [_Source(url, index, len(stills), "last-frame") for index, url in enumerate(stills)]
    return sources
