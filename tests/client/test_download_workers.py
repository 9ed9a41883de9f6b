"""Who may fetch."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from toapis_async.client.download_workers import DownloadWorkers


class Crowd:
    """Transfers that hold their worker until they are told to end."""

    def __init__(self, workers):
        self.workers, self.at_work, self.ends, self.tasks = workers, [], {}, []

    async def start(self, *names):
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tasks.append(asyncio.ensure_future(self._work(name)))
        await self.settle()

    async def _work(self, name):
        async with self.workers.at(name[0]) as worker:
            self.at_work.append(name)
            self.ends[name].worker = worker
            await self.ends[name].wait()
        self.at_work.remove(name)

    async def settle(self):
        for _ in range(10):
            await asyncio.sleep(0)

    async def end(self, *names):
        for name in names:
            self.ends[name].set()
        await self.settle()

    async def lend(self, *names):
        for name in names:
            self.ends[name].worker.lend()
            await self.settle()


@pytest.fixture
async def crowd():
    """Make a crowd on so many workers."""
    async with AsyncExitStack() as stack:

        def make(count):
            crowd = Crowd(DownloadWorkers(count))

            async def over():
                for task in crowd.tasks:
                    task.cancel()
                await asyncio.gather(*crowd.tasks, return_exceptions=True)

            stack.push_async_callback(over)
            return crowd

        yield make


async def test_no_more_than_there_are_workers(crowd):
    """The others wait, and go on in their order."""
    one = crowd(2)
    await one.start("a1", "a2", "a3", "a4")
    assert one.at_work == ["a1", "a2"]

    await one.end("a1")
    assert one.at_work == ["a2", "a3"]


async def test_the_host_with_the_fewest_goes_first(crowd):
    """A hundred files of one host do not stand before the first of another."""
    one = crowd(2)
    await one.start("a1", "a2", "a3", "a4", "b1", "c1")
    await one.end("a1")
    assert one.at_work == ["a2", "b1"]
    await one.end("b1")
    assert one.at_work == ["a2", "c1"]


async def test_a_slow_transfer_makes_room(crowd):
    """It goes on without a worker, and ends without giving back what it has not."""
    one = crowd(2)
    await one.start("a1", "b1", "c1", "c2", "c3")
    await one.lend("a1", "b1", "a1")
    assert one.at_work == ["a1", "b1", "c1", "c2"]

    await one.end("a1", "b1")
    assert one.at_work == ["c1", "c2"]


async def test_one_host_has_at_most_twice_as_many(crowd):
    """However slow all of its transfers are, others find a worker free."""
    one = crowd(2)
    await one.start("a1", "a2", "a3", "a4", "a5", "a6")
    await one.lend("a1", "a2", "a3", "a4")
    assert one.at_work == ["a1", "a2", "a3", "a4"]

    await one.start("b1")
    assert one.at_work[-1] == "b1"


async def test_there_is_an_end_to_slow_transfers(crowd):
    """Sockets are not without number: later ones keep their worker until there is room."""
    one = crowd(1)
    names = [f"{chr(0x100 + number)}1" for number in range(70)]
    await one.start(*names)
    for name in names[:66]:
        if name in one.at_work:
            await one.lend(name)

    assert len(one.at_work) == 65
    await one.end(names[64])
    assert len(one.at_work) == 65


async def test_who_is_cancelled_while_waiting_leaves_no_hole(crowd):
    """Before its turn and in the moment of its turn."""
    one = crowd(1)
    await one.start("a1", "b1", "c1", "d1")
    one.tasks[1].cancel()
    one.ends["a1"].set()
    await asyncio.sleep(0)
    one.tasks[2].cancel()
    await one.settle()

    assert one.at_work == ["d1"]
    await one.end("d1")
    await one.start("e1")
    assert one.at_work == ["e1"]
