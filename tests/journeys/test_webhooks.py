"""Webhooks end waits: from the simulator's delivery, through a web server on loopback, to whoever waits."""

import asyncio
from contextlib import asynccontextmanager

from aiohttp import web
from hurried_clock import HurriedClock

from toapis_async import ImageRequest
from toapis_async.ports.events import TaskFinished, TaskLookedAt
from toapis_async.testing import Constant, Drop, Fault
from toapis_async.testing.scenario.webhook_faults import Repeat
from toapis_async.webhooks.inbox import WebhookInbox

SECRET = "whsec_0123456789"


@asynccontextmanager
async def served(inbox):
    """Serve an inbox on loopback; give its address."""
    app = web.Application()
    app.router.add_post("/toapis", inbox.aiohttp_handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/toapis"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def trusted(live, *, faults=(), latency=0.2, **client):
    """Give simulator and client, after a first task has shown that events come."""
    inbox = WebhookInbox(SECRET, clock=HurriedClock())
    async with (
        served(inbox) as url,
        live(latency=Constant(latency), faults=list(faults), client={"webhooks": inbox, **client}) as (sim, client),
    ):
        sim.set_webhook(url, secret=SECRET)
        await client.images.generate(prompt="the first")
        for _ in range(500):
            if inbox.trusted:
                break
            await asyncio.sleep(0.01)
        assert inbox.trusted
        yield sim, client


async def test_calls_and_sessions_end_on_their_events(live, tmp_path):
    """A hundred calls and a hundred items: every one complete, next to no look."""
    async with trusted(live) as (sim, client):
        before = sim.books.polls
        tasks = await asyncio.gather(*(client.images.generate(prompt=f"fox {n}") for n in range(100)))
        async with client.session(tmp_path) as session:
            report = await session.run(ImageRequest(f"owl {n}") for n in range(100))
        looks = sim.books.polls - before
    assert all(task.completed and task.urls for task in tasks)
    assert (report.saved, report.complete) == (100, True)
    assert looks < 0.1 * 200


async def test_lost_and_doubled_events_leave_nobody_waiting(live, tmp_path):
    """A fifth of the events is lost and a fifth comes twice: every item ends, once, paid once."""
    faults = [
        Fault(where="webhook", what=Drop(), every=5),
        Fault(where="webhook", what=Repeat(seconds=0.05), every=4),
    ]
    events = []
    async with (
        trusted(live, faults=faults) as (sim, client),
        client.session(tmp_path, on_event=events.append) as session,
    ):
        report = await session.run(ImageRequest(f"fox {n}") for n in range(60))
        assert (sim.books.duplicates, sim.books.never_downloaded[1:]) == ({}, ())
    ends = [event.key for event in events if isinstance(event, TaskFinished)]
    assert report.saved == 60
    assert len(ends) == len(set(ends)) == 60
    assert any(isinstance(event, TaskLookedAt) for event in events)
