"""What every transport promises, on each of them, against one server on a real socket."""

import asyncio
from random import Random

import pytest

from toapis_async.clock import SystemClock
from toapis_async.errors import APIConnectionError, APITimeoutError, Delivery
from toapis_async.transport.over_aiohttp import AiohttpTransport
from toapis_async.transport.paced_transport import PacedTransport
from toapis_async.transport.pacing import Pacer
from toapis_async.values.exchange import HttpRequest, Purpose

PURPOSES = {Purpose.SUBMIT: "POST", Purpose.QUERY: "GET", Purpose.ACCOUNT: "GET"}


def plain(base_url, timeout):
    return AiohttpTransport(base_url=base_url, api_key="sk-1", user_agent="test", timeout_seconds=timeout)


def paced(setting):
    def make(base_url, timeout):
        inner = plain(base_url, timeout)
        return PacedTransport(inner, Pacer(setting, clock=SystemClock(), random=Random(1)))

    return make


@pytest.fixture(
    params=[plain, paced(None), paced("auto"), paced("svip")],
    ids=["aiohttp", "paced by nothing", "paced auto", "paced svip"],
)
async def transport(request, file_host):
    """Open each transport on the scripted host; the plain ones are closed at the end."""
    opened = []

    def make(timeout=5.0, base_url=None):
        made = request.param(base_url or file_host.base_url, timeout)
        opened.append(made)
        return made

    yield make
    for made in opened:
        await (made if isinstance(made, AiohttpTransport) else made._inner).aclose()


def asked(purpose):
    body = b"{}" if purpose is Purpose.SUBMIT else None
    return HttpRequest(
        method=PURPOSES[purpose],
        path="/somewhere",
        purpose=purpose,
        body=body,
        content_type="application/json" if body else None,
    )


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("status", [200, 204, 302, 401, 404, 429, 503])
async def test_a_reply_comes_back_whole(transport, file_host, file_answer, purpose, status):
    """Status, headers and body come back as they were sent, whatever they are."""
    body = b"" if status == 204 else b'{"odd": "\xff"}'
    file_host.script = [file_answer(status=status, body=body, headers={"X-Request-Id": "r-1"})]
    reply = await transport().send(asked(purpose))
    assert (status, body, "r-1") == (reply.http_status, reply.body, reply.headers["x-request-id"])


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_one_call_is_one_exchange(transport, file_host, file_answer, purpose):
    """A transport never repeats a request by itself, whatever the answer."""
    file_host.script = [file_answer(status=500, body=b"{}")]
    await transport().send(asked(purpose))
    assert len(file_host.requests) == 1


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_an_unreachable_host_was_never_told(transport, unused_tcp_port, purpose):
    """A refused connection says that nothing was delivered."""
    opened = transport(base_url=f"http://127.0.0.1:{unused_tcp_port}/v1")
    with pytest.raises(APIConnectionError) as caught:
        await opened.send(asked(purpose))
    assert caught.value.delivery is Delivery.NEVER


async def test_a_lost_reply_is_a_doubt(transport, file_host, file_answer):
    """A connection that breaks after the request says that it may have arrived."""
    file_host.script = [file_answer(sent=0, length=9, reset=True)]
    with pytest.raises(APIConnectionError) as caught:
        await transport().send(asked(Purpose.SUBMIT))
    assert caught.value.delivery is Delivery.UNKNOWN


async def test_a_late_reply_is_a_doubt(transport, file_host, file_answer):
    """A reply that does not come in time says so."""
    file_host.script = [file_answer(body=b"", length=5, sent=0, stall=True)]
    with pytest.raises(APITimeoutError) as caught:
        await transport(timeout=0.2).send(asked(Purpose.SUBMIT))
    assert caught.value.delivery is Delivery.UNKNOWN


async def test_cancelling_one_leaves_the_others(transport, file_host, file_answer):
    """A cancelled exchange ends at once, and later ones go through."""
    file_host.script = [file_answer(body=b"", length=5, sent=0, stall=True), file_answer(body=b"{}")]
    opened = transport()
    call = asyncio.create_task(opened.send(asked(Purpose.QUERY)))
    while not file_host.requests:
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await opened.send(asked(Purpose.QUERY))).http_status == 200
