"""``GenerationSession``: nothing in it waits for ever, and it grows with nothing."""

import asyncio
import gc
import time
import tracemalloc

import pytest

from toapis_async import AsyncToAPIs, ImageRequest, JournalLockedError, ToAPIsError
from toapis_async.testing import Constant, Delay, Fault
from toapis_async.values.records import ItemState

NAMED = ImageRequest("a fox", id="fox")


def foxes(count):
    return [ImageRequest(f"fox {number}") for number in range(count)]


@pytest.mark.parametrize("journal", [True, False])
@pytest.mark.parametrize(
    "wishes",
    [
        (ImageRequest("a fox", id="fox"), ImageRequest("a fox", id="fox")),
        (ImageRequest("a fox", id="fox"), ImageRequest("an owl", id="fox")),
        (ImageRequest("a fox", client_business_id="order-1"), ImageRequest("an owl", client_business_id="order-1")),
    ],
)
async def test_the_same_id_in_two_streams_at_once(live, tmp_path, journal, wishes):
    """The second one is refused at once, and nothing is sent for it."""
    async with live(latency=Constant(0.3)) as (sim, client), client.session(tmp_path, journal=journal) as session:

        async def read(wish):
            return [outcome async for outcome in session.stream([wish])]

        async with asyncio.timeout(120):
            outcomes = [one for part in await asyncio.gather(*map(read, wishes)) for one in part]
        assert sorted(outcome.ok for outcome in outcomes) == [False, True]
        assert sim.books.accepted == 1


async def test_a_stream_beside_a_job_of_the_same_id(live, tmp_path):
    """The stream's request is refused at once, the job is made."""
    async with live(latency=Constant(0.3)) as (sim, client), client.session(tmp_path) as session:
        job = await session.submit(NAMED)
        assert (await session.run([NAMED])).failed == 1
        assert (await job).ok
        assert sim.books.posts == 1


async def test_a_stream_that_names_what_another_has_taken_up(live, tmp_path):
    """What the session took up from an earlier run and is finishing is not begun a second time."""
    async with live(latency=Constant(0.8)) as (sim, client):
        async with client.session(tmp_path) as session:
            while (await session.submit(NAMED)).task_id is None:
                await asyncio.sleep(0.01)
            await session.park()
        async with client.session(tmp_path) as session:
            first = session.stream(())
            reading = asyncio.create_task(anext(first))
            while not session.statistics.in_flight:
                await asyncio.sleep(0.01)
            outcomes = [outcome async for outcome in session.stream([NAMED])]
            assert [outcome.ok for outcome in outcomes] == [False]
            assert (await reading).ok
        assert sim.books.posts == 1


async def test_a_stream_that_takes_up_what_a_job_has(live, tmp_path):
    """What a job goes on with from an earlier run is not begun a second time by the session's first stream."""
    async with live(latency=Constant(0.8)) as (sim, client):
        async with client.session(tmp_path) as session:
            while (await session.submit(NAMED)).task_id is None:
                await asyncio.sleep(0.01)
            await session.park()
        async with client.session(tmp_path) as session:
            job = await session.submit(NAMED)
            assert [outcome async for outcome in session.stream(())] == []
            assert (await job).ok
        assert (sim.books.posts, sim.books.downloads) == (1, 1)


async def test_an_idle_input_holds_no_slot(live, tmp_path):
    """A job queue and a generator that have nothing to give leave the only slot to whoever has."""

    async def idle():
        await asyncio.Event().wait()
        yield ImageRequest("never")

    async with live() as (_, client), client.session(tmp_path, max_concurrency=1) as session:
        assert (await (await session.submit(ImageRequest("one")))).ok
        waiting = [asyncio.create_task(anext(session.stream(idle()))) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert session.statistics.in_flight == 0
        async with asyncio.timeout(120):
            assert (await session.run([ImageRequest("two")])).saved == 2
            assert (await (await session.submit(ImageRequest("three")))).ok
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_slow_iterator_is_read_beside_the_loop(live, tmp_path):
    """While a plain iterator waits, the loop turns and what came before is made."""

    def slow():
        for request in foxes(4):
            time.sleep(0.2)
            yield request

    async with live() as (_, client), client.session(tmp_path) as session:
        longest, before = 0.0, time.monotonic()
        run = asyncio.create_task(session.run(slow()))
        while not run.done():
            await asyncio.sleep(0.001)
            now = time.monotonic()
            longest, before = max(longest, now - before), now
        assert (await run).saved == 4
        assert longest < 0.5, "the first request only is waited for in the loop"


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_generators_are_closed_with_the_session(live, tmp_path, kind):
    """The ``finally`` of an input that was left has run when the session is closed."""
    ended = []

    def plain():
        try:
            for number in range(1000):
                yield ImageRequest(f"fox {number}")
        finally:
            ended.append("plain")

    async def slow():
        try:
            for request in plain():
                yield request
        finally:
            await asyncio.sleep(0)
            ended.append("async")

    async with live(latency=Constant(30)) as (_, client):
        async with client.session(tmp_path, max_concurrency=2) as session:
            stream = session.stream(plain() if kind == "plain" else slow())
            reading = asyncio.create_task(anext(stream))
            await asyncio.sleep(0.1)
        await asyncio.gather(reading, return_exceptions=True)
        assert ended[-1] == kind


async def test_it_can_be_closed_from_another_task(live, tmp_path):
    """Whoever closes it, once or twice or at once, it is closed, and its directory is free."""
    async with live() as (_, client):
        session = client.session(tmp_path)
        await asyncio.create_task(session.__aenter__())
        job = await session.submit(NAMED)
        stream = session.stream(foxes(2))
        await asyncio.create_task(anext(stream))
        await asyncio.gather(*(asyncio.create_task(session.aclose()) for _ in range(2)))
        assert (await job).ok
        await asyncio.create_task(session.__aexit__(None, None, None))
        await session.park()
        async with client.session(tmp_path) as session:
            assert (await session.run([NAMED])).skipped == 1


async def test_closing_while_calls_wait_for_a_slot(live, tmp_path):
    """Jobs that have a slot are finished, calls that wait for one are told, paused or not."""
    async with live(latency=Constant(0.2)) as (sim, client):
        for number, paused in enumerate((False, True)):
            async with client.session(tmp_path, max_concurrency=1) as session:
                job = await session.submit(ImageRequest(f"fox {number}"))
                waiting = asyncio.create_task(session.submit(ImageRequest("an owl")))
                await asyncio.sleep(0.05)
                if paused:
                    session.pause()
            assert (await job).ok
            with pytest.raises(ToAPIsError, match="ended before"):
                await waiting
        assert sim.books.accepted == 2


async def test_a_cancelled_closing_waits_no_longer(live, tmp_path):
    """A time limit around the closing ends it, and what is paid for is in the journal."""
    async with live(latency=Constant(60)) as (sim, client):
        session = client.session(tmp_path)
        await session.__aenter__()
        job = await session.submit(NAMED)
        while job.task_id is None:
            await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.aclose()
        assert job.done
        async with client.session(tmp_path) as again:
            assert [job.task_id] == [record.task_id async for record in again.records("paid")]
        assert sim.books.accepted == 1


async def test_a_session_grows_with_nothing(live, tmp_path):
    """A run, a stream or a job that has ended leaves nothing behind."""
    async with live() as (_, client), client.session(tmp_path) as session:

        async def some(count):
            for _ in range(count):
                await session.run([NAMED])
                await (await session.submit(NAMED))
                async for _ in session.stream([NAMED]):
                    pass
            gc.collect()

        await some(30)
        tracemalloc.start()
        try:
            await some(5)
            before = tracemalloc.get_traced_memory()[0]
            await some(60)
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert grown < 60 * 1000, f"{grown / 60:.0f} bytes for each round"


async def test_a_stream_that_was_left_gives_its_budget_back(live, tmp_path):
    """What was planned and never sent counts towards no cap, and a call that was cut short neither."""
    async with (
        live(faults=[Fault(where="submit", what=Delay(seconds=1.0), nth=1)]) as (sim, client),
        client.session(tmp_path, max_concurrency=20, max_cost_usd="100") as session,
    ):
        stream = session.stream(foxes(20))
        reading = asyncio.create_task(anext(stream))
        while not sim.books.posts:
            await asyncio.sleep(0.01)
        await stream.aclose()
        await asyncio.gather(reading, return_exceptions=True)
        left = session.report.projected_usd
        in_hand = [record async for record in session.records() if record.state is not ItemState.OPEN]
        each = session._resources.context.budget.estimate(NAMED)
        assert len(in_hand) < 20
        assert left == each * len(in_hand)


def test_a_session_whose_loop_has_gone_gives_way(tmp_path):
    """A directory that was left open in an event loop that ended is free for the next one in the same process."""
    left = []

    async def leave():
        client = AsyncToAPIs(api_key="sk-test", base_url="http://127.0.0.1:1/v1")
        left.append(client.session(tmp_path))
        await left[0].__aenter__()

    async def open_again():
        async with (
            AsyncToAPIs(api_key="sk-test", base_url="http://127.0.0.1:1/v1") as client,
            client.session(tmp_path) as session,
        ):
            with pytest.raises(JournalLockedError):
                await client.session(tmp_path).__aenter__()
            return [record async for record in session.records()]

    asyncio.run(leave())
    assert asyncio.run(open_again()) == []
    left[0]._resources.journal._writer._thread.shutdown()
