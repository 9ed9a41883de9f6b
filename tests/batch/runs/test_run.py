"""One stream of items: begun, held up, drained, cancelled."""

import asyncio

import anyio
import pytest

from toapis_async import ImageRequest
from toapis_async.batch.items.in_work import ItemsInWork
from toapis_async.batch.runs.run import Run
from toapis_async.batch.settings import SessionSettings
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.testing import Constant


def foxes(count=None):
    number = 0
    while count is None or number < count:
        yield ImageRequest(f"fox {number}")
        number += 1


class RunContext:
    """As much of a session as a run alone needs."""

    def __init__(self):
        self.in_work = ItemsInWork()
        self.settings = SessionSettings(sink=OutputDirectory("unused"), download_workers=2)


class Source:
    """Pours nothing, or an error, or for ever."""

    def __init__(self, error=None, *, endless=False):
        self.error, self.endless = error, endless

    async def start_items(self, run):
        if self.endless:
            await anyio.sleep_forever()
        if self.error is not None:
            raise self.error


async def test_a_run_without_items_ends():
    """Nothing poured, nothing to wait for."""
    run = Run(RunContext())
    async with asyncio.timeout(120):
        await run.host(Source())
    assert run.over.is_set()
    assert run.take_error() is None


async def test_an_error_of_the_source_is_told_once():
    """What the source raises is kept for whoever reads, and the run ends without a group."""
    error, run = KeyError("mine"), Run(RunContext())
    await run.host(Source(error))
    assert error is run.take_error()
    assert run.take_error() is None


@pytest.mark.parametrize("when", ["before", "during"])
async def test_a_cancelled_run_ends(when):
    """Cancelled before it began or while it runs, it ends at once."""
    run = Run(RunContext())
    if when == "before":
        run.cancel()
    hosting = asyncio.create_task(run.host(Source(endless=True)))
    await asyncio.sleep(0.01)
    run.cancel()
    async with asyncio.timeout(120):
        await hosting
    assert run.over.is_set()


async def test_a_drained_run_takes_in_nothing_more():
    """Draining stops the source and waits for what is under way: here nothing."""
    run = Run(RunContext())
    hosting = asyncio.create_task(run.host(Source(endless=True)))
    await asyncio.sleep(0.01)
    run.stop(None, drain=True)
    async with asyncio.timeout(120):
        await hosting
    assert run.draining
    assert run.stopped_by is None


async def test_input_waits_for_downloads(live, tmp_path):
    """Of an endless input no more is taken than is in flight, waits for a worker, or waits for the reader."""
    taken = []

    def counted():
        for request in foxes():
            taken.append(request)
            yield request

    async with (
        live() as (sim, client),
        client.session(tmp_path, max_concurrency=4, download_workers=3) as session,
    ):
        stream = session.stream(counted())
        await anext(stream)
        for _ in range(60):  # however far it comes in that time, it never comes further than this
            await asyncio.sleep(0.01)
            assert sim.books.accepted <= len(taken) <= 1 + 16 + 3 + 2 * 3 + 4 + 4


async def test_draining_while_nothing_is_answered(live, tmp_path):
    """A drain before the first answer leaves what was not sent unsent, and ends."""
    async with live(latency=Constant(0.2)) as (sim, client), client.session(tmp_path, max_concurrency=3) as session:
        run = asyncio.create_task(session.run(foxes()))
        await asyncio.sleep(0)
        session.drain()
        async with asyncio.timeout(120):
            report = await run
        assert sim.books.accepted == report.saved
        assert report.stopped_by is None
