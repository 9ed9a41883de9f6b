"""Requests one by one: joined, tried again, cancelled, in the context of whoever asks."""

import asyncio
import socket
from contextlib import suppress
from contextvars import ContextVar

import pytest

from toapis_async import (
    APIConnectionError,
    AuthenticationError,
    BudgetExceededError,
    ImageRequest,
    InsufficientQuotaError,
    InvalidRequestError,
    ItemSaved,
    ToAPIsError,
    Unfinished,
)
from toapis_async.testing import Constant, Fault, Reply

REQUEST = ImageRequest("a fox")
NAMED = ImageRequest("a fox", id="fox")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


FOR_GOOD = pytest.mark.parametrize("journal", [True, False])


@FOR_GOOD
@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationError), (402, InsufficientQuotaError)])
async def test_a_refusal_is_of_one_call(live, tmp_path, journal, status, error):
    """After a key was refused, or an account was empty, the next call tries again, under the same id too."""
    refused = [Fault(where="submit", what=Reply(http_status=status, body="{}", content_type="application/json"), nth=1)]
    async with live(faults=refused) as (sim, client), client.session(tmp_path, journal=journal) as session:
        outcome = await (await session.submit(NAMED))
        assert isinstance(outcome.error, error)
        assert isinstance(session.report.stopped_by, error)
        async with asyncio.timeout(120):
            again = await (await session.submit(NAMED))
        assert again.ok
        assert sim.books.accepted == 1
        assert session.report.stopped_by is None


async def test_a_gateway_that_was_down_is_tried_again(live, tmp_path):
    """A first job that nobody answers says so; a session is not spoiled by it."""
    nowhere = {"base_url": f"http://127.0.0.1:{free_port()}/v1"}
    async with live(client=nowhere) as (_, client), client.session(tmp_path) as session:
        for _ in range(2):
            outcome = await (await session.submit(NAMED))
            assert isinstance(outcome.error, APIConnectionError)


@FOR_GOOD
async def test_the_same_id_joins(live, tmp_path, journal):
    """While an item is under way the same id waits for it: one POST, one file, two outcomes."""
    async with live(latency=Constant(0.3)) as (sim, client), client.session(tmp_path, journal=journal) as session:
        first, second = await asyncio.gather(session.submit(NAMED), session.submit(NAMED))
        third = await session.submit(NAMED)
        outcomes = await asyncio.gather(first, second, third)
        assert {outcome.files for outcome in outcomes} == {outcomes[0].files}
        assert sim.books.posts == 1


async def test_the_same_id_later_has_its_outcome(live, tmp_path):
    """An item that has ended is not made again: its files are there."""
    async with live() as (sim, client), client.session(tmp_path) as session:
        first = await (await session.submit(NAMED))
        second = await (await session.submit(NAMED))
        assert (first.files[0].path, True) == (second.files[0].path, second.resumed)
        assert sim.books.posts == 1


async def test_an_id_of_a_stream_is_known_to_jobs(live, tmp_path):
    """What a stream of the session is making, or has made, is joined or returned, whoever was first in the session."""
    async with live(latency=Constant(0.3)) as (sim, client), client.session(tmp_path) as session:
        await (await session.submit(REQUEST))
        run = asyncio.create_task(session.run([NAMED]))
        while sim.books.posts < 2:
            await asyncio.sleep(0.01)
        joined = await (await session.submit(NAMED))
        await run
        later = await (await session.submit(NAMED))
        assert joined.files[0].path == later.files[0].path
        assert sim.books.posts == 2


async def test_without_a_journal_an_id_is_used_once(live, tmp_path):
    """What became of it is not known any more, so it is refused and not paid for twice."""
    async with live() as (sim, client), client.session(tmp_path, journal=False) as session:
        await (await session.submit(NAMED))
        with pytest.raises(InvalidRequestError, match="without a journal"):
            await session.submit(NAMED)
        assert sim.books.posts == 1


async def test_an_id_stands_for_one_request(live, tmp_path):
    """Another request under the id of one that is under way is refused before anything is sent."""
    async with live(latency=Constant(0.3)) as (sim, client), client.session(tmp_path) as session:
        job = await session.submit(NAMED)
        with pytest.raises(InvalidRequestError, match="another request"):
            await session.submit(ImageRequest("an owl", id="fox"))
        assert (await job).ok
        assert sim.books.posts == 1


async def test_a_wrong_request_raises_at_submit(live, tmp_path):
    """It raises what ``client.check`` raises, and the session goes on."""
    async with live() as (sim, client), client.session(tmp_path) as session:
        for wrong in (ImageRequest(""), "no request", ImageRequest("a fox", size="17:3"), ImageRequest("a", label=7)):
            with pytest.raises(InvalidRequestError) as early:
                client.check(wrong)
            with pytest.raises(InvalidRequestError) as caught:
                await session.submit(wrong)
            assert early.value.violations == caught.value.violations
        client.check(REQUEST)
        assert (await (await session.submit(REQUEST))).ok
        assert sim.books.posts == 1


async def test_a_cancelled_submit_takes_its_request_back(live, tmp_path):
    """A request whose caller went away before there was a slot is not made; whoever joined it is not left waiting."""
    async with live(latency=Constant(0.3)) as (sim, client), client.session(tmp_path, max_concurrency=1) as session:
        await session.submit(REQUEST)
        gone, joined = (asyncio.create_task(session.submit(NAMED)) for _ in range(2))
        other = asyncio.create_task(session.submit(ImageRequest("an owl")))
        await asyncio.sleep(0.05)
        gone.cancel()
        other.cancel()
        assert (await (await joined)).ok
        assert sim.books.posts == 2


async def test_a_job_can_be_cancelled(live, tmp_path):
    """What is paid for stays in the journal, the slot is free, and the same id goes on with it."""
    async with live(latency=Constant(0.5)) as (sim, client), client.session(tmp_path, max_concurrency=1) as session:
        job = await session.submit(NAMED)
        while job.task_id is None:
            await asyncio.sleep(0.01)
        assert job.state == "in_flight"
        assert (await session.find("fox")).task_id == job.task_id
        assert job.cancel()
        outcome = await job
        assert isinstance(outcome, Unfinished)
        assert ("unfinished", job.task_id) == (job.state, outcome.task.id)
        assert session.statistics.in_flight == 0
        assert (await (await session.submit(NAMED))).ok
        assert sim.books.posts == 1


async def test_a_job_over_the_cap_raises_and_a_raised_cap_lets_it_pass(live, tmp_path):
    """The cap stops no session for good: a call that does not fit raises, and fits once there is room."""
    async with live() as (sim, client), client.session(tmp_path, max_cost_usd="0.001") as session:
        with pytest.raises(BudgetExceededError):
            await session.submit(NAMED)
        session.set_limits(max_cost_usd="5")
        assert (await (await session.submit(NAMED))).ok
        assert sim.books.posts == 1


async def test_events_come_in_the_context_of_whoever_submitted(live, tmp_path):
    """Each job's events see its own submitter's context variables, to the last one."""
    user, heard = ContextVar("user"), []

    def hear(event):
        heard.append((event.key, type(event), user.get(None), event.context))

    async def submit(name):
        user.set(name)
        return await (await session.submit(ImageRequest("a fox", id=name, context={"row": name})))

    async with live() as (_, client), client.session(tmp_path, on_event=hear) as session:
        outcomes = await asyncio.gather(*(asyncio.create_task(submit(name)) for name in ("ann", "bob", "cy")))
        assert {(key, key, key) for key, *_ in heard} == {(key, name, row["row"]) for key, _, name, row in heard}
        assert {"ann", "bob", "cy"} == {key for key, kind, *_ in heard if kind is ItemSaved}
        assert [{"row": name} for name in ("ann", "bob", "cy")] == [o.item.request.context for o in outcomes]


async def test_jobs_end_with_what_stopped_everything(live, tmp_path):
    """A refused key ends every open job with that reason, and calls that wait for a slot raise it."""
    wrong = {"client": {"api_key": "sk-wrong"}}
    async with live(**wrong) as (_, client), client.session(tmp_path, max_concurrency=2) as session:
        jobs = await asyncio.gather(
            *(session.submit(ImageRequest(f"fox {number}")) for number in range(8)), return_exceptions=True
        )
        for job in jobs:
            if isinstance(job, ToAPIsError):
                assert isinstance(job, AuthenticationError)
                continue
            try:
                assert isinstance((await job).error, AuthenticationError)
            except AuthenticationError:
                continue


async def test_jobs_are_ended_by_closing(live, tmp_path):
    """Leaving by an exception ends open jobs and waiting calls with what to do next."""
    async with live(latency=Constant(30)) as (_, client):
        with suppress(KeyError):
            async with client.session(tmp_path, max_concurrency=1) as session:
                job = await session.submit(REQUEST)
                waiting = asyncio.create_task(session.submit(ImageRequest("an owl")))
                await asyncio.sleep(0.05)
                raise KeyError("mine")
        for left in (job, waiting):
            with pytest.raises(ToAPIsError, match=r"left before|ended before"):
                await left


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
        async with client.session(tmp_path) as session:
            running = asyncio.create_task(session.run([REQUEST]))
            while not sim.books.accepted:
                await asyncio.sleep(0.01)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        async with client.session(tmp_path) as session:
            stream = session.stream(())
            looks = sim.books.polls
            reading = asyncio.create_task(anext(stream))
            while sim.books.polls == looks:
                await asyncio.sleep(0.01)
            job = await session.submit(REQUEST)
            async with asyncio.timeout(120):
                assert (await reading).ok
                await job
        assert sim.books.posts == 1
