"""``GenerationSession`` as an object that lives for months: looked into, limited, paused, parked."""

import asyncio
import threading
import time
from contextlib import AsyncExitStack
from decimal import Decimal

import pytest

from toapis_async import ConfigurationError, ImageRequest, InvalidRequestError, ToAPIsError
from toapis_async.storage.thread_pool import FILES, JOURNALS
from toapis_async.testing import Constant, Fail, Fault
from toapis_async.values.records import ItemState

NAMED = ImageRequest("a fox", id="fox")


def disk_threads():
    return sum(thread.name.startswith("toapis") for thread in threading.enumerate())


async def test_records_and_find(live, tmp_path):
    """A reopened directory tells what it holds, and what is paid and not saved."""
    async with live(latency=Constant(0.5)) as (_, client):
        async with client.session(tmp_path) as session:
            await (await session.submit(ImageRequest("an owl", id="owl")))
            job = await session.submit(NAMED)
            while job.task_id is None:
                await asyncio.sleep(0.01)
            await session.park()
        async with client.session(tmp_path) as session:
            assert [record.key async for record in session.records("paid")] == ["fox"]
            assert [record.key async for record in session.records("saved")] == ["owl"]
            assert {"fox", "owl"} == {record.key async for record in session.records()}
            assert ItemState.SAVED is (await session.find("owl")).state
            assert await session.find("nobody") is None
            with pytest.raises(InvalidRequestError, match="'paid'"):
                [record async for record in session.records("lost")]


async def test_sessions_share_threads(live, tmp_path):
    """Forty open sessions at work have no more threads than the pools allow, and leave none behind."""
    for pool in (JOURNALS, FILES):
        pool._forget()  # what other tests have left open keeps the threads that it has
    before, pools = disk_threads(), 8 + 16
    async with live() as (_, client), AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(client.session(tmp_path / str(n))) for n in range(40)]
        jobs = [await session.submit(NAMED) for session in sessions]
        assert all([(await job).ok for job in jobs])
        assert disk_threads() <= before + pools
    assert disk_threads() <= before


async def test_retry(live, tmp_path):
    """A task that failed is made again when that is asked for, and one that is saved has its outcome."""
    fails = [Fault(where="task", what=Fail(), nth=1)]
    async with live(faults=fails) as (sim, client), client.session(tmp_path) as session:
        for _ in range(2):
            assert not (await (await session.submit(NAMED))).ok
        assert sim.books.posts == 1
        for _ in range(2):
            assert (await (await session.retry("fox"))).ok
        assert sim.books.posts == 2
        with pytest.raises(InvalidRequestError, match="no item"):
            await session.retry("nobody")


async def test_limits_change_at_once(live, tmp_path):
    """A new bound holds for what comes; a wrong one changes nothing."""
    async with live(latency=Constant(0.3)) as (_, client), client.session(tmp_path, max_concurrency=2) as session:
        run = asyncio.create_task(session.run([ImageRequest(f"fox {number}") for number in range(12)]))
        await asyncio.sleep(0.1)
        assert (session.statistics.in_flight, session.statistics.limit) == (2, 2)
        session.set_limits(max_concurrency=6)
        await asyncio.sleep(0.05)
        assert (session.statistics.in_flight, session.statistics.limit) == (6, 6)
        session.set_limits(max_concurrency=1)
        assert session.statistics.limit == 1
        with pytest.raises(ConfigurationError):
            session.set_limits(max_concurrency=0)
        with pytest.raises(ConfigurationError):
            session.set_limits(max_cost_usd=-1)
        assert (await run).saved == 12


async def test_pause(live, tmp_path):
    """While paused nothing is sent and what is in flight is finished."""
    async with live(latency=Constant(0.1)) as (sim, client), client.session(tmp_path, max_concurrency=2) as session:
        run = asyncio.create_task(session.run([ImageRequest(f"fox {number}") for number in range(6)]))
        while not sim.books.posts:
            await asyncio.sleep(0.01)
        session.pause()
        while session.statistics.in_flight or session.statistics.saving:
            await asyncio.sleep(0.01)
        sent = sim.books.posts
        await asyncio.sleep(0.1)
        assert sent == sim.books.posts < 6
        session.unpause()
        assert (await run).complete


async def test_spent_by_label(live, tmp_path):
    """Money is told by whose it is."""
    async with live() as (sim, client), client.session(tmp_path) as session:
        await session.run([ImageRequest(f"fox {n}", label=label) for n, label in enumerate(["a", "a", "b", None])])
        each = sim.books.net_usd / 4
        assert [2 * each, each, each] == [session.spent(label) for label in ("a", "b", None)]
        assert Decimal(0) == session.spent("nobody")


async def test_priority_overtakes(live, tmp_path):
    """An interactive job does not wait behind a bulk run of the same session."""
    async with live(latency=Constant(0.05)) as (_, client), client.session(tmp_path, max_concurrency=1) as session:
        run = asyncio.create_task(session.run([ImageRequest(f"fox {number}") for number in range(12)]))
        bulk = [asyncio.create_task(session.submit(ImageRequest(f"owl {number}"))) for number in range(5)]
        await asyncio.sleep(0.02)
        job = await session.submit(ImageRequest("now", priority=0))
        assert (await job).ok
        assert sum(task.done() for task in bulk) <= 3
        assert (await run).saved >= 12
        await asyncio.gather(*[await task for task in bulk])


async def test_park(live, tmp_path):
    """Two hundred tasks in flight are let go at once, and the next session finishes every one."""
    async with live(latency=Constant(2.0)) as (sim, client):
        async with client.session(tmp_path) as session:
            jobs = await asyncio.gather(*(session.submit(ImageRequest(f"fox {number}")) for number in range(60)))
            while sim.books.accepted < 60 or not all(job.task_id for job in jobs):
                await asyncio.sleep(0.01)
            before = time.monotonic()
            await session.park()
            assert time.monotonic() - before < 1.9, "it waited for tasks"
            with pytest.raises(ToAPIsError, match="in the journal"):
                await jobs[0]
            with pytest.raises(ToAPIsError, match="not open"):
                await session.submit(NAMED)
        async with client.session(tmp_path) as session:
            assert (await session.run(())).saved == 60
        assert sim.books.posts == 60


async def test_two_users_wish_for_the_same(live, tmp_path):
    """After a restart an equal wish of another namespace is another item, and that of its own is the old one."""
    ann, bob = (ImageRequest("a fox", namespace=user) for user in ("ann", "bob"))
    async with live() as (sim, client):
        async with client.session(tmp_path) as session:
            first = await (await session.submit(ann))
        async with client.session(tmp_path) as session:
            ours = [await (await session.submit(request)) for request in (bob, ann, ImageRequest("a fox"))]
        assert [outcome.resumed for outcome in ours] == [False, True, False]
        assert ours[1].item.key == first.item.key
        assert 3 == sim.books.posts == len({outcome.files[0].path for outcome in ours})


async def test_an_id_of_another_namespace(live, tmp_path):
    """One id names one file: another user's is refused at no cost, while it is under way and after a restart."""
    ann, bob = (ImageRequest("a fox", id="fox", namespace=user) for user in ("ann", "bob"))
    async with live() as (sim, client):
        async with client.session(tmp_path) as session:
            job = await session.submit(ann)
            with pytest.raises(InvalidRequestError, match="another request"):
                await session.submit(bob)
            assert (await job).ok
        async with client.session(tmp_path) as session:
            with pytest.raises(InvalidRequestError, match="another request"):
                await session.submit(bob)
        assert sim.books.posts == 1
