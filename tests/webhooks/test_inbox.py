"""The inbox of one process: genuine events end waits, all others are refused without detail."""

import asyncio
import gc
import io
import time

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toapis_async.errors import ConfigurationError
from toapis_async.values.tasks import TaskStatus
from toapis_async.webhooks import WebhookInbox
from toapis_async.webhooks.waiters import REMEMBERED


@pytest.fixture
def inbox(secret):
    """An inbox with one secret."""
    return WebhookInbox(secret)


async def test_an_event_ends_the_wait(inbox, delivery):
    """Whoever waits has the task as soon as its event is there."""
    inbox.expect("tsk_1")
    waiting = asyncio.create_task(inbox.news("tsk_1", 30))
    await asyncio.sleep(0)
    assert await inbox.receive(*delivery()) == 200

    task = await waiting

    assert (task.id, task.status, task.urls) == ("tsk_1", TaskStatus.COMPLETED, ("https://files.example/tsk_1.png",))
    assert inbox.trusted


async def test_an_event_before_its_waiter_counts(inbox, delivery):
    """The gateway may be quicker than whoever submitted, by the task's id or by our own reference."""
    await inbox.receive(*delivery(client_business_id="mine-1"))

    assert (await inbox.news("tsk_1", 0)).id == "tsk_1"
    assert (await inbox.news("mine-1", 0)).id == "tsk_1"


async def test_a_wait_without_an_event_ends_with_its_time(inbox):
    """Nothing is known, and None says so."""
    assert await inbox.news("tsk_1", 0.01) is None
    assert not inbox.trusted


async def test_every_waiter_hears_and_a_cancelled_one_leaves_nothing(inbox, delivery):
    """Two waits for one task both end; one that was cancelled is forgotten."""
    waiting = [asyncio.create_task(inbox.news("tsk_1", 30)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await inbox.receive(*delivery())

    first, *others = await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(first, asyncio.CancelledError)
    assert [task.id for task in others] == ["tsk_1", "tsk_1"]
    assert inbox._waiters._waiting == {}


async def test_repeats_are_heard_once(secret, delivery):
    """The same event again is answered with 200, since the gateway would go on otherwise, and told to nobody."""
    heard = []
    inbox = WebhookInbox(secret, on_event=heard.append)
    now = time.time()

    answers = [await inbox.receive(*delivery(at=now + step)) for step in range(3)]

    assert answers == [200, 200, 200]
    assert [event.id for event in heard] == ["evt_tsk_1"]


async def test_unknown_types_of_event_survive(secret, delivery):
    """A newer word is heard, and ends no wait."""
    heard = []
    inbox = WebhookInbox(secret, on_event=heard.append)
    body = b'{"id": "evt_n", "type": "account.low_balance", "data": {"credits": 3}}'

    assert await inbox.receive(*delivery(event_id="evt_n", body=body)) == 200
    assert [(event.type, event.task) for event in heard] == [("account.low_balance", None)]


async def test_a_failure_ends_the_wait_too(inbox, delivery):
    """A failed task is finished."""
    await inbox.receive(*delivery(kind="failed", error={"code": "generation_failed", "message": "no foxes"}))

    assert (await inbox.news("tsk_1", 0)).status is TaskStatus.FAILED


async def test_what_on_event_raises_brings_the_event_again(secret, delivery):
    """An event that could not be taken is not counted as taken."""
    heard = []

    def hear(event):
        heard.append(event)
        if len(heard) == 1:
            raise OSError("the database is away")

    inbox = WebhookInbox(secret, on_event=hear)
    with pytest.raises(OSError, match="database"):
        await inbox.receive(*delivery())

    assert await inbox.receive(*delivery()) == 200
    assert len(heard) == 2


REFUSED = {
    "another secret": {"secrets": ("f" * 32,)},
    "an old timestamp": {"at": time.time() - 100_000},
    "a timestamp to come": {"at": time.time() + 100_000},
    "no json": {"body": b"hello"},
    "no object": {"body": b"[1]"},
    "no task": {"body": b'{"id": "evt_tsk_1", "type": "generation.completed"}'},
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_not_genuine_is_refused(inbox, delivery, what):
    """Forged, stale and malformed deliveries get 400 and change nothing."""
    assert await inbox.receive(*delivery(**REFUSED[what])) == 400
    assert await inbox.news("tsk_1", 0) is None
    assert not inbox.trusted


@pytest.mark.parametrize("name", ["X-ToAPIs-Webhook-Id", "x-toapis-webhook-timestamp", "X-ToAPIs-Webhook-Signature"])
@pytest.mark.parametrize("value", [None, "", "nonsense", "v1=", "v1=zz", "9" * 400, "é"])
async def test_a_header_that_is_wrong_is_refused(inbox, delivery, name, value):
    """Each of the three headers has to be right."""
    body, headers = delivery()
    headers.pop(name)
    if value is not None:
        headers[name] = value

    assert await inbox.receive(body, headers) == 400


async def test_an_old_secret_may_still_sign(delivery):
    """After a rotation either secret is enough, on either side."""
    inbox = WebhookInbox(["new" * 10, "old" * 10])

    assert await inbox.receive(*delivery("a", secrets=["old" * 10])) == 200
    assert await inbox.receive(*delivery("b", secrets=["x" * 32, "new" * 10])) == 200
    assert await inbox.receive(*delivery("c", secrets=["x" * 32])) == 400


@pytest.mark.parametrize("secrets", ["", [], ["ok", ""]])
def test_an_empty_secret_is_refused(secrets):
    """With it anybody could sign."""
    with pytest.raises(ConfigurationError):
        WebhookInbox(secrets)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_byte_is_refused(secret, delivery, data):
    """Whatever byte of the body is changed, and whatever bytes come in its place, the signature does not hold."""
    body, headers = delivery()
    at = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.binary(max_size=3).filter(lambda some: some != body[at : at + 1]))

    assert asyncio.run(WebhookInbox(secret).receive(body[:at] + other + body[at + 1 :], headers)) == 400


async def test_what_is_remembered_is_bounded(inbox, delivery):
    """A million events of other workers take no more room than ten thousand."""
    for number in range(REMEMBERED + 50):
        await inbox.receive(*delivery(f"tsk_{number}"))
    gc.collect()

    assert len(inbox._waiters._ended) == REMEMBERED
    assert await inbox.news("tsk_0", 0) is None


async def test_trust_comes_and_goes(inbox, delivery):
    """A fifth of lost events is borne; when events stop, looks take over, and when they come back, they end."""
    for number in range(50):
        await inbox.receive(*delivery(f"tsk_{number}"))
        if number % 5 == 0:
            inbox.missed(f"lost_{number}")
    assert inbox.trusted
    for number in range(10):
        inbox.missed(f"gone_{number}")
    assert not inbox.trusted
    for number in range(10):
        await inbox.receive(*delivery(f"back_{number}"))
    assert inbox.trusted


async def test_lost_trust_ends_waits(inbox, delivery):
    """Whoever sleeps long because events were trusted hears that they are not any more, once."""
    await inbox.receive(*delivery())
    waiting = [asyncio.create_task(inbox.news(f"tsk_{number}", 300)) for number in range(2, 5)]
    await asyncio.sleep(0)
    for number in range(10):
        inbox.missed(f"gone_{number}")
    assert await asyncio.gather(*waiting) == [None] * 3
    assert not inbox._waiters._waiting


async def test_a_wait_in_another_loop_is_ended(inbox, delivery):
    """The web app may receive in one event loop while a thread's loop waits."""
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def wait():
        loop.call_soon_threadsafe(started.set)
        return await inbox.news("tsk_1", 20)

    waiting = asyncio.create_task(asyncio.to_thread(asyncio.run, wait()))
    await started.wait()
    await inbox.receive(*delivery())

    assert (await waiting).id == "tsk_1"


async def test_an_aiohttp_application_takes_deliveries(inbox, delivery, aiohttp_app):
    """200 for a genuine one, 400 for a forged one, 413 for one that is too large, each with an empty body."""
    app = web.Application()
    app.router.add_post("/toapis", inbox.aiohttp_handler)
    async with aiohttp_app(app) as base, aiohttp.ClientSession() as http:
        answers = []
        for body, headers in (delivery(), delivery(secrets=["x"]), (io.BytesIO(b"x" * 1_100_000), {})):
            async with http.post(f"{base}/toapis", data=body, headers=headers) as reply:
                answers.append((reply.status, await reply.read()))

    assert answers == [(200, b""), (400, b""), (413, b"")]


@pytest.fixture
def aiohttp_app():
    """``async with aiohttp_app(app) as base``: the application on a port."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def serve(app):
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    return serve
