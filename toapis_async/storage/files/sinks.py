"""From what the user names to the sink that keeps files there."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from toapis_async.errors import ConfigurationError
from toapis_async.ports.sink import Sink
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.values.files import is_address

Destination: TypeAlias = str | os.PathLike[str] | Sink
"""A directory, or a sink."""


@asynccontextmanager
async def opened(where: Destination) -> AsyncIterator[Sink]:
    """Open the directory for as long as this lasts; a sink that was given is open, and stays so."""
    if not isinstance(where, str | os.PathLike):
        yield where
        return
    async with sink_at(where) as sink:
        yield sink


def sink_at(where: Destination, *, durable: bool = True) -> Sink:
    """Return the sink that stands for a place, or the one that was given.

    Args:
        where: a directory, or a sink.
        durable: whether to wait for the disk when a file is saved; a sink that was given knows that itself.

    Raises:
        ConfigurationError: no sink of ours goes to such an address.

    """
    if not isinstance(where, str | os.PathLike):
        return where
    text = os.fspath(where)
    if is_address(text):
        raise ConfigurationError(
            f"There is no way to save files to {text.partition('://')[0]}://… yet.",
            hint="Name a directory, or give a Sink of your own.",
        )
    return OutputDirectory(Path(text), durable=durable)
