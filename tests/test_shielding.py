"""Waiting that outlives its own cancellation."""

import asyncio

import anyio
import pytest

from toapis_async.shielding import wait_shielded


@pytest.mark.parametrize("scope", ["asyncio", "anyio"])
async def test_tasks_are_seen_to_their_end(scope):
    """Whoever waits for them is cancelled only when they have ended, however it is cancelled."""
    ended = []

    async def work():
        await asyncio.sleep(0.05)
        ended.append(True)

    async def owner():
        await wait_shielded({asyncio.create_task(work())})

    if scope == "asyncio":
        owning = asyncio.create_task(owner())
        await asyncio.sleep(0)
        owning.cancel()
        await asyncio.sleep(0)
        owning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await owning
    else:
        with anyio.move_on_after(0.01):
            await owner()
    assert ended == [True]
