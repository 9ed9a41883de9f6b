"""Waiting for one task, with a person watching."""

import asyncio
import sys
from contextlib import suppress
from types import TracebackType
from typing import Self

from toapis_async.cli.formatting.amounts import duration_text
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.client.generations import Generations
from toapis_async.clock import SystemClock
from toapis_async.values.files import SavedFile
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import GenerationTask

_LINE_SECONDS = 15.0
_FRAME_SECONDS = 0.5


async def wait_and_save(
    tasks: Generations[GenerationRequest],
    task: GenerationTask,
    directory: str | None,
    patience: float | None,
    terminal: Terminal,
    embedded: GenerationRequest | None = None,
) -> tuple[GenerationTask, tuple[SavedFile, ...]]:
    """Wait until a task is completed, and save its files.

    Args:
        tasks: the client's images or videos.
        task: as last seen.
        directory: where to; None saves nothing.
        patience: seconds; None for the default of its kind.
        terminal: where to say how long it takes.
        embedded: what was asked for, to be written into the files; None for nothing.

    Raises:
        ToAPIsError: it failed, or we stopped waiting, or a file could not be saved.

    """
    async with Ticker(terminal, f"waiting for {task.id}"):
        if not task.finished:
            task = await tasks.wait(task, timeout_seconds=patience)
        files = () if directory is None else await _saved(tasks, task, directory, embedded)
    return task, files


async def _saved(
    tasks: Generations[GenerationRequest], task: GenerationTask, directory: str, embedded: GenerationRequest | None
) -> tuple[SavedFile, ...]:
    if embedded is None:
        return await tasks.download(task, directory)
    seed = getattr(embedded, "seed", None)
    return await tasks.download(task, directory, embed_metadata=True, prompt=embedded.prompt, seed=seed)


class Ticker:
    """Says how long something has taken: in place on a terminal, a line now and then elsewhere."""

    def __init__(self, terminal: Terminal, what: str) -> None:
        self._terminal = terminal
        self._what = what
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if not self._terminal.quiet:
            self._task = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    async def _tick(self) -> None:
        clock = SystemClock()
        started = clock.monotonic()
        while True:
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\x1b[K{self._what} · {duration_text(clock.monotonic() - started)}")
                sys.stderr.flush()
                await clock.sleep(_FRAME_SECONDS)
            else:
                await clock.sleep(_LINE_SECONDS)
                self._terminal.say(f"{self._what} · {duration_text(clock.monotonic() - started)}")
