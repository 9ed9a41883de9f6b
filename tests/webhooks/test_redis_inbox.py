"""The inbox of several processes, on a real Redis."""

import asyncio

import pytest

from toapis_async.values.tasks import TaskStatus
from toapis_async.webhooks import RedisWebhookInbox

pytestmark = pytest.mark.redis


@pytest.fixture
async def pair(redis_server, secret):
    """Two inboxes, as of two workers, and what their on_event heard."""
    heard = []
    async with (
        RedisWebhookInbox(redis_server.url, secrets=secret, on_event=heard.append) as one,
        RedisWebhookInbox(redis_server.url, secrets=secret, on_event=heard.append) as two,
    ):
        yield one, two, heard


async def listening(inbox):
    """Wait until an inbox hears the channel."""
    assert await inbox.news("nobody", 0) is None
    await asyncio.wait_for(inbox._connected.wait(), 10)


async def test_an_event_at_one_worker_ends_the_wait_at_another(pair, delivery):
    """The load balancer may bring an event to any of them."""
    one, two, _ = pair
    await listening(two)
    two.expect("tsk_1")
    waiting = asyncio.create_task(two.news("tsk_1", 20))
    await asyncio.sleep(0.05)
    assert await one.receive(*delivery()) == 200

    assert (await waiting).status is TaskStatus.COMPLETED
    assert two.trusted


async def test_an_event_before_anybody_listened_is_found(pair, delivery):
    """It is asked for when the wait begins, by the task's id or by our own reference."""
    one, two, _ = pair
    await one.receive(*delivery(client_business_id="mine-1"))
    await listening(two)

    assert (await two.news("tsk_1", 5)).id == "tsk_1"
    assert (await two.news("mine-1", 5)).id == "tsk_1"


async def test_a_replay_at_another_worker_is_dropped(pair, delivery):
    """What one has taken, all have taken: on_event hears it once."""
    one, two, heard = pair

    assert [await inbox.receive(*delivery()) for inbox in (one, two, one)] == [200, 200, 200]
    assert [event.id for event in heard] == ["evt_tsk_1"]


async def test_an_event_that_on_event_refused_comes_again(redis_server, secret, delivery):
    """The next delivery is no repeat."""
    heard = []

    def hear(event):
        heard.append(event)
        if len(heard) == 1:
            raise OSError("the database is away")

    async with RedisWebhookInbox(redis_server.url, secrets=secret, on_event=hear) as inbox:
        with pytest.raises(OSError, match="database"):
            await inbox.receive(*delivery())
        assert await inbox.receive(*delivery()) == 200
    assert len(heard) == 2


async def test_while_redis_is_away_the_gateway_is_asked_to_come_back(pair, redis_server, delivery):
    """503 brings the event again; waits fall back to looks; when it is back, all goes on."""
    one, two, _ = pair
    await listening(two)
    two.expect("tsk_1")
    waiting = asyncio.create_task(two.news("tsk_2", 300))
    await asyncio.sleep(0.05)
    redis_server.stop()
    assert await waiting is None
    assert await one.receive(*delivery()) == 503
    assert await two.news("tsk_1", 0.05) is None
    while two._connected.is_set():
        await asyncio.sleep(0.02)
    assert not two.trusted

    await redis_server.start()
    assert await one.receive(*delivery()) == 200
    while (told := await two.news("tsk_1", 20)) is None:
        pass  # a connection of before the outage may still break, and end the waits once more
    assert told.id == "tsk_1"


async def test_a_forged_event_never_reaches_redis(pair, delivery):
    """What is refused is shared with nobody."""
    one, _, heard = pair

    assert await one.receive(*delivery(secrets=["x" * 32])) == 400
    assert await one._redis.keys("*") == []
    assert heard == []
