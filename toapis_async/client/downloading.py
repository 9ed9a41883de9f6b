"""A finished task's files, fetched and saved. A dead or broken link leads back to the task before anything else."""

import os
import random as random_module
from collections.abc import Awaitable, Callable, Collection

import attrs

from toapis_async.client.fetching import fetch_file
from toapis_async.client.saving import FileTarget
from toapis_async.clock import Clock
from toapis_async.errors import ContentMismatchError, LinkExpiredError, TruncatedError
from toapis_async.storage.files.sinks import Destination, sink_at
from toapis_async.transport.files import FileHost
from toapis_async.values.files import SavedFile
from toapis_async.values.tasks import GenerationTask

FRESH_LOOKS = 3

Fresh = Callable[[], Awaitable[GenerationTask]]


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

    """

    host: FileHost
    clock: Clock
    random: random_module.Random

    async def save(
        self, task: GenerationTask, *, stem: str, sink: Destination, fresh: Fresh, ours: Collection[str] = ()
    ) -> tuple[SavedFile, ...]:
        """Save every file of a completed task.

        Args:
            task: completed.
            stem: what the files are called, before number and extension.
            sink: where to: a sink that is open, or a directory, which is opened and closed here.
            fresh: looks the task up again, for fresh links.
            ours: names of files that were saved for this very task before, and may be replaced.

        Raises:
            DownloadError: a file could not be fetched.
            StorageError: a file could not be kept.

        """
        if not isinstance(sink, str | os.PathLike):
            return await self._save(task, FileTarget(sink=sink, stem=stem, ours=ours), fresh)
        async with sink_at(sink) as opened:
            return await self._save(task, FileTarget(sink=opened, stem=stem, ours=ours), fresh)

    async def _save(self, task: GenerationTask, target: FileTarget, fresh: Fresh) -> tuple[SavedFile, ...]:
        looks = 0
        if not task.files or self._expired(task):
            looks, task = 1, await self._with_links(task, fresh)
        saved: list[SavedFile] = []
        while len(saved) < len(sources := _sources(task)):
            source = sources[len(saved)]
            spot = attrs.evolve(target, index=source.index, count=source.count, part=source.part)
            try:
                file = await fetch_file(self.host, source.url, spot, clock=self.clock, random=self.random)
            except (LinkExpiredError, ContentMismatchError, TruncatedError):
                if looks >= FRESH_LOOKS:
                    raise
                await self._pause(looks)
                looks += 1
                task = await self._with_links(task, fresh)
            else:
                saved.append(file)
        return tuple(saved)

    async def _pause(self, looks: int) -> None:
        """Wait before every look but the first."""
        if looks:
            await self.clock.sleep(2.0**looks * self.random.uniform(0.75, 1.25))

    def _expired(self, task: GenerationTask) -> bool:
        return task.expires_at is not None and task.expires_at.timestamp() <= self.clock.now()

    async def _with_links(self, task: GenerationTask, fresh: Fresh) -> GenerationTask:
        # Completed without a link has been seen; the link may follow (contract §2.2).
        for looks in range(FRESH_LOOKS):
            await self._pause(looks)
            again = await fresh()
            if again.files:
                return again
        raise LinkExpiredError(
            f"Task {task.id} is completed but the gateway has no link for it.",
            hint="Links live for 24 hours. Look again later (toapis status); if none comes back, ask the gateway's "
            "support with the task id before generating it anew.",
        )


def _sources(task: GenerationTask) -> list[_Source]:
    count = len(task.files)
    sources = [_Source(file.url, index, count) for index, file in enumerate(task.files)]
    stills = [file.last_frame_url for file in task.files if file.last_frame_url]
    sources += [_Source(url, index, len(stills), "last-frame") for index, url in enumerate(stills)]
    return sources
