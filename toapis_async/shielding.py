"""Waiting for what must not be left half done, however often whoever waits is cancelled."""

import asyncio
from collections.abc import Iterable
from typing import TypeVar

import anyio

T = TypeVar("T")


async def wait_shielded(futures: Iterable["asyncio.Future[T]"]) -> None:
    """Wait until every future or task has ended; what they raised is left to them.

    Raises:
        CancelledError: whoever waits was cancelled meanwhile; obeyed when all have ended.

    """
    cancelled: asyncio.CancelledError | None = None
    # anyio repeats a cancellation in every turn of the loop; its shield keeps this from being a busy one.
    with anyio.CancelScope(shield=True):
        while running := [future for future in futures if not future.done()]:
            try:
                await asyncio.wait(running)
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        raise cancelled
