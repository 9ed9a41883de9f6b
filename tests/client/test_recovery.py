"""What is paid for is handed over, whatever cuts a single call short: closing, cancellation, a time limit."""

import asyncio

import pytest

from toapis_async import (
    APIConnectionError,
    ImageRequest,
    RateLimits,
    TaskTimeoutError,
)
from toapis_async.testing import Constant, Delay, Fault, Refuse

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
SLOW_POST = Fault(where="submit", what=Delay(seconds=0.4))


async def until(condition):
    while not condition():
        await asyncio.sleep(0.01)


async def ends(calls):
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_closing_hands_over_every_task_that_is_waited_for(live):
    """Twenty calls wait for paid tasks when the client is closed: each task is handed over, and each call says so."""
    heard = []
    async with live(latency=Constant(60), client={"on_abandoned": heard.append}) as (sim, client):
        calls = [asyncio.create_task(client.images.generate(prompt=f"fox {n}")) for n in range(20)]
        await until(lambda: sim.books.polls >= 20)
        await client.aclose()
        handed_over = {left.task.id for left in heard}
        errors = await ends(calls)
    assert {TaskTimeoutError} == {type(error) for error in errors}
    assert len(handed_over) == 20
    assert handed_over == {error.task.id for error in errors}
    assert all(left.request.prompt and left.client_business_id for left in heard)


async def test_closing_during_the_post_hands_its_task_over_too(live):
    """A POST that is answered while the client closes leads to a task that nobody can wait for any more."""
    heard = []
    async with live(latency=Constant(60), faults=[SLOW_POST], client={"on_abandoned": heard.append}) as (sim, client):
        call = asyncio.create_task(client.images.generate(prompt="a fox"))
        await until(lambda: sim.books.posts)
        await client.aclose()
        (left,) = heard
        (error,) = await ends([call])
    assert (TaskTimeoutError, left.task.id) == (type(error), error.task.id)


async def test_closing_ends_a_wait_for_a_given_task(live):
    """``wait()`` and ``download()`` are waits like any other."""
    heard = []
    async with live(latency=Constant(60), client={"on_abandoned": heard.append}) as (sim, client):
        task = await client.images.submit(ImageRequest("a fox"))
        calls = [asyncio.create_task(client.images.wait(task)), asyncio.create_task(client.images.wait(task.id))]
        calls.append(asyncio.create_task(client.images.download(task, "unused")))
        await until(lambda: sim.books.polls >= 4)
        await client.aclose()
        errors = await ends(calls)
    assert [(TaskTimeoutError, task.id)] * 3 == [(type(error), error.task.id) for error in errors]
    assert [(None, task.id)] * 3 == [(left.request, left.task.id) for left in heard]


async def test_closing_twice_is_harmless(live):
    """The second close finds nothing more to hand over."""
    heard = []
    async with live(latency=Constant(60), client={"on_abandoned": heard.append}) as (sim, client):
        call = asyncio.create_task(client.images.generate(prompt="a fox"))
        await until(lambda: sim.books.polls)
        await asyncio.gather(client.aclose(), client.aclose())
        await ends([call])
    assert len(heard) == 1


@pytest.mark.parametrize("by", ["task", "id", "id in its first look"])
async def test_a_cancelled_wait_hands_its_task_over(live, by):
    """Whoever waited for a task by itself and goes away leaves it to the hook."""
    heard = []
    slow_look = Fault(where="query", what=Delay(seconds=5), first=1 if by == "id in its first look" else 0)
    async with live(latency=Constant(60), faults=[slow_look], client={"on_abandoned": heard.append}) as (sim, client):
        task = await client.images.submit(ImageRequest("a fox"))
        call = asyncio.create_task(client.images.wait(task if by == "task" else task.id))
        await until(lambda: sim.books.polls or by == "id in its first look")
        await asyncio.sleep(0.05)
        call.cancel()
        assert isinstance((await ends([call]))[0], asyncio.CancelledError)
    assert [task.id] == [left.task.id for left in heard]


async def test_a_time_limit_bounds_the_post(live):
    """A POST outlasts the limit: the error names its reference, and its task is handed over when it is known."""
    heard = []
    async with live(faults=[SLOW_POST], client={"on_abandoned": heard.append}) as (sim, client):
        with pytest.raises(TaskTimeoutError) as caught:
            await client.images.generate(prompt="a fox", timeout_seconds=1.0)
        assert (caught.value.task, sim.books.posts, len(heard)) == (None, 1, 0)
        assert "do not submit it again" in caught.value.hint.lower()
        await until(lambda: heard)
        assert heard[0].task.id
        assert caught.value.client_business_id == heard[0].client_business_id
        assert sim.books.accepted == 1


async def test_a_time_limit_bounds_the_wait_and_keeps_the_task(live):
    """A task that is late comes out in the error, to be waited for again; it is not abandoned."""
    async with live(latency=Constant(0.6)) as (sim, client):
        with pytest.raises(TaskTimeoutError) as caught:
            await client.images.generate(prompt="a fox", timeout_seconds=2.0)
        assert client.abandoned == ()
        assert (await client.images.wait(caught.value.task)).completed
        assert sim.books.posts == 1


async def test_a_time_limit_bounds_a_look_that_hangs(live):
    """A look without an answer does not outlast the limit either."""
    hangs = Fault(where="query", what=Delay(seconds=30))
    async with live(latency=Constant(60), faults=[hangs]) as (_, client):
        async with asyncio.timeout(120):
            with pytest.raises(TaskTimeoutError) as caught:
                await client.images.generate(prompt="a fox", timeout_seconds=5.0)
        assert caught.value.task.id
        assert client.abandoned == ()


@pytest.mark.parametrize("held", ["upload", "line", "refusals"])
async def test_a_time_limit_before_anything_is_taken_costs_nothing(live, held):
    """In the upload, in the line and between refusals there is no task: the error says that it costs nothing."""
    faults = {
        "upload": [Fault(where="upload", what=Delay(seconds=30))],
        "refusals": [Fault(where="submit", what=Refuse(reply="rate_limited", retry_after=100))],
    }.get(held, [])
    one_an_hour = RateLimits(submit_per_second=1 / 3600, submit_burst=1, query_per_second=50, query_burst=50)
    client = {"rate_limits": one_an_hour} if held == "line" else {}
    async with live(faults=faults, client=client) as (sim, client):
        if held == "line":
            await client.images.submit(ImageRequest("first"))
        references = [PNG] if held == "upload" else []
        async with asyncio.timeout(120):
            with pytest.raises(TaskTimeoutError) as caught:
                await client.images.generate(prompt="a fox", reference_images=references, timeout_seconds=3.0)
        assert (caught.value.task, caught.value.client_business_id, client.abandoned) == (None, None, ())
        assert "costs nothing" in caught.value.hint
        assert (held == "line") == sim.books.accepted


async def test_whoever_goes_away_in_line_leaves_it_at_once(live):
    """Callers cancelled before their turn are out of the line: closing does not wait for them."""
    one_an_hour = RateLimits(submit_per_second=1 / 3600, submit_burst=1, query_per_second=50, query_burst=50)
    async with live(client={"rate_limits": one_an_hour}) as (sim, client):
        await client.images.submit(ImageRequest("first"))
        calls = [asyncio.create_task(client.images.generate(prompt=f"fox {n}")) for n in range(20)]
        await asyncio.sleep(0.05)
        for call in calls:
            call.cancel()
        await ends(calls)
        async with asyncio.timeout(120):
            await client.aclose()
        assert (sim.books.posts, client.abandoned) == (1, ())


async def test_closing_lets_go_of_what_was_never_sent_as_an_error(live):
    """A call that stands in line when the client's patience for closing ends gets an error, not a cancellation."""
    one_an_hour = RateLimits(submit_per_second=1 / 3600, submit_burst=1, query_per_second=50, query_burst=50)
    async with live(client={"rate_limits": one_an_hour, "timeout": 0.3}) as (_, client):
        await client.images.submit(ImageRequest("first"))
        call = asyncio.create_task(client.images.generate(prompt="a fox"))
        await asyncio.sleep(0.05)
        await client.aclose()
        (error,) = await ends([call])
    assert isinstance(error, APIConnectionError)
    assert client.abandoned == ()


async def test_a_cancellation_at_the_limit_stays_one(live):
    """Cancelled by its own side, a call with a time limit ends as cancelled and hands its task over."""
    async with live(latency=Constant(60)) as (sim, client):
        call = asyncio.create_task(client.images.generate(prompt="a fox", timeout_seconds=600))
        await until(lambda: sim.books.polls)
        call.cancel()
        assert isinstance((await ends([call]))[0], asyncio.CancelledError)
        assert len(client.abandoned) == 1


@pytest.mark.parametrize("by", ["task", "id"])
async def test_a_time_limit_bounds_a_wait_by_itself(live, by):
    """A look that hangs, the first one of an id too, does not outlast the limit of ``wait()``."""
    hangs = Fault(where="query", what=Delay(seconds=30))
    async with live(latency=Constant(60), faults=[hangs]) as (_, client):
        task = await client.images.submit(ImageRequest("a fox"))
        async with asyncio.timeout(120):
            with pytest.raises(TaskTimeoutError) as caught:
                await client.images.wait(task if by == "task" else task.id, timeout_seconds=5.0)
        assert task.id == caught.value.task.id
        assert client.abandoned == ()
