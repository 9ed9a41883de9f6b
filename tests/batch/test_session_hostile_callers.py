"""``GenerationSession`` beside code of the user's that does what it should not."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from toapis_async import ImageRequest, Saved, ToAPIsError


class OddError(BaseException):
    """No ``Exception``."""


def foxes(count):
    return [ImageRequest(f"fox {number}", id=f"fox-{number}") for number in range(count)]


async def ended(coroutine):
    """Wait for it, not for ever, though it may not be cancellable."""
    task = asyncio.ensure_future(coroutine)
    done, _ = await asyncio.wait([task], timeout=120)
    assert {task} == done
    return task.result()


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit, OddError])
@pytest.mark.parametrize("kind", ["async", "plain"])
async def test_an_input_that_breaks_does_not_look_like_one_that_ends(live, tmp_path, kind, error):
    """What no ``Exception`` is, such as the cancellation of a task that the input awaits, is told as a break too."""

    async def asynchronous():
        yield foxes(1)[0]
        raise error

    def plain():
        yield foxes(1)[0]
        raise error

    async with live() as (_, client), client.session(tmp_path) as session:
        with pytest.raises(RuntimeError, match=error.__name__) as told:
            await ended(session.run(asynchronous() if kind == "async" else plain()))
        assert isinstance(told.value.__cause__, error)


async def test_a_finally_that_waits_for_ever_is_left(live, tmp_path, monkeypatch):
    """An async generator whose ``finally`` waits for what never comes does not hold up the closing of its session."""
    monkeypatch.setattr("toapis_async.batch.incoming.inputs.PATIENCE_SECONDS", 0.05)

    async def endless():
        try:
            for number in range(10_000):
                yield ImageRequest(f"fox {number}")
        finally:
            await asyncio.Event().wait()

    async def leave(client):
        async with client.session(tmp_path, max_concurrency=5) as session:
            return await anext(session.stream(endless()))

    async with live() as (_, client):
        assert isinstance(await ended(leave(client)), Saved)


@pytest.mark.parametrize("way", ["park", "aclose"])
async def test_an_input_may_close_its_session(live, tmp_path, way):
    """It does not wait for itself; what was sent is gone on with by the next session."""
    async with live() as (sim, client):
        async with client.session(tmp_path) as session:

            async def closing():
                yield foxes(1)[0]
                await getattr(session, way)()
                yield foxes(2)[1]

            await ended(session.run(closing()))
        async with client.session(tmp_path) as session:
            assert (await session.run(foxes(2))).complete
        assert sim.books.duplicates == {}


async def test_an_input_may_close_its_stream(live, tmp_path):
    """It does not wait for itself, and the stream ends."""
    async with live() as (_, client), client.session(tmp_path) as session:

        async def closing():
            yield foxes(1)[0]
            await stream.aclose()
            yield foxes(2)[1]

        async def read():
            return [outcome async for outcome in stream]

        stream = session.stream(closing())
        await ended(read())
        assert (await session.run(foxes(2))).saved == 2


@pytest.mark.parametrize("error", [asyncio.CancelledError, OddError])
async def test_observers_may_raise_anything(live, tmp_path, error, caplog):
    """What no ``Exception`` is costs no image either."""

    def break_down(event):
        raise error

    async with live() as (sim, client), client.session(tmp_path, on_event=break_down) as session:
        report = await ended(session.run(foxes(3)))
        assert report.saved == 3
    assert sim.books.accepted == 3
    assert "An observer of events broke" in caplog.text


@pytest.mark.parametrize("way", ["run", "submit", "find", "aclose"])
async def test_another_event_loop_is_refused(live, tmp_path, way):
    """A session that is in use in one loop is refused in another, at once, and goes on in its own."""
    calls = {
        "run": lambda session: session.run(foxes(1)),
        "submit": lambda session: session.submit(foxes(1)[0]),
        "find": lambda session: session.find("fox-0"),
        "aclose": lambda session: session.aclose(),
    }
    async with live() as (sim, client), client.session(tmp_path) as session:

        async def elsewhere():
            async with asyncio.timeout(120):
                await calls[way](session)

        with pytest.raises(ToAPIsError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, elsewhere())
        assert sim.books.posts == 0
        assert (await session.run(foxes(1))).complete


async def test_no_time_has_passed_before_it_is_open(live, tmp_path):
    """The report of a session that is not open yet counts no seconds."""
    async with live() as (_, client):
        assert client.session(tmp_path).report.seconds == 0


@asynccontextmanager
async def storing_proxy(base_url):
    """Answer the second submission with the stored reply to the first."""
    stored = []

    async def forward(request):
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        async with http.request(
            request.method, base_url + request.path_qs, data=await request.read(), headers=headers
        ) as reply:
            body = await reply.read()
            if request.method == "POST":
                stored.append(body)
                body = stored[0] if len(stored) == 2 else body
            return web.Response(status=reply.status, body=body, content_type=reply.content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(app)
    async with aiohttp.ClientSession() as http:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()


async def test_a_reply_to_another_submission_is_not_believed(live, tmp_path):
    """An image of another item is not taken for one's own, and one's own, which was charged, is found and fetched."""
    async with (
        live() as (sim, client),
        storing_proxy(sim.base_url) as door,
        live(client={"base_url": door, "api_key": sim.api_key}) as (_, client),
        client.session(tmp_path, max_concurrency=1) as session,
    ):
        outcomes = [outcome async for outcome in session.stream(foxes(3))]
        assert [outcome.ok for outcome in outcomes] == [True] * 3
        assert len({outcome.task.id for outcome in outcomes}) == 3
        assert sim.books.posts == 3
        assert sim.books.never_downloaded == ()
