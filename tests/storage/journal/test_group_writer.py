"""Writing together what comes close together."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from toapis_async.storage.journal.group_writer import GroupWriter


class Disk:
    """Remembers its batches; fails when told to, and waits for a gate."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False
        self.ended = False

    def write(self, entries: list[int]) -> None:
        assert self.gate.wait(10)
        if self.broken:
            raise OSError("full")
        self.batches.append(entries)

    def end(self) -> None:
        self.ended = True

    @property
    def written(self) -> list[int]:
        return [entry for batch in self.batches for entry in batch]


@asynccontextmanager
async def opened(disk: Disk, **settings: object) -> AsyncIterator[GroupWriter[int]]:
    writer = GroupWriter(disk.write, **settings)  # type: ignore[arg-type]
    try:
        yield writer
    finally:
        disk.gate.set()
        await writer.close(disk.end)


async def test_those_who_wait_together_are_written_together() -> None:
    """All that is handed over in one turn of the loop is one batch, noted entries included, in order."""
    disk = Disk()
    async with opened(disk) as writer:
        writer.add(0)
        await asyncio.gather(*(writer.write(number) for number in range(1, 100)))
    assert disk.batches == [list(range(100))]
    assert disk.ended


async def test_entries_gather_while_a_batch_is_written() -> None:
    """What comes during a slow write is one batch after it."""
    disk = Disk()
    disk.gate.clear()
    async with opened(disk) as writer:
        first = asyncio.ensure_future(writer.write(0))
        await asyncio.sleep(0.01)
        others = [asyncio.ensure_future(writer.write(number)) for number in range(1, 50)]
        await asyncio.sleep(0)
        disk.gate.set()
        await asyncio.gather(first, *others)
    assert disk.batches == [[0], list(range(1, 50))]


async def test_nobody_needs_to_wait() -> None:
    """Entries that nobody waits for are written by themselves, before long."""
    disk = Disk()
    async with opened(disk, patience_seconds=0.001) as writer:
        writer.add(1)
        writer.add(2)
        async with asyncio.timeout(120):
            while not disk.batches:
                await asyncio.sleep(0.001)
        writer.add(3)
        async with asyncio.timeout(120):
            while len(disk.batches) < 2:
                await asyncio.sleep(0.001)
    assert disk.batches == [[1, 2], [3]]


async def test_full_batches_do_not_wait() -> None:
    """A batch that has reached its limit is written although nobody waits for it and its time has not come."""
    disk = Disk()
    async with opened(disk, patience_seconds=60, limit=10) as writer:
        for number in range(25):
            writer.add(number)
        async with asyncio.timeout(120):
            while not disk.batches:
                await asyncio.sleep(0.001)
        assert disk.batches[0] == list(range(10))
    assert disk.written == list(range(25))


async def test_work_comes_after_what_was_added() -> None:
    """Work in the thread sees every entry that was added before it, also during a slow write."""
    disk = Disk()
    disk.gate.clear()
    async with opened(disk) as writer:
        writing = asyncio.ensure_future(writer.write(0))
        await asyncio.sleep(0.01)
        writer.add(1)
        seeing = asyncio.ensure_future(writer.call(lambda: list(disk.written)))
        await asyncio.sleep(0)
        disk.gate.set()
        assert await seeing == [0, 1]
        await writing


async def test_a_failure_is_everybodys() -> None:
    """When a write fails, its waiters, those who came meanwhile and all later calls hear of it, each on their own."""
    disk = Disk()
    disk.broken = True
    disk.gate.clear()
    async with opened(disk) as writer:
        early = asyncio.ensure_future(writer.write(0))
        await asyncio.sleep(0.01)
        late = asyncio.ensure_future(writer.write(1))
        await asyncio.sleep(0)
        disk.gate.set()
        errors = await asyncio.gather(early, late, return_exceptions=True)
        assert [str(error) for error in errors] == ["full", "full"]
        assert errors[0] is not errors[1]
        with pytest.raises(OSError, match="full"):
            writer.add(2)
        with pytest.raises(OSError, match="full"):
            await writer.write(3)
        with pytest.raises(OSError, match="full"):
            await writer.call(disk.end)
        assert not disk.ended
    assert disk.ended
    assert disk.batches == []


async def test_work_that_fails_is_its_callers_matter() -> None:
    """An error of work in the thread goes to its caller, and the writing goes on."""
    disk = Disk()
    async with opened(disk) as writer:
        with pytest.raises(ZeroDivisionError):
            await writer.call(lambda: 1 // 0)
        await writer.write(1)
    assert disk.written == [1]


async def test_cancelled_waiters_leave_their_entries() -> None:
    """Cancelling a waiter keeps its entry and does not disturb the others."""
    disk = Disk()
    disk.gate.clear()
    async with opened(disk) as writer:
        tasks = [asyncio.ensure_future(writer.write(number)) for number in range(3)]
        await asyncio.sleep(0.01)
        tasks[1].cancel()
        await asyncio.sleep(0)
        disk.gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]
    assert disk.written == [0, 1, 2]


async def test_closing_finishes_even_when_cancelled() -> None:
    """A cancellation during closing is obeyed after the last work, not instead of it."""
    disk = Disk()
    disk.gate.clear()
    writer = GroupWriter(disk.write)
    writer.add(1)
    closing = asyncio.ensure_future(writer.close(disk.end))
    await asyncio.sleep(0.01)
    closing.cancel()
    await asyncio.sleep(0.01)
    assert not closing.done()
    disk.gate.set()
    await asyncio.wait([closing])
    assert closing.cancelled()
    assert (disk.written, disk.ended) == ([1], True)


async def test_the_last_work_may_fail() -> None:
    """An error of the last work is told once the thread has ended."""
    writer = GroupWriter(Disk().write)
    with pytest.raises(ZeroDivisionError):
        await writer.close(lambda: 1 // 0)


async def test_windows_grow_while_batches_are_small() -> None:
    """Few entries are gathered for longer, many for the shortest time."""
    disk = Disk()
    async with opened(disk, window_seconds=(0.001, 0.004)) as writer:
        for number in range(4):
            await writer.write(number)
        assert writer._window == 0.004
        for _ in range(4):
            await asyncio.gather(*(writer.write(number) for number in range(120)))
        assert writer._window == 0.001


async def test_unhurried_entries_wait_for_each_other() -> None:
    """What has time is written together, after what was added in the meantime."""
    disk = Disk()
    async with opened(disk, leisure_seconds=0.05, patience_seconds=0.001) as writer:
        writer.add_unhurried(1)
        await writer.write(2)
        writer.add_unhurried(3)
        assert disk.written == [2]
        await asyncio.sleep(0.1)
        assert disk.batches == [[2], [1, 3]]


async def test_nothing_overtakes_what_it_is_about() -> None:
    """An entry about the same as an unhurried one is written after it."""
    disk = Disk()
    async with opened(disk, leisure_seconds=60.0, about=lambda entry: str(entry % 10)) as writer:
        writer.add_unhurried(11)
        await writer.write(2)
        await writer.write(21)
        assert disk.written == [2, 11, 21]


async def test_many_unhurried_entries_are_written() -> None:
    """They do not gather beyond the limit."""
    disk = Disk()
    async with opened(disk, leisure_seconds=60.0, limit=10) as writer:
        for number in range(11):
            writer.add_unhurried(number)
        await asyncio.sleep(0.05)
        assert disk.written == list(range(10))


async def test_calls_and_closing_see_unhurried_entries() -> None:
    """Whoever asks, or closes, finds everything written that was added before."""
    disk = Disk()
    writer = GroupWriter(disk.write, leisure_seconds=60.0)
    writer.add_unhurried(1)
    assert await writer.call(lambda: list(disk.written)) == [1]
    writer.add_unhurried(2)
    await writer.close(disk.end)
    assert disk.written == [1, 2]


async def test_unhurried_entries_after_a_failure() -> None:
    """After a failure nothing is taken any more, unhurried or not."""
    disk = Disk()
    disk.broken = True
    async with opened(disk, leisure_seconds=60.0) as writer:
        writer.add_unhurried(1)
        with pytest.raises(OSError, match="full"):
            await writer.write(2)
        with pytest.raises(OSError, match="full"):
            writer.add_unhurried(3)
    assert disk.written == []
