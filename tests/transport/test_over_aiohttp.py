"""The transport on aiohttp: what is sent, and what a broken exchange means for the request."""

import asyncio
import gzip
import socket
import traceback
import warnings

import aiohttp
import pytest

from toapis_async.errors import APIConnectionError, APITimeoutError, ConfigurationError, Delivery
from toapis_async.testing import Simulator
from toapis_async.transport.over_aiohttp import MAX_REPLY_BYTES, AiohttpTransport
from toapis_async.values.exchange import HttpRequest, Purpose

KEY = "sk-marker-0123"
GET = HttpRequest(method="GET", path="/balance", purpose=Purpose.ACCOUNT)
POST = HttpRequest(
    method="POST",
    path="/images/generations",
    purpose=Purpose.SUBMIT,
    body=b'{"prompt": "a fox"}',
    content_type="application/json",
)


@pytest.fixture
def transport():
    """Make a transport for a base address."""

    def make(base_url, **settings):
        asked = {"api_key": KEY, "user_agent": "test", "timeout_seconds": 5.0, **settings}
        return AiohttpTransport(base_url=base_url, **asked)

    return make


async def test_the_key_the_body_and_nothing_else(transport, file_host, file_answer):
    """Key, agent and content type go along; cookies of replies do not come back."""
    file_host.script = [file_answer(body=b"{}", headers={"Set-Cookie": "a=b; Path=/"})]
    async with transport(file_host.base_url) as opened:
        for request in (POST, GET):
            reply = await opened.send(request)
            assert (reply.http_status, reply.body) == (200, b"{}")
    first, second = file_host.requests
    assert (first.method, first.target) == ("POST", "/v1/images/generations")
    assert (f"Bearer {KEY}", "test", "application/json", "19") == tuple(
        first.headers[name] for name in ("authorization", "user-agent", "content-type", "content-length")
    )
    assert "content-type" not in second.headers
    assert "cookie" not in second.headers


async def test_paths_go_out_as_they_are(transport, file_host, file_answer):
    """What is percent-encoded stays so; nothing is quoted twice or unquoted."""
    file_host.script = [file_answer(body=b"{}")]
    async with transport(file_host.base_url) as opened:
        await opened.send(HttpRequest(method="GET", path="/x/a%2Fb%20c%25?type=image", purpose=Purpose.QUERY))
    assert [request.target for request in file_host.requests] == ["/v1/x/a%2Fb%20c%25?type=image"]


async def test_redirects_are_not_followed(transport, file_host, file_answer):
    """A redirect would carry the key to a place that nobody named."""
    file_host.script = [file_answer(status=302, headers={"Location": "https://evil.example/"}, body=b"")]
    async with transport(file_host.base_url) as opened:
        assert (await opened.send(GET)).http_status == 302
    assert len(file_host.requests) == 1


@pytest.mark.parametrize("lent", [False, True])
async def test_long_headers_and_many_of_them_are_read(transport, file_host, file_answer, lent):
    """A policy of 9 kB in each of 140 headers does not hide a charged task, in a lent session neither."""
    policies = {f"Content-Security-Policy-{number}": "a" * 9000 for number in range(140)}
    file_host.script = [file_answer(body=b'{"id": "t"}', headers=policies)]
    async with (
        aiohttp.ClientSession() as session,
        transport(file_host.base_url, http_session=session if lent else None) as opened,
    ):
        reply = await opened.send(POST)
    assert (
        reply.http_status,
        reply.body,
        reply.headers["content-security-policy-139"],
    ) == (200, b'{"id": "t"}', "a" * 9000)


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500, 599])
async def test_every_status_is_a_reply(transport, file_host, file_answer, status):
    """No status raises; header names compare without case."""
    file_host.script = [file_answer(status=status, body=b"{}", headers={"retry-after": "7"})]
    async with transport(file_host.base_url) as opened:
        reply = await opened.send(GET)
    assert (status, "7") == (reply.http_status, reply.headers["Retry-After"])


async def test_a_lent_session_is_left_open_and_cannot_change_the_meaning(transport, file_host, file_answer):
    """A session that raises for statuses or has headers of its own changes nothing, and stays open."""
    file_host.script = [file_answer(status=429, body=b"{}")]
    session = aiohttp.ClientSession(raise_for_status=True, headers={"Authorization": "Bearer other"})
    async with transport(file_host.base_url, http_session=session) as opened:
        assert (await opened.send(POST)).http_status == 429
    assert not session.closed
    assert f"Bearer {KEY}" == file_host.requests[0].headers["authorization"]
    await session.close()


async def test_a_lent_session_that_cannot_work_is_named(transport, file_host, file_answer):
    """A closed session, or one with credentials of its own, is a setting to mend; nothing was sent."""
    file_host.script = [file_answer(body=b"{}")]
    closed = aiohttp.ClientSession()
    await closed.close()
    with warnings.catch_warnings(action="ignore"):  # newer aiohttp would rather have a header
        with_auth = aiohttp.ClientSession(auth=aiohttp.BasicAuth("user", "secret"))
    for session in (closed, with_auth):
        with pytest.raises(ConfigurationError) as caught:
            await transport(file_host.base_url, http_session=session).send(POST)
        assert "http_session" in caught.value.hint
    await with_auth.close()
    assert file_host.requests == []


async def test_its_own_session_is_closed_with_it(transport, file_host, file_answer):
    """After closing, its own session is gone and a call says so; it can be entered again."""
    file_host.script = [file_answer(body=b"{}")]
    opened = transport(file_host.base_url)
    await opened.send(GET)
    session = opened._pool.session()
    await opened.aclose()
    assert session.closed
    await opened.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        await opened.send(GET)
    async with opened:
        await opened.send(GET)


async def test_nobody_listens(transport, unused_tcp_port):
    """A refused connection carried nothing."""
    async with transport(f"http://127.0.0.1:{unused_tcp_port}/v1") as opened:
        with pytest.raises(APIConnectionError) as caught:
            await opened.send(POST)
    assert caught.value.delivery is Delivery.NEVER
    assert "TOAPIS_BASE_URL" in caught.value.hint


async def test_no_such_host(transport):
    """A name that does not resolve carried nothing."""
    async with transport("https://nobody.invalid/v1") as opened:
        with pytest.raises(APIConnectionError) as caught:
            await opened.send(POST)
    assert caught.value.delivery is Delivery.NEVER


async def test_a_certificate_that_nobody_trusts(transport):
    """A failed TLS handshake carried nothing, and the key above all."""
    async with Simulator("instant", tls=True) as sim, transport(f"{sim.base_url}/v1") as opened:
        with pytest.raises(APIConnectionError) as caught:
            await opened.send(POST)
        assert caught.value.delivery is Delivery.NEVER
        assert isinstance(caught.value.__cause__, aiohttp.ClientConnectorError)
        assert sum(sim.books.requests.values()) == 0


@pytest.mark.parametrize(
    "answer",
    [
        {"sent": 0, "reset": True, "length": 9},
        {"body": b'{"id": "tsk_1"}', "sent": 5},
        {"body": b'{"id": "tsk_1"}', "sent": 5, "reset": True},
        {"body": b"x" * 300, "chunked": True, "sent": 200},
    ],
    ids=["reset", "cut", "cut by reset", "chunks cut"],
)
async def test_a_reply_that_breaks_leaves_a_doubt(transport, file_host, file_answer, answer):
    """Once the request was written, nobody knows whether it was taken."""
    file_host.script = [file_answer(**answer)]
    async with transport(file_host.base_url) as opened:
        with pytest.raises(APIConnectionError) as caught:
            await opened.send(POST)
    assert caught.value.delivery is Delivery.UNKNOWN
    assert len(file_host.requests) == 1, "a POST is never repeated below our own books"


async def test_a_kept_connection_that_dies_is_a_doubt_and_no_repetition(transport, file_host, file_answer):
    """A POST on a reused connection that the other side has closed is not sent again by aiohttp."""
    file_host.script = [file_answer(body=b"{}"), file_answer(sent=0, length=9, reset=True)]
    async with transport(file_host.base_url) as opened:
        await opened.send(GET)
        with pytest.raises(APIConnectionError) as caught:
            await opened.send(POST)
    assert caught.value.delivery is Delivery.UNKNOWN
    assert [request.method for request in file_host.requests] == ["GET", "POST"]


async def test_no_answer_in_time_is_a_doubt(transport, file_host, file_answer):
    """A reply that does not come within the time limit leaves a doubt."""
    file_host.script = [file_answer(body=b"", length=10, sent=0, stall=True)]
    async with transport(file_host.base_url, timeout_seconds=0.2) as opened:
        with pytest.raises(APITimeoutError, match=r"0\.2 s") as caught:
            await opened.send(POST)
    assert caught.value.delivery is Delivery.UNKNOWN


async def test_no_connection_in_time_carried_nothing(transport):
    """A connection that never opens is certain: nothing was sent."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        await asyncio.sleep(0.05)
        async with transport(f"http://127.0.0.1:{full.getsockname()[1]}/v1", timeout_seconds=0.3) as opened:
            with pytest.raises(APITimeoutError) as caught:
                await opened.send(POST)
        for filler in fillers:
            filler.close()
    assert caught.value.delivery is Delivery.NEVER


async def test_cancelling_an_exchange_leaves_the_pool_usable(transport, file_host, file_answer):
    """A cancelled exchange is a cancellation, and the next one works."""
    file_host.script = [file_answer(body=b"", length=10, sent=0, stall=True), file_answer(body=b"{}")]
    async with transport(file_host.base_url) as opened:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await opened.send(GET)
        assert (await opened.send(GET)).http_status == 200


@pytest.mark.parametrize("how", ["declared", "chunked", "bomb"])
async def test_an_endless_reply_is_not_swallowed(transport, file_host, file_answer, how):
    """A reply longer than any that makes sense is cut off, even one that was squeezed into a few kilobytes."""
    long = bytes(MAX_REPLY_BYTES + 1)
    file_host.script = [
        {
            "declared": file_answer(body=long),
            "chunked": file_answer(body=long, chunked=True),
            "bomb": file_answer(body=gzip.compress(long), headers={"Content-Encoding": "gzip"}),
        }[how]
    ]
    async with transport(file_host.base_url, timeout_seconds=20.0) as opened:
        with pytest.raises(APIConnectionError) as caught:
            await opened.send(GET)
    assert caught.value.delivery is Delivery.UNKNOWN


async def test_a_squeezed_reply_is_read(transport, file_host, file_answer):
    """A gzipped reply arrives as what it was."""
    file_host.script = [file_answer(body=gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})]
    async with transport(file_host.base_url) as opened:
        assert (await opened.send(GET)).body == b'{"a": 1}'


@pytest.mark.parametrize("garbage", [b"no http at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
async def test_what_is_no_http_is_a_doubt(transport, garbage):
    """A server that speaks something else leaves a doubt, in our own words."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(garbage)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, transport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1") as opened:
        with pytest.raises(APIConnectionError) as caught:
            await opened.send(POST)
    assert caught.value.delivery is Delivery.UNKNOWN


@pytest.mark.parametrize("status", [200, 401])
async def test_the_key_is_struck_out_of_replies(transport, file_host, file_answer, status):
    """Whatever its status, a reply that quotes the key arrives without it, body and headers alike."""
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
    file_host.script = [
        file_answer(status=status, body=f"<{KEY}>{escaped}".encode(), headers={"X-Request-Id": f"r-{KEY}"})
    ]
    async with transport(file_host.base_url) as opened:
        reply = await opened.send(GET)
        assert reply.body == b"<***>***"
        assert reply.headers["x-request-id"] == "r-***"
        assert KEY not in repr(opened)


async def test_the_key_is_in_no_error(transport):
    """What is no HTTP may quote the key, and aiohttp's own error keeps the headers that were sent."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\n{KEY} no header\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, transport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1") as opened:
        with pytest.raises(APIConnectionError) as caught:
            await opened.send(POST)
    assert KEY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value.__cause__)
    assert caught.value.delivery is Delivery.UNKNOWN


def test_a_second_event_loop_has_connections_of_its_own(transport):
    """A transport whose loop has stopped goes on in the next one, with new connections and without a warning."""
    answered = []

    async def serve_and_ask(opened_on):
        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", port)
        async with server:
            answered.append((await opened_on.send(GET)).body)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    opened = transport(f"http://127.0.0.1:{port}/v1")
    asyncio.run(serve_and_ask(opened))
    asyncio.run(serve_and_ask(opened))

    async def close():
        await opened.aclose()

    asyncio.run(close())
    assert answered == [b"{}", b"{}"]


async def test_two_event_loops_at_once_are_refused(transport, file_host, file_answer):
    """While its loop is running, no other thread's loop gets anything sent; a lent session of another loop neither."""
    file_host.script = [file_answer(body=b"{}")]
    async with transport(file_host.base_url) as opened:
        await opened.send(GET)
        with pytest.raises(ConfigurationError, match="another event loop; nothing was sent"):
            await asyncio.to_thread(asyncio.run, opened.send(POST))
    async with aiohttp.ClientSession() as lent, transport(file_host.base_url, http_session=lent) as borrowing:
        with pytest.raises(ConfigurationError, match="another event loop; nothing was sent"):
            await asyncio.to_thread(asyncio.run, borrowing.send(POST))
    assert len(file_host.requests) == 1


async def test_a_server_that_hangs_up_is_a_doubt(transport):
    """A connection that is closed without a word after the request leaves a doubt."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, transport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1") as opened:
        with pytest.raises(APIConnectionError) as caught:
            await opened.send(POST)
    assert caught.value.delivery is Delivery.UNKNOWN


async def test_many_at_once(transport):
    """Hundreds of exchanges at once do not meet aiohttp's own ceiling of 100 connections."""
    together, most = 0, 0

    async def answer(reader, writer):
        nonlocal together, most
        together += 1
        most = max(most, together)
        await reader.readuntil(b"\r\n\r\n")
        while most < 150:
            await asyncio.sleep(0.01)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=300)
    async with server, transport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1") as opened:
        replies = await asyncio.gather(*(opened.send(GET) for _ in range(150)))
    assert {200} == {reply.http_status for reply in replies}
