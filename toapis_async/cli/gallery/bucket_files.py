"""A run that went into a bucket: its manifest, and copies of its files beside the gallery."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import attrs

from toapis_async.errors import InvalidRequestError, StorageError
from toapis_async.storage.files.bucket_sink import BucketSink, is_bucket
from toapis_async.storage.files.private_files import make_private_directory
from toapis_async.storage.files.refusals import storage_error
from toapis_async.values.files import SavedFile
from toapis_async.wire.manifest import ManifestEntry

COPIES = "files"
"""In the gallery's directory: where the copies are."""
_AT_ONCE = 16


async def fetch_manifest(address: str, folder: Path) -> None:
    """Copy the manifest of a bucket into a folder.

    Args:
        address: where the run's files went, such as ``s3://bucket/july``.
        folder: takes ``manifest.jsonl``; made, for its owner only, where it is missing.

    Raises:
        InvalidRequestError: there is none.
        ConfigurationError: obstore is missing, or does not take the address.
        StorageError: the bucket or the disk refused.

    """
    _make_below(folder)
    async with BucketSink(address) as bucket:
        if not await bucket.fetch_copy(folder / "manifest.jsonl"):
            raise InvalidRequestError(
                f"{address} holds no manifest.jsonl.",
                hint="Give the address that toapis batch -o, or a session, had; a first copy is there after a minute.",
            )


async def fetch_files(entries: Sequence[ManifestEntry], directory: Path) -> None:
    """Copy what is in buckets below a directory; what is not there any more is passed over.

    A copy of the right length is not fetched again.

    Args:
        entries: of a manifest.
        directory: of the gallery.

    Raises:
        ConfigurationError: obstore is missing, or does not take an address.
        StorageError: a bucket or the disk refused; what was copied stays.

    """
    _make_below(directory / COPIES)
    wanted = {file.uri: file for entry in entries for file in entry.files if _can_be_copied(file)}
    async with AsyncExitStack() as stack:
        places = {uri.rpartition("/")[0] for uri in wanted}
        buckets = {place: await stack.enter_async_context(BucketSink(place)) for place in places}
        waiting = iter(wanted.values())

        async def work() -> None:
            for file in waiting:
                target = directory / COPIES / file.name
                bucket = buckets[file.uri.rpartition("/")[0]]
                if _length(target) != file.bytes:
                    await bucket.fetch_copy(target)

        workers = [asyncio.ensure_future(work()) for _ in range(_AT_ONCE)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)


def with_copies(entries: Sequence[ManifestEntry], directory: Path) -> list[ManifestEntry]:
    """Return entries that name copies, below a directory, in place of what is in buckets, as far as there are any."""

    def copy_of(file: SavedFile) -> SavedFile:
        there = _can_be_copied(file) and _length(directory / COPIES / file.name) == file.bytes
        return attrs.evolve(file, uri=f"{COPIES}/{file.name}") if there else file

    return [attrs.evolve(entry, files=tuple(map(copy_of, entry.files))) for entry in entries]


def _can_be_copied(file: SavedFile) -> bool:
    """Tell whether a manifest, which anybody may have written, names an object whose name is one of a file too."""
    name = file.name
    return is_bucket(file.uri) and name not in {"", ".", ".."} and name.isprintable() and Path(name).name == name


def _make_below(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, path=str(folder.parent)) from error
    make_private_directory(folder)


def _length(path: Path) -> int | None:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path} cannot be looked at: {error.strerror}.", path=str(path)) from error
