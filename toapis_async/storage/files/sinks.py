"""From what the user names to the sink that keeps files there."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from toapis_async.errors import ConfigurationError
from toapis_async.ports.sink import Sink
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.storage.files.bucket_sink import BucketSink, is_bucket
from toapis_async.values.files import is_address

Destination: TypeAlias = str | os.PathLike[str] | Sink
"""A directory, the address of a bucket, or a sink."""


@asynccontextmanager
async def opened(where: Destination) -> AsyncIterator[Sink]:
    """Open the directory for as long as this lasts; a sink that was given is open, and stays so."""
    if not isinstance(where, str | os.PathLike):
        yield where
        return
    async with sink_at(where) as sink:
        yield sink


def sink_at(where: Destination, *, durable: bool = True, store_options: Mapping[str, object] | None = None) -> Sink:
    """Return the sink that stands for a place, or the one that was given.

    Args:
        where: a directory, the address of a bucket, or a sink.
        durable: whether to wait for the disk when a file is saved; a sink that was given knows that itself.
        store_options: for a bucket, obstore's own keys in one mapping.

    Raises:
        ConfigurationError: no sink of ours goes to such an address, or there are options and no bucket.

    """
    if store_options and not (isinstance(where, str) and is_address(where)):
        raise ConfigurationError("store_options are for a bucket, such as s3://bucket/july.")
    if not isinstance(where, str | os.PathLike):
        return where
    text = os.fspath(where)
    if is_address(text):
        if is_bucket(text):
            return BucketSink(text, store_options)
        raise ConfigurationError(
            f"There is no way to save files to {text.partition('://')[0]}://….",
            hint="Name a directory or a bucket (s3://, gs://, az://), or give a Sink of your own.",
        )
    return OutputDirectory(Path(text), durable=durable)
