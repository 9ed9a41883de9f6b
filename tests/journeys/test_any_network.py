"""Whatever network the machine is on: images and a video are made, and every byte goes the way that was said."""

from collections import Counter
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from toapis_async import APIConnectionError, AsyncToAPIs, FixedPolling, ImageRequest, Saved, VideoRequest
from toapis_async.testing import Constant, Scenario, Simulator

GATEWAY = "gateway.example"
SCENARIO = Scenario(files="small", latency=Constant(0.02))


@asynccontextmanager
async def behind(proxy, *, scheme=None, credentials="", client=None, **simulator):
    """A gateway whose name only the proxy knows, and a client that is told of the proxy."""
    async with Simulator(SCENARIO, tls=True, name=GATEWAY, **simulator) as sim:
        address = urlsplit(proxy.url)
        settings = {
            "api_key": sim.api_key,
            "base_url": sim.base_url,
            "proxy": f"{scheme or address.scheme}://{credentials}{address.netloc}",
            "ssl_context": sim.client_ssl_context(),
            "rate_limits": None,
            "polling": FixedPolling(0.1),
        }
        async with AsyncToAPIs(**{**settings, **(client or {})}) as opened:
            yield sim, opened


async def twelve_and_a_film(client, directory):
    requests = [ImageRequest(f"a fox, number {number}") for number in range(12)]
    requests.append(VideoRequest("a fox that runs", model="veo3.1-fast"))
    async with client.session(directory) as session:
        return Counter([type(outcome) async for outcome in session.stream(requests)])


async def test_behind_an_http_proxy(connect_proxy, tmp_path):
    """Nothing but the proxy knows where the gateway and its files are."""
    async with connect_proxy(names={GATEWAY: "127.0.0.1"}) as proxy, behind(proxy) as (sim, client):
        assert await twelve_and_a_film(client, tmp_path) == {Saved: 13}

        assert {GATEWAY} == {host for host, _ in proxy.asked}
        assert sim.books.downloads


async def test_behind_an_http_proxy_with_a_password(connect_proxy, tmp_path):
    """User and password go to the proxy, quoted as addresses have them, and nowhere else."""
    facts = {"names": {GATEWAY: "127.0.0.1"}, "user": "ann@example", "password": "p:w/d"}
    async with (
        connect_proxy(**facts) as proxy,
        behind(proxy, credentials="ann%40example:p%3Aw%2Fd@") as (_, client),
    ):
        assert await twelve_and_a_film(client, tmp_path) == {Saved: 13}


@pytest.mark.parametrize("user", [None, "ann"])
async def test_behind_a_socks_proxy_that_resolves(socks_proxy, tmp_path, user):
    """The name itself goes to the proxy, with a password or without."""
    facts = {"names": {GATEWAY: "127.0.0.1"}, "user": user, "password": user and "secret"}
    async with (
        socks_proxy(**facts) as proxy,
        behind(proxy, credentials="ann:secret@" if user else "") as (_, client),
    ):
        assert await twelve_and_a_film(client, tmp_path) == {Saved: 13}

        assert {GATEWAY} == {host for host, _ in proxy.asked}


async def test_behind_a_socks_proxy_that_does_not_resolve(socks_proxy, tmp_path):
    """Names are resolved here, and the proxy sees addresses."""
    async with (
        socks_proxy() as proxy,
        Simulator(SCENARIO, tls=True, name="localhost") as sim,
        AsyncToAPIs(
            api_key=sim.api_key,
            base_url=sim.base_url,
            proxy=proxy.url.replace("socks5h", "socks5"),
            ssl_context=sim.client_ssl_context(),
            polling=FixedPolling(0.1),
            rate_limits=None,
        ) as client,
    ):
        assert await twelve_and_a_film(client, tmp_path) == {Saved: 13}

        assert {"127.0.0.1", "::1"} >= {host for host, _ in proxy.asked}


async def test_the_environment_names_the_proxy(connect_proxy, tmp_path, monkeypatch):
    """As it does for every other program."""
    async with connect_proxy(names={GATEWAY: "127.0.0.1"}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "elsewhere.example")
        async with behind(proxy, client={"proxy": "environment"}) as (_, client):
            assert await twelve_and_a_film(client, tmp_path) == {Saved: 13}

        assert {GATEWAY} == {host for host, _ in proxy.asked}


async def test_a_private_authority(tmp_path):
    """A context that trusts it is enough, for the gateway and for files."""
    async with (
        Simulator(SCENARIO, tls=True) as sim,
        AsyncToAPIs(
            api_key=sim.api_key, base_url=sim.base_url, ssl_context=sim.client_ssl_context(), polling=FixedPolling(0.1)
        ) as client,
    ):
        assert await twelve_and_a_film(client, tmp_path) == {Saved: 13}


@pytest.mark.parametrize("tls", [False, True])
async def test_over_version_six(tmp_path, tls):
    """Addresses in brackets, for the gateway and for files."""
    async with Simulator(SCENARIO, host="::1", tls=tls, file_hosts=("::1",)) as sim:
        context = sim.client_ssl_context() if tls else None
        settings = {"api_key": sim.api_key, "base_url": sim.base_url, "ssl_context": context}
        async with AsyncToAPIs(**settings, polling=FixedPolling(0.1)) as client:
            assert await twelve_and_a_film(client, tmp_path) == {Saved: 13}


async def test_the_first_file_host_is_dead(tmp_path):
    """The others have the same files; only the first transfers notice."""
    mirrors = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
    async with Simulator(SCENARIO, file_hosts=mirrors) as sim:
        await sim.stop_file_host(0)
        await sim.stop_file_host(1)
        settings = {"api_key": sim.api_key, "base_url": sim.base_url, "polling": FixedPolling(0.1)}
        async with AsyncToAPIs(**settings, file_hosts={"127.0.0.2": mirrors[1:]}) as client:
            assert await twelve_and_a_film(client, tmp_path) == {Saved: 13}


async def test_a_certificate_that_nobody_trusts_is_told_at_once(tmp_path):
    """It is no outage to wait out: nothing is sent twice, nothing is charged, and the error says what to do."""
    async with (
        Simulator(SCENARIO, tls=True) as sim,
        AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url, proxy=None) as client,
    ):
        for call in (client.images.submit(ImageRequest("a fox")), client.account.balance()):
            with pytest.raises(APIConnectionError) as caught:
                await call
            assert caught.value.lasting
            assert "SSL_CERT_FILE" in caught.value.hint
        async with client.session(tmp_path) as session:
            with pytest.raises(APIConnectionError, match="certificate"):
                await session.run([ImageRequest("a fox"), ImageRequest("a bear")])
        assert sim.books.requests.total() == 0


@pytest.mark.parametrize("secret", ["secret-word"])
async def test_a_proxy_that_refuses_is_told_at_once(connect_proxy, secret):
    """With what it wants, and without the password that it did not like."""
    async with connect_proxy(user="ann", password="another") as proxy:
        async with behind(proxy, credentials=f"ann:{secret}@") as (_, client):
            with pytest.raises(APIConnectionError, match="407") as caught:
                await client.account.balance()
            assert "NO_PROXY" in caught.value.hint
            assert secret not in repr(caught.value) + str(caught.value) + repr(client) + repr(client._settings)
        assert len(proxy.asked) == 1
