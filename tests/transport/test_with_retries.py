"""Asking again where asking again is free."""

from random import Random

import pytest

from toapis_async.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    Delivery,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ToAPIsError,
)
from toapis_async.policy.money.retrying import RetryPolicy
from toapis_async.testing import FakeClock
from toapis_async.transport.with_retries import ask, ask_once
from toapis_async.values.exchange import HttpRequest, Purpose

GET = HttpRequest(method="GET", path="/balance", purpose=Purpose.ACCOUNT)


async def asked(transport, clock=None, **policy):
    return await ask(
        transport,
        GET,
        lambda reply: reply,
        asked_for="the balance",
        retries=RetryPolicy(**policy),
        clock=clock or FakeClock(),
        random=Random(1),
    )


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_a_success_is_returned(scripted_transport, json_reply, status):
    """Any 2xx is the answer."""
    reply = json_reply({}, status)
    assert await asked(scripted_transport([reply])) is reply


@pytest.mark.parametrize(
    "failure",
    [
        lambda reply: APIConnectionError("x", delivery=Delivery.UNKNOWN),
        lambda reply: APITimeoutError("x", delivery=Delivery.NEVER),
        lambda reply: reply({}, 429),
        lambda reply: reply({}, 500),
        lambda reply: reply("<html>", 502),
        lambda reply: reply("<html>", 524),
    ],
    ids=["broken", "time-out", "429", "500", "502", "524"],
)
async def test_what_may_pass_is_tried_again(scripted_transport, json_reply, failure):
    """Broken connections, 429 and 5xx are tried again after 1 s and 2 s."""
    transport, clock = scripted_transport([failure(json_reply), failure(json_reply), json_reply({"a": 1})]), FakeClock()
    assert (await asked(transport, clock)).body == b'{"a": 1}'
    assert 0.75 * 3 <= clock.monotonic() <= 1.25 * 3


@pytest.mark.parametrize(
    ("status", "kind"), [(400, InvalidRequestError), (401, AuthenticationError), (404, NotFoundError)]
)
async def test_what_will_not_pass_is_not(scripted_transport, json_reply, status, kind):
    """400, 401 and 404 come out at once."""
    transport = scripted_transport([json_reply({"error": {"message": "no"}}, status)])
    with pytest.raises(kind):
        await asked(transport)
    assert len(transport.requests) == 1


async def test_retry_after_goes_first(scripted_transport, json_reply):
    """The gateway's own wish is waited for, within reason."""
    clock = FakeClock()
    await asked(scripted_transport([json_reply({}, 429, **{"Retry-After": "30"}), json_reply({})]), clock)
    assert 30 <= clock.monotonic() <= 33
    with pytest.raises(RateLimitError) as caught:
        await asked(scripted_transport([json_reply({}, 429, **{"Retry-After": "86400"})]), clock)
    assert caught.value.retry_after_seconds == 86400


@pytest.mark.parametrize("most", [0, 1, 5])
async def test_patience_is_counted(scripted_transport, json_reply, most):
    """After max_retries repetitions the last failure comes out, about what was asked."""
    transport = scripted_transport(lambda _: json_reply({}, 503))
    with pytest.raises(ToAPIsError, match="The balance"):
        await asked(transport, max_retries=most)
    assert most + 1 == len(transport.requests)


async def test_asking_once_never_waits(scripted_transport, json_reply):
    """A single look raises whatever is no 2xx."""
    clock = FakeClock()
    for status, kind in ((500, ServerError), (302, ToAPIsError)):
        with pytest.raises(kind):
            await ask_once(scripted_transport([json_reply({}, status)]), GET, asked_for="x", clock=clock)
    assert clock.monotonic() == 0.0
