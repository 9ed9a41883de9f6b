"""The manifest's copy beside files that are not on this machine: at intervals, and as it is when the run has ended."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from toapis_async.clock import Clock
from toapis_async.errors import StorageError
from toapis_async.ports.sink import KeepsCopies

logger: logging.Logger = logging.getLogger("toapis_async")

INTERVAL_SECONDS = 60.0
_SHARE_OF_TIME = 20


@contextlib.asynccontextmanager
async def copied(path: Path, sink: object, clock: Clock) -> AsyncIterator[None]:
    """Keep a sink's copy of the manifest in step while this lasts; does nothing for a sink that keeps none.

    Where there is no manifest on this machine yet, and the sink has one, that one is fetched first: a run that has
    lost its journal then knows what is there.

    Args:
        path: of the manifest, which is closed when this is left.
        sink: where the copy goes.
        clock: says when.

    Raises:
        StorageError: the copy could not be fetched, or not be put in the end; one on the way is only told of.

    """
    if not isinstance(sink, KeepsCopies):
        yield
        return
    if await asyncio.to_thread(_size, path) is None:
        await sink.fetch_copy(path)
    task = asyncio.get_running_loop().create_task(_copy_at_intervals(path, sink, clock))
    try:
        yield
    except BaseException:
        await _ended(task)
        with contextlib.suppress(StorageError):  # what brought us here is worse news
            await sink.keep_copy(path)
        raise
    await _ended(task)
    await sink.keep_copy(path)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


async def _copy_at_intervals(path: Path, sink: KeepsCopies, clock: Clock) -> None:
    """Copy what has grown; a copy that takes long is made seldom."""
    wait, copied_bytes = INTERVAL_SECONDS, -1
    while True:
        await clock.sleep(wait)
        size = await asyncio.to_thread(_size, path)
        if size is None or size == copied_bytes:
            continue
        begun = clock.monotonic()
        try:
            await sink.keep_copy(path)
        except StorageError as error:
            logger.warning("The manifest's copy is behind: %s", error)
        else:
            copied_bytes = size
        wait = max(INTERVAL_SECONDS, _SHARE_OF_TIME * (clock.monotonic() - begun))


def _size(path: Path) -> int | None:
    """Return a file's length, or None where there is none; its directory is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.stat().st_size if path.exists() else None
