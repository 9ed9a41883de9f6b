"""Following a run that is under way: the page is written anew whenever the manifest has grown."""

import asyncio
from pathlib import Path

import anyio
import attrs

from toapis_async.cli.gallery.writing import Gallery, Written
from toapis_async.storage.journal.directory_lock import is_held
from toapis_async.storage.manifest.manifest import read_manifest

INTERVAL_SECONDS = 2.0


@attrs.frozen(kw_only=True)
class Manifested:
    """A manifest as it stands: enough to tell that it has changed. None stands for one that is not there."""

    size: int | None
    mtime_ns: int | None

    @classmethod
    def of(cls, directory: Path) -> "Manifested":
        """Look at the manifest of a directory."""
        try:
            found = (directory / "manifest.jsonl").stat()
        except OSError:
            return cls(size=None, mtime_ns=None)
        return cls(size=found.st_size, mtime_ns=found.st_mtime_ns)


async def follow(gallery: Gallery, stop: asyncio.Event, *, interval: float = INTERVAL_SECONDS) -> Written:
    """Keep the gallery up to date until the run that is, or comes, under way has ended, or until told to stop.

    Args:
        gallery: of the output directory.
        stop: ends it; what is being written is written to its end.
        interval: seconds between looks at the manifest; longer where writing takes long.

    Raises:
        StorageError: the disk refused.

    """
    directory, clock = gallery.directory, gallery.clock
    seen = was_held = None
    written = None
    while not stop.is_set():
        held, now = is_held(directory / ".toapis" / "lock"), Manifested.of(directory)
        began = clock.monotonic()
        if now != seen:
            written = await asyncio.to_thread(_write, gallery, with_page=written is None)
            seen = now
        elif written is not None:
            await asyncio.to_thread(gallery.beat, written.version, live=True)
        if was_held and not held:
            break
        was_held = was_held or held
        with anyio.move_on_after(max(interval, 3 * (clock.monotonic() - began))):
            await stop.wait()
    return await asyncio.to_thread(_write, gallery, with_page=True, live=False)


def _write(gallery: Gallery, *, with_page: bool, live: bool = True) -> Written:
    return gallery.write_live(read_manifest(gallery.directory), with_page=with_page, live=live)
