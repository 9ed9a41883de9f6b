"""The keyless way to file hosts, on real sockets."""

import asyncio
import socket
import ssl
import traceback
from urllib.parse import quote

import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver

from toapis_async.errors import ConfigurationError, DownloadError, TruncatedError
from toapis_async.policy.files.progress import ProgressRule
from toapis_async.transport.connections.sessions import Network
from toapis_async.transport.files import FileHost

HASTY = ProgressRule(first_byte_seconds=0.05, behind_seconds=0.05)
SECRET = "signature-that-nobody-may-see"


class Answers(AbstractResolver):
    """A resolver that gives the same address for every name."""

    def __init__(self, ip):
        self.ip = ip

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [{"hostname": host, "host": self.ip, "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self):
        pass


def opened(scripted, **options):
    return FileHost(base_url=scripted.base_url, user_agent="tests/1", **options)


async def body(host, url, **options):
    async with host.get(url, **options) as reply:
        return b"".join([chunk async for chunk in reply.chunks()])


async def test_a_file_and_what_is_said_about_it(file_host, file_answer):
    """Status, length, validator and type are there before the body."""
    headers = {"ETag": '"v1"', "Content-Type": "image/png", "Retry-After": "7"}
    file_host.script = [file_answer(body=b"content", headers=headers)]

    async with opened(file_host) as host, host.get(file_host.url("/a.png?sig=1#top")) as reply:
        assert (reply.http_status, reply.declared_length, reply.validator) == (200, 7, '"v1"')
        assert (reply.content_type, reply.content_range, reply.retry_after_seconds) == ("image/png", None, 7.0)
        assert reply.url == file_host.url("/a.png")
        assert [chunk async for chunk in reply.chunks()] == [b"content"]


async def test_only_what_is_needed_is_sent(file_host, file_answer):
    """No key, no cookie, no wish for compression; the agent's name is ours."""
    file_host.script = [file_answer(body=b"x", headers={"Set-Cookie": "a=b"})]
    async with opened(file_host) as host:
        for _ in range(2):
            await body(host, file_host.url())

    assert file_host.requests[1].headers == {
        "host": file_host.url("").removeprefix("http://"),
        "user-agent": "tests/1",
        "accept": "*/*",
        "accept-encoding": "identity",
    }


async def test_the_environment_adds_nothing(file_host, file_answer, tmp_path, monkeypatch):
    """Neither netrc nor a proxy variable reaches the file host."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    file_host.script = [file_answer(body=b"x")]
    async with opened(file_host) as host:
        assert await body(host, file_host.url()) == b"x"

    assert "authorization" not in file_host.requests[0].headers


async def test_the_rest_of_a_file_is_asked_for(file_host, file_answer):
    """A range goes with the validator that it depends on."""
    file_host.script = [file_answer(status=206, body=b"rest", headers={"Content-Range": "bytes 3-6/7"})]
    async with opened(file_host) as host, host.get(file_host.url(), offset=3, validator='"v1"') as reply:
        assert reply.content_range == "bytes 3-6/7"
        assert [chunk async for chunk in reply.chunks()] == [b"rest"]

    assert file_host.requests[0].headers["range"] == "bytes=3-"
    assert file_host.requests[0].headers["if-range"] == '"v1"'


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"v1"', "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}, '"v1"'),
        ({"ETag": 'W/"v1"', "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}, "Sun, 06 Nov 1994 08:49:37 GMT"),
        ({"ETag": 'W/"v1"'}, None),
        ({}, None),
        ({"ETag": '"v1"', "Content-Encoding": "gzip"}, None),
        ({"ETag": '"v1"', "Content-Encoding": "identity"}, '"v1"'),
    ],
)
async def test_only_strong_validators_count(file_host, file_answer, headers, validator):
    """Weak tags and compressed bodies cannot be continued byte by byte."""
    file_host.script = [file_answer(body=b"x", headers=headers)]
    async with opened(file_host) as host, host.get(file_host.url()) as reply:
        assert reply.validator == validator


async def test_addresses_are_kept_as_they_are(file_host, file_answer):
    """A signature in the address survives, whatever its encoding; spaces are quoted."""
    file_host.script = [file_answer(body=b"x")]
    async with opened(file_host) as host:
        for path in ("/a%2Fb%7E.png?sig=%2f%3D+%20&e=", "/a b.png", "/é.png", '/é.png?sig=x%2Fy%2Bz%3D&q={"a|b"}'):
            await body(host, file_host.url(path))

    assert [request.target for request in file_host.requests] == [
        "/a%2Fb%7E.png?sig=%2f%3D+%20&e=",
        "/a%20b.png",
        "/%C3%A9.png",
        '/%C3%A9.png?sig=x%2Fy%2Bz%3D&q={"a|b"}',
    ]


@pytest.mark.parametrize(
    "location",
    [
        "/猫.png?sig=x%2Fy%2Bz%3D".encode().decode("latin-1"),
        "/\xe7.png?sig=x%2Fy%2Bz%3D",
        " /a b.png?sig=x%2Fy%2Bz%3D ",
    ],
)
async def test_a_redirect_is_quoted_as_little_as_an_address(file_host, file_answer, location):
    """Foreign bytes and spaces of a Location are quoted, and the signature beside them is left alone."""
    file_host.script = [file_answer(status=302, headers={"Location": location}), file_answer(body=b"x")]
    async with opened(file_host) as host:
        assert await body(host, file_host.url()) == b"x"

    wanted = quote(location.strip().encode("latin-1"), safe="/?=%")
    assert wanted == file_host.requests[1].target


@pytest.mark.parametrize("form", ["/a.png", "//{netloc}/a.png", " {base}/a.png "])
async def test_addresses_with_one_reading_are_understood(file_host, file_answer, form):
    """Relative and protocol-relative addresses begin where the gateway is; spaces around them are none of them."""
    file_host.script = [file_answer(body=b"x")]
    base = file_host.url("")
    async with opened(file_host) as host:
        assert await body(host, form.format(base=base, netloc=base.partition("//")[2])) == b"x"

    assert file_host.requests[0].target == "/a.png"


async def test_redirects_are_followed_within_bounds(file_host, file_answer):
    """Relative and absolute targets work, three times at most."""
    there = file_host.url("/c.png")
    file_host.script = [
        file_answer(status=302, headers={"Location": "/b.png?x=1"}),
        file_answer(status=308, headers={"Location": there}),
        file_answer(body=b"x"),
    ]
    async with opened(file_host) as host:
        assert await body(host, file_host.url("/a.png")) == b"x"
        assert [request.target for request in file_host.requests] == ["/a.png", "/b.png?x=1", "/c.png"]

        file_host.script = [file_answer(status=301, headers={"Location": "/a.png"})]
        with pytest.raises(DownloadError, match="More than 3 redirects"):
            await body(host, file_host.url("/a.png"))

    assert len(file_host.requests) == 3 + 4


async def test_a_redirect_without_a_target_is_an_answer(file_host, file_answer):
    """Whoever asked judges it."""
    file_host.script = [file_answer(status=302)]
    async with opened(file_host) as host, host.get(file_host.url()) as reply:
        assert reply.http_status == 302


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://192.168.0.1/",
        "file:///etc/passwd",
        "http://files.toapis.com/",
        "https://user:secret@files.toapis.com/",
        "//10.0.0.1/x",
        "https://[fd00::1]/",
    ],
)
async def test_redirects_to_forbidden_places_are_refused(file_host, file_answer, target):
    """A redirect is held to the same rule as the first address."""
    file_host.script = [file_answer(status=302, headers={"Location": target})]
    async with opened(file_host) as host:
        with pytest.raises(DownloadError, match="refused") as caught:
            await body(host, file_host.url())

    assert caught.value.http_status == 0
    assert len(file_host.requests) == 1


@pytest.mark.parametrize(
    "url", [f"https://127.0.0.1/a?sig={SECRET}", f"http://x.com/a?sig={SECRET}", f"nonsense?sig={SECRET}"]
)
async def test_refused_addresses_are_never_asked(url):
    """Nothing is sent, and the query stays out of the error."""
    async with FileHost(base_url="https://toapis.com/v1", user_agent="t") as host:
        with pytest.raises(DownloadError, match="refused") as caught:
            await body(host, url)

    assert SECRET not in str(caught.value) + caught.value.url


async def test_a_name_that_resolves_inside_is_refused(file_host):
    """The check after name resolution catches what the text of an address hides."""
    inside = Answers("127.0.0.1")
    async with FileHost(base_url="https://toapis.com/v1", user_agent="t", resolver=inside) as host:
        with pytest.raises(DownloadError, match=r"resolves to 127\.0\.0\.1"):
            await body(host, file_host.url().replace("http://127.0.0.1", "https://files.example"))

    assert file_host.requests == []


async def test_tls_hosts_are_verified():
    """A certificate that nobody vouches for is refused; one from a trusted authority serves."""
    authority = trustme.CA()
    server_side, client_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("files.example").configure_cert(server_side)
    authority.configure_trust(client_side)

    async def serve(_request):
        return web.Response(body=b"x")

    app = web.Application()
    app.router.add_get("/a.png", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_side).start()
    url = f"https://files.example:{runner.addresses[0][1]}/a.png"
    options = {"base_url": "http://127.0.0.1:1/v1", "user_agent": "t", "resolver": Answers("127.0.0.1")}
    try:
        async with FileHost(**options, network=Network(ssl_context=client_side)) as host:
            assert await body(host, url) == b"x"
        async with FileHost(**options) as host:
            with pytest.raises(DownloadError, match="could not be reached"):
                await body(host, url)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("options", [{"sent": 3}, {"sent": 3, "reset": True}, {"sent": 3, "chunked": True}])
async def test_broken_transfers_are_truncated(file_host, file_answer, options):
    """A body that ends early, however it does, is told from a whole one."""
    file_host.script = [file_answer(body=bytes(100), **options)]
    async with opened(file_host) as host:
        with pytest.raises(TruncatedError):
            await body(host, file_host.url(f"/a?sig={SECRET}"))


async def test_compressed_bodies_are_undone(file_host, file_answer):
    """A host that compresses although it was asked not to is understood; its length says nothing."""
    import gzip

    file_host.script = [file_answer(body=gzip.compress(b"content"), headers={"Content-Encoding": "gzip"})]
    async with opened(file_host) as host, host.get(file_host.url()) as reply:
        assert reply.declared_length is None
        assert b"".join([chunk async for chunk in reply.chunks()]) == b"content"


async def test_silence_is_not_waited_out(file_host, file_answer):
    """Neither before the answer nor in the middle of the body."""
    file_host.script = [file_answer(body=bytes(100), sent=10, stall=True)]
    async with opened(file_host, progress=HASTY) as host:
        with pytest.raises(DownloadError, match="stalled"):
            await body(host, file_host.url())

    async def keep_silent(reader, writer):
        await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with opened(file_host, progress=HASTY) as host:
        with pytest.raises(DownloadError, match="in time"):
            await body(host, f"http://127.0.0.1:{port}/a")
    server.close()


async def test_a_host_that_is_down_is_named_without_the_query(file_host):
    """The signature in an address stays out of the text, the error and the traceback."""
    url = f"http://127.0.0.1:1/a?sig={SECRET}"
    async with opened(file_host) as host:
        with pytest.raises(DownloadError, match="could not be reached") as caught:
            await body(host, url)

    assert caught.value.url == "http://127.0.0.1:1/a"
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_an_answer_that_is_no_http_does_not_show_the_query():
    """aiohttp's own error would show the whole address."""

    async def babble(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-babble\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with FileHost(base_url=base, user_agent="t") as host:
        with pytest.raises(DownloadError) as caught:
            await body(host, f"{base}/a?sig={SECRET}")
    server.close()

    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_a_closed_host_says_so():
    """Use after closing is a mistake of the caller's."""
    async with FileHost(base_url="https://toapis.com/v1", user_agent="t") as host:
        pass
    with pytest.raises(ConfigurationError, match="closed"):
        await body(host, "https://files.toapis.com/a")


async def test_no_more_connections_than_allowed(file_host, file_answer):
    """A host is not stormed, and connections are used again."""
    file_host.script = [file_answer(body=b"x")]
    async with opened(file_host, connections=2) as host:
        await asyncio.gather(*(body(host, file_host.url()) for _ in range(20)))

    assert len(file_host.requests) == 20
    assert file_host.connections <= 2
