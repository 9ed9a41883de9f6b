"""Arguments and connectors, on real sockets."""

import base64

import pytest

from toapis_async.errors import APIConnectionError, ConfigurationError, Delivery, DownloadError
from toapis_async.policy.network.proxies import ProxyRules, parsed_proxy
from toapis_async.transport.connections import sessions
from toapis_async.transport.connections.sessions import Network, check_proxy_support
from toapis_async.transport.files import FileHost
from toapis_async.transport.over_aiohttp import AiohttpTransport
from toapis_async.values.exchange import HttpRequest, Purpose

EXAMPLE = "https://toapis.example/v1"
GET = HttpRequest(method="GET", path="/balance", purpose=Purpose.ACCOUNT)


def through(url, **rules):
    proxy = parsed_proxy(url, name="proxy")
    return Network(rules=ProxyRules(http=proxy, https=proxy, loopback=True, **rules))


def transport(network, base_url="http://127.0.0.1:9/v1", **settings):
    return AiohttpTransport(
        base_url=base_url, api_key="sk-1", user_agent="test", timeout_seconds=5.0, network=network, **settings
    )


async def test_plain_addresses_are_asked_of_the_proxy_itself(file_host, file_answer):
    """With the whole address and the credentials, which the far side never sees."""
    file_host.script = [file_answer(body=b"{}")]
    proxy = file_host.url("").replace("http://", "http://ann:p%3Aw@")
    async with transport(through(proxy)) as opened:
        assert (await opened.send(GET)).http_status == 200

    request = file_host.requests[0]
    assert request.target == "http://127.0.0.1:9/v1/balance"
    assert request.headers["proxy-authorization"] == "Basic " + base64.b64encode(b"ann:p:w").decode()
    assert request.headers["authorization"] == "Bearer sk-1"


@pytest.mark.parametrize("status", [403, 407, 502])
async def test_a_refused_tunnel_carried_nothing(connect_proxy, status):
    """The request is still here; a refusal for good is told as such."""
    async with (
        connect_proxy(refusal=status) as proxy,
        transport(through(proxy.url), "https://toapis.example/v1") as opened,
    ):
        with pytest.raises(APIConnectionError, match=str(status)) as caught:
            await opened.send(GET)

    assert caught.value.delivery is Delivery.NEVER
    assert caught.value.lasting is (status != 502)
    assert "sk-1" not in str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize("refusal", [2, 5])
async def test_a_refusing_socks_proxy_carried_nothing(socks_proxy, refusal):
    """Whatever its reason."""
    async with (
        socks_proxy(refusal=refusal) as proxy,
        transport(through(proxy.url), "https://toapis.example/v1") as opened,
    ):
        with pytest.raises(APIConnectionError, match="proxy") as caught:
            await opened.send(GET)

    assert caught.value.delivery is Delivery.NEVER


@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks5"])
async def test_a_proxy_that_is_down_carried_nothing(unused_tcp_port, scheme):
    """The proxy is what is named, and not the gateway; the password is not shown."""
    network = through(f"{scheme}://ann:secret-word@127.0.0.1:{unused_tcp_port}")
    async with transport(network, "https://localhost/v1") as opened:
        with pytest.raises(APIConnectionError, match="through the proxy") as caught:
            await opened.send(GET)

    assert caught.value.delivery is Delivery.NEVER
    assert "secret-word" not in repr(network) + str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("proxy", "address", "named", "advice"),
    [
        ("http://nonsense.invalid:1", "https://localhost/v1", "proxy http://nonsense.invalid:1", "Check proxy="),
        ("socks5h://nonsense.invalid:1", "https://localhost/v1", "proxy nonsense.invalid:1", "Check proxy="),
        ("socks5://127.0.0.1:1", "https://gateway.invalid/v1", "name gateway.invalid", "socks5h:// leaves them"),
    ],
)
async def test_a_name_that_nobody_knows(proxy, address, named, advice):
    """Whose name it is is said, and what can be done about it; the network is not blamed for a proxy."""
    async with transport(through(proxy), address) as opened:
        with pytest.raises(APIConnectionError) as caught:
            await opened.send(GET)

    assert named in str(caught.value)
    assert advice in caught.value.hint
    assert caught.value.delivery is Delivery.NEVER


async def test_a_file_behind_a_proxy_that_nobody_knows():
    """Downloads name it too."""
    host = FileHost(base_url=EXAMPLE, user_agent="t", network=through("http://nonsense.invalid:1"))
    async with host:
        with pytest.raises(DownloadError, match="proxy http://nonsense") as caught:
            async with host.get("https://files.example/a.png"):
                pass

    assert "Check proxy=" in caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/a.png",
        "https://metadata.google.internal/a.png",
        "https://intranet/a.png",
        "https://printer.local/a.png",
        "https://[fd00::1]/a.png",
    ],
)
async def test_what_an_address_says_by_itself_is_judged_behind_a_proxy_too(connect_proxy, url):
    """The proxy is not even asked."""
    async with (
        connect_proxy() as proxy,
        FileHost(base_url="https://toapis.example/v1", user_agent="t", network=through(proxy.url)) as host,
    ):
        with pytest.raises(DownloadError, match="refused") as caught:
            async with host.get(url):
                pass

    assert caught.value.http_status == 0
    assert proxy.asked == []


async def test_a_proxy_that_does_not_resolve_leaves_the_guard_in_place(socks_proxy):
    """A name that leads inside is refused here."""
    async with (
        socks_proxy() as proxy,
        FileHost(
            base_url="https://toapis.example/v1",
            user_agent="t",
            network=through(proxy.url.replace("socks5h", "socks5")),
            resolver=_Inside(),
        ) as host,
    ):
        with pytest.raises(DownloadError, match="not a public address"):
            async with host.get("https://files.example/a.png"):
                pass

    assert proxy.asked == []


async def test_the_proxy_itself_is_no_file_host(connect_proxy):
    """Its name may lie inside, and nobody but the proxy's own connections may use that."""
    async with (
        connect_proxy() as proxy,
        FileHost(
            base_url="https://toapis.example/v1", user_agent="t", network=through(proxy.url, exceptions=("*",))
        ) as host,
    ):
        with pytest.raises(DownloadError, match="the proxy's own"):
            async with host.get(proxy.url.replace("http:", "https:") + "/a.png"):
                pass


def test_socks_needs_its_package(monkeypatch):
    """It is told when the client is made, with what to install."""
    monkeypatch.setattr(sessions, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError) as caught:
        transport(through("socks5://ann:secret-word@proxy.example"), "https://toapis.example/v1")

    assert "[socks]" in caught.value.hint
    assert "secret-word" not in str(caught.value)
    check_proxy_support(parsed_proxy("http://proxy.example", name="proxy"))
    check_proxy_support(None)


async def test_a_lent_session_goes_through_a_named_proxy_as_far_as_it_can(file_host, file_answer):
    """HTTP proxies and certificates go with each request; SOCKS takes a connector, which is its owner's affair."""
    import aiohttp

    file_host.script = [file_answer(body=b"{}")]
    async with aiohttp.ClientSession() as lent:
        async with transport(through(file_host.url("")), http_session=lent) as opened:
            await opened.send(GET)
        assert file_host.requests[0].target == "http://127.0.0.1:9/v1/balance"

        with pytest.raises(ConfigurationError, match="lent"):
            transport(through("socks5://proxy.example"), http_session=lent)


class _Inside:
    """Leads every name to one private address."""

    async def resolve(self, host, port=0, family=0):
        return [{"hostname": host, "host": "10.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self):
        pass
