"""Webhooks: signed, repeated, rotated."""

import hashlib
import hmac
import itertools

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.testing import Simulator
from toapis_async.testing.web.webhooks import RETRY_AFTER_SECONDS


def signature(secret, delivery):
    """As the documentation computes it."""
    headers = delivery.headers
    message = f"{headers['X-ToAPIs-Webhook-Id']}.{headers['X-ToAPIs-Webhook-Timestamp']}.".encode() + delivery.raw
    return "v1=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


async def test_a_finished_task_is_announced_once_and_signed(running, receiver):
    """The signature covers id, time and body."""
    async with running() as (sim, caller), receiver() as received:
        secret = sim.set_webhook(received.url)
        task = await caller.submit(client_business_id="mine")
        sim.clock.advance(2)

        delivery = await received.next()

        assert delivery.headers["X-ToAPIs-Webhook-Signature"] == signature(secret, delivery)
        assert delivery.headers["User-Agent"] == "ToAPIs-Webhook/1.0"
        assert delivery.document["data"]["task_id"] == task["id"]
        assert len(secret) == 32


async def test_a_refused_delivery_is_repeated_on_the_documented_schedule(running, receiver):
    """The same event id each time, a new timestamp, and seven more attempts."""
    async with running() as (sim, caller), receiver() as received:
        sim.set_webhook(received.url)
        received.statuses = [500] * 8
        await caller.submit()
        sim.clock.advance(2)
        deliveries = [await received.next()]
        for pause in RETRY_AFTER_SECONDS:
            while sim.books.webhooks["refused"] < len(deliveries):
                await sim.clock.sleep(0.005)
            sim.clock.advance(pause)
            deliveries.append(await received.next())
        while not sim.books.webhooks["gave_up"]:
            await sim.clock.sleep(0.005)

        assert len({delivery.headers["X-ToAPIs-Webhook-Id"] for delivery in deliveries}) == 1
        times = [int(delivery.headers["X-ToAPIs-Webhook-Timestamp"]) for delivery in deliveries]
        assert [round(later - earlier) for earlier, later in itertools.pairwise(times)] == pytest.approx(
            RETRY_AFTER_SECONDS, abs=2
        )
        assert (sim.books.webhooks["refused"], sim.books.webhooks["gave_up"]) == (8, 1)


async def test_after_a_rotation_both_secrets_sign_for_a_day(running, receiver):
    """Receivers that know either secret verify; after a day only the new one signs."""
    async with running() as (sim, caller), receiver() as received:
        old = sim.set_webhook(received.url)
        new = sim.rotate_webhook_secret()
        await caller.submit()
        sim.clock.advance(2)
        delivery = await received.next()
        both = f"{signature(new, delivery)},{signature(old, delivery)}"
        assert delivery.headers["X-ToAPIs-Webhook-Signature"] == both

        sim.clock.advance(86_400)
        await caller.submit()
        sim.clock.advance(2)
        delivery = await received.next()

        assert delivery.headers["X-ToAPIs-Webhook-Signature"] == signature(new, delivery)


async def test_a_task_may_change_path_and_query_only(running, receiver):
    """The callback of a task goes to the same origin, or the submission is refused."""
    async with running() as (sim, caller), receiver() as received:
        body = {"model": "gpt-4o-image", "prompt": "p", "callback_url": received.url + "/mine?x=1"}
        status, _, document = await caller.call("POST", "/v1/images/generations", json=body)
        assert (status, document["error"]["code"]) == (400, "webhook_not_configured")
        sim.set_webhook(received.url)

        await caller.submit(callback_url=received.url + "/mine?x=1")
        body["callback_url"] = "https://elsewhere.example/hook"
        status, _, _ = await caller.call("POST", "/v1/images/generations", json=body)

        assert status == 400
        sim.clock.advance(2)
        assert (await received.next()).document["type"] == "generation.completed"


async def test_nobody_listening_is_a_refusal(running):
    """A dead address is tried again later; closing the simulator ends the waiting."""
    async with running() as (sim, caller):
        sim.set_webhook("http://127.0.0.1:9/hook")
        await caller.submit()
        sim.clock.advance(2)
        while not sim.books.webhooks["refused"]:
            await sim.clock.sleep(0.005)

        assert sim.books.webhooks["delivered"] == 0


@pytest.mark.parametrize(
    "url", ["http://hooks.example/", "https://user@hooks.example/", "https://hooks.example/#x", "x"]
)
def test_addresses_that_the_gateway_would_not_take(url):
    """Plain http beyond loopback, users and fragments are refused."""
    with pytest.raises(ConfigurationError, match="https"):
        Simulator().set_webhook(url)


def test_without_a_webhook_there_is_nothing_to_rotate():
    """The message says what to call first."""
    with pytest.raises(ConfigurationError, match="set_webhook"):
        Simulator().rotate_webhook_secret()
