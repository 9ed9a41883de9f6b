"""Requests one by one, each with an outcome to await."""

import asyncio

import pytest

from toapis_async import ImageRequest, Saved, ToAPIsError
from toapis_async.batch.jobs import Job, JobQueue
from toapis_async.batch.outcomes import Item
from toapis_async.testing import Constant

REQUEST = ImageRequest("a fox")
OUTCOME = Saved(item=Item(key="fox", request=REQUEST), files=())


async def test_a_job_has_one_end():
    """The first end counts, for everyone who waits, now and later."""
    job = Job(REQUEST)
    early = asyncio.ensure_future(asyncio.wait_for(job, 5))
    await asyncio.sleep(0)
    job.end(OUTCOME)
    job.give_up(KeyError("late"))
    assert job.done
    assert OUTCOME is await early is await job


async def test_a_job_nobody_awaits_is_no_complaint():
    """A job that is given up and never awaited says nothing."""
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    job = Job(REQUEST)
    job.give_up(ToAPIsError("over"))
    del job
    await asyncio.sleep(0)
    assert complaints == []


class Over:
    """A run that ends when it is told to."""

    stopped_by = None

    def __init__(self):
        self.error, self.over = None, asyncio.Event()

    def take_error(self):
        error, self.error = self.error, None
        return error

    async def host(self, feed):
        await self.over.wait()


async def test_every_job_ends_with_its_run():
    """When the run ends, open jobs end with its reason, and so do requests that come later."""
    run = Over()
    queue = JobQueue(run)
    hosting = asyncio.create_task(queue.host(None))
    taking = asyncio.create_task(queue.requests.receive())
    await asyncio.sleep(0)
    job = await queue.submit(REQUEST)
    assert REQUEST is await taking
    waiting = asyncio.create_task(queue.submit(ImageRequest("later")))
    await asyncio.sleep(0)
    run.error = ToAPIsError("the key is refused")
    run.over.set()
    await hosting
    for late in (job, waiting, queue.submit(ImageRequest("too late")), queue.submit(REQUEST)):
        with pytest.raises(ToAPIsError, match="the key is refused"):
            await late
    queue.no_more()


async def test_a_cancelled_submit_takes_its_request_back():
    """A request whose caller went away before it was taken is not made, and its outcome is nobody's."""
    queue = JobQueue(Over())
    call = asyncio.create_task(queue.submit(REQUEST))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await queue.deliver(OUTCOME)
    queue.no_more()
    assert [request async for request in queue.requests] == []
    queue.give_up()


async def test_equal_requests_are_different_jobs(live, tmp_path):
    """The same request submitted twice is made twice, and each job has one of the outcomes."""
    async with live() as (sim, client), client.session(tmp_path) as session:
        jobs = [await session.submit(REQUEST) for _ in range(3)]
        outcomes = await asyncio.gather(*jobs)
    assert 3 == sim.books.accepted == len({outcome.item.key for outcome in outcomes})


async def test_submit_waits_for_a_slot(live, tmp_path):
    """With every slot taken, submit() does not return: that is the back-pressure."""
    async with live(latency=Constant(0.4)) as (_, client), client.session(tmp_path, max_concurrency=1) as session:
        await session.submit(ImageRequest("one"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.submit(ImageRequest("two"))
        job = await session.submit(ImageRequest("three"))
        assert (await job).ok


async def test_jobs_in_a_directory_of_an_earlier_run(live, tmp_path):
    """A job for something that an earlier run saved has its files without another POST."""
    async with live() as (sim, client):
        for resumed in (False, True):
            async with client.session(tmp_path) as session:
                outcome = await (await session.submit(REQUEST))
                assert resumed is outcome.resumed
        assert sim.books.posts == 1


async def test_jobs_beside_a_resumed_stream(live, tmp_path):
    """A job for something that a stream of the same session took up from an earlier run ends as well."""
    async with live(latency=Constant(1.0)) as (sim, client):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), client.session(tmp_path) as session:
                await session.run([REQUEST])
        async with client.session(tmp_path) as session:
            stream = session.stream(())
            reading = asyncio.create_task(anext(stream))
            await asyncio.sleep(0.05)
            job = await session.submit(REQUEST)
            async with asyncio.timeout(10):
                assert (await reading).ok
                await job
        assert sim.books.posts == 1
