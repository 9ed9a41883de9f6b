"""Webhooks: signed, repeated, rotated."""

import hashlib
import hmac
import itertools
from collections import Counter

import pytest

from toapis_async import WebhookVerificationError, verify_webhook
from toapis_async.errors import ConfigurationError
from toapis_async.testing import Delay, Drop, Fault, InvalidJson, Repeat, Simulator, StaleTimestamp, WrongSignature
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


LOST = (Fault(where="webhook", what=Drop(), probability=0.2),)
DOUBLED = (Fault(where="webhook", what=Repeat(), probability=0.2),)


async def test_a_share_of_the_events_is_lost_and_another_comes_twice(running, receiver):
    """One in five each, by the seed and the prompt: the same ones at every run."""
    seen = []
    for _ in range(2):
        async with running(faults=LOST + DOUBLED) as (sim, caller), receiver() as received:
            sim.set_webhook(received.url)
            made = [(await caller.submit(f"prompt {number}"))["id"] for number in range(100)]
            sim.clock.advance(2)
            while sim._webhooks._running:
                await sim.clock.sleep(0.005)
            ids = [delivery.document["data"]["task_id"] for delivery in received.taken()]
            counts = Counter(made.index(task_id) for task_id in ids)
            seen.append(counts)
            assert 10 <= 100 - len(counts) == sim.books.webhooks["lost"] <= 30
            assert 5 <= sum(count == 2 for count in counts.values()) == sim.books.webhooks["repeated"] <= 30
    assert seen[0] == seen[1]


async def test_a_repetition_has_the_same_id_and_body(running, receiver):
    """And a timestamp and signature of its own."""
    async with running(faults=(Fault(where="webhook", what=Repeat(seconds=60)),)) as (sim, caller), receiver() as got:
        secret = sim.set_webhook(got.url)
        await caller.submit()
        sim.clock.advance(2)
        first = await got.next()
        while not sim.books.webhooks["delivered"]:
            await sim.clock.sleep(0.005)
        sim.clock.advance(60)
        second = await got.next()

        names = ("X-ToAPIs-Webhook-Id", "X-ToAPIs-Webhook-Timestamp")
        (id_one, time_one), (id_two, time_two) = [[d.headers[name] for name in names] for d in (first, second)]
        assert (id_one, first.raw) == (id_two, second.raw)
        assert int(time_two) - int(time_one) >= 59
        assert second.headers["X-ToAPIs-Webhook-Signature"] == signature(secret, second)


async def test_events_can_come_out_of_order(running, receiver):
    """A late one is overtaken by the next."""
    late = Fault(where="webhook", what=Delay(seconds=30), match="slow")
    async with running(faults=(late,)) as (sim, caller), receiver() as received:
        sim.set_webhook(received.url)
        tasks = [(await caller.submit(prompt))["id"] for prompt in ("slow", "quick")]
        sim.clock.advance(2)
        first = await received.next()
        sim.clock.advance(30)
        second = await received.next()

        assert [d.document["data"]["task_id"] for d in (first, second)] == tasks[::-1]


@pytest.mark.parametrize(
    ("what", "reason"),
    [(WrongSignature(), "signature"), (StaleTimestamp(seconds=600), "more than 300"), (InvalidJson(), "no JSON")],
)
async def test_a_spoilt_delivery_is_followed_by_a_right_one(running, receiver, what, reason):
    """Whoever verifies refuses the first and takes its repetition."""
    async with running(faults=(Fault(where="webhook", what=what),)) as (sim, caller), receiver() as received:
        secret = sim.set_webhook(received.url)
        received.statuses = [400]
        await caller.submit()
        sim.clock.advance(2)
        spoilt = await received.next()
        with pytest.raises(WebhookVerificationError, match=reason):
            verify_webhook(spoilt.raw, spoilt.headers, secrets=secret, now=sim.clock.now())
        while not sim.books.webhooks["refused"]:
            await sim.clock.sleep(0.005)
        sim.clock.advance(10)
        right = await received.next()

        assert (
            verify_webhook(right.raw, right.headers, secrets=secret, now=sim.clock.now()).type == "generation.completed"
        )


async def test_redirects_are_not_followed(running, receiver):
    """A redirect is a refusal; where it leads, nothing arrives."""
    async with running() as (sim, caller), receiver() as received:
        sim.set_webhook(received.url)
        received.statuses = [307]
        await caller.submit()
        sim.clock.advance(2)
        await received.next()
        while not sim.books.webhooks["refused"]:
            await sim.clock.sleep(0.005)

        assert received.taken() == []


async def test_many_tasks_that_end_at_once_are_all_announced(running, receiver):
    """Events that wait for a connection do not run into the time limit of a delivery."""
    async with running() as (sim, caller), receiver() as received:
        sim.set_webhook(received.url)
        for number in range(300):
            await caller.submit(f"prompt {number}")
        sim.clock.advance(2)
        while sim.books.webhooks["delivered"] < 300:
            await sim.clock.sleep(0.005)

        assert len({delivery.document["data"]["task_id"] for delivery in received.taken()}) == 300
        assert sim.books.webhooks["refused"] == 0


async def test_a_secret_of_ones_own_and_another_user(running, receiver):
    """The console's secret can be given, and each user has a webhook of its own."""
    async with running() as (sim, caller), receiver() as received:
        key = sim.add_account()
        assert sim.set_webhook(received.url, secret="whsec_mine", api_key=key) == "whsec_mine"
        headers = {"Authorization": f"Bearer {key}"}
        body = {"model": "gpt-image-2", "prompt": "theirs"}
        await caller.submit("mine")
        await caller.call("POST", "/v1/images/generations", json=body, key=False, headers=headers)
        sim.clock.advance(2)
        delivery = await received.next()

        assert delivery.headers["X-ToAPIs-Webhook-Signature"] == signature("whsec_mine", delivery)
        assert sim.account.webhook is None
        assert received.taken() == []


async def test_the_address_of_some_models_is_in_metadata(running, receiver):
    """As MiniMax and Vidu want it."""
    async with running() as (sim, caller), receiver() as received:
        sim.set_webhook(received.url)
        wish = {"model": "viduq3", "metadata": {"callback_url": f"{received.url}/mine"}}
        await caller.submit(path="/v1/videos/generations", **wish)
        sim.clock.advance(2)

        assert (await received.next()).path == "/hook/mine"


@pytest.mark.parametrize(
    ("callback", "taken"),
    [
        ("https://hooks.example/other?x=1", True),
        ("HTTPS://HOOKS.example:443/other", True),
        ("https://hooks.example:444/other", False),
        ("http://hooks.example/other", False),
        ("https://user@hooks.example/other", False),
        ("https://hooks.example/other#part", False),
        ("https://hooks.example.evil.example/", False),
        ("https://hooks.example:x/", False),
        ("/other", False),
        ("", True),
    ],
)
async def test_callbacks_keep_the_origin(running, callback, taken):
    """Path and query may differ; anything else answers that no webhook is set up there."""
    async with running() as (sim, caller):
        sim.set_webhook("https://hooks.example/hook")
        body = {"model": "gpt-image-2", "prompt": "p", "callback_url": callback}
        status, _, document = await caller.call("POST", "/v1/images/generations", json=body)

        assert status == (200 if taken else 400)
        assert taken or document["error"]["code"] == "webhook_not_configured"


async def test_a_callback_that_is_no_text_is_refused(running):
    """400 and the field."""
    async with running() as (_, caller):
        body = {"model": "gpt-image-2", "prompt": "p", "callback_url": 7}
        status, _, document = await caller.call("POST", "/v1/images/generations", json=body)

        assert (status, document["error"]["param"]) == (400, "callback_url")


@pytest.mark.parametrize(
    "url",
    ["https://10.0.0.7/", "https://169.254.169.254/", "https://[fd00::1]/", "ftp://127.0.0.1/", "https://a b/"],
)
def test_addresses_inside_are_refused(url):
    """Private and link-local hosts, other schemes, blanks."""
    with pytest.raises(ConfigurationError, match="https"):
        Simulator().set_webhook(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/x", "http://[::1]:8000/", "http://LOCALHOST/", "https://localhost/"]
)
def test_loopback_is_allowed(url):
    """Unlike at the gateway, which could never reach it."""
    assert len(Simulator().set_webhook(url)) == 32


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
