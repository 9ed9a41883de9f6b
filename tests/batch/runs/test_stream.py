"""A session's outcomes as an async iterator."""

import asyncio

import pytest

from toapis_async import AuthenticationError, ImageRequest, OutcomeStream
from toapis_async.testing import Constant


def foxes(count):
    return [ImageRequest(f"fox {number}") for number in range(count)]


async def test_nothing_is_sent_before_it_is_read(live, tmp_path):
    """Making a stream sends nothing; the first read begins it."""
    async with live() as (sim, client), client.session(tmp_path) as session:
        stream = session.stream(foxes(3))
        assert isinstance(stream, OutcomeStream)
        assert stream is aiter(stream)
        await asyncio.sleep(0.05)
        assert sim.books.posts == 0
        assert (await anext(stream)).ok
        assert len([outcome async for outcome in stream]) == 2


async def test_the_end_stays_the_end(live, tmp_path):
    """After the last outcome the stream is over for good, and closing it again does no harm."""
    async with live() as (_, client), client.session(tmp_path) as session:
        stream = session.stream(foxes(2))
        assert len([outcome async for outcome in stream]) == 2
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
            await stream.aclose()


async def test_an_empty_input_is_an_empty_stream(live, tmp_path):
    """No request, no outcome, no error."""
    async with live() as (_, client), client.session(tmp_path) as session:
        assert [outcome async for outcome in session.stream(())] == []
        assert session.report.complete


async def test_a_stream_closed_before_it_began(live, tmp_path):
    """It yields nothing and sends nothing."""
    async with live() as (sim, client), client.session(tmp_path) as session:
        stream = session.stream(foxes(3))
        await stream.aclose()
        assert [outcome async for outcome in stream] == []
        assert sim.books.posts == 0


async def test_a_stream_read_after_its_session(live, tmp_path):
    """Outside its session a stream is over."""
    async with live(latency=Constant(5)) as (_, client):
        async with client.session(tmp_path) as session:
            begun, unbegun = session.stream(foxes(3)), session.stream(foxes(3))
            reading = asyncio.create_task(anext(begun))
            await asyncio.sleep(0.1)
        with pytest.raises(StopAsyncIteration):
            await reading
        for stream in (begun, unbegun):
            assert [outcome async for outcome in stream] == []


async def test_the_reason_is_raised_once(live, tmp_path):
    """What stopped the run is raised once; after that the stream is over."""
    async with live(client={"api_key": "sk-wrong"}) as (_, client), client.session(tmp_path) as session:
        stream = session.stream(foxes(3))
        with pytest.raises(AuthenticationError):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_several_readers_share_a_stream(live, tmp_path):
    """Each outcome goes to exactly one of those who read."""
    async with live() as (_, client), client.session(tmp_path) as session:
        stream = session.stream(foxes(20))

        async def read():
            return [outcome.item.index async for outcome in stream]

        seen = await asyncio.gather(read(), read(), read())
        assert list(range(20)) == sorted(index for part in seen for index in part)


async def test_closing_while_another_reads(live, tmp_path):
    """A reader that waits is let go when the stream is closed."""
    async with live(latency=Constant(5)) as (_, client), client.session(tmp_path) as session:
        stream = session.stream(foxes(3))
        reading = asyncio.create_task(anext(stream))
        await asyncio.sleep(0.1)
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await reading
