"""Mirrors, rewritten addresses, headers and views, on real sockets."""

import pytest

from toapis_async import AsyncToAPIs, ConfigurationError, FixedPolling, ImageRequest
from toapis_async.errors import APITimeoutError, DownloadError, LinkExpiredError
from toapis_async.testing import Constant, Scenario, Simulator


async def made(client):
    return await client.images.generate(ImageRequest("a fox"))


def settings(sim, **more):
    return {"api_key": sim.api_key, "base_url": sim.base_url, "polling": FixedPolling(0.1), "rate_limits": None, **more}


@pytest.fixture
async def mirrored():
    """A gateway whose files lie on two hosts of their own."""
    scenario = Scenario(files="small", latency=Constant(0.02))
    async with Simulator(scenario, file_hosts=("127.0.0.2", "127.0.0.3")) as sim:
        yield sim


async def test_an_expired_link_is_the_named_hosts_word(mirrored, tmp_path):
    """Mirrors are not asked first whether they think so, too: the task is looked up."""
    async with AsyncToAPIs(**settings(mirrored, file_hosts={"127.0.0.2": ("127.0.0.3",)})) as client:
        task = await made(client)
        mirrored.clock.advance(90_000)
        with pytest.raises((LinkExpiredError, DownloadError)):
            await client.images.read(task)


async def test_addresses_can_be_rewritten(mirrored):
    """What the function returns is fetched, under the guard; what it breaks with is a wrong setting."""
    seen = []

    def nearer(url):
        seen.append(url)
        return url.replace("127.0.0.2", "127.0.0.3")

    await mirrored.stop_file_host(0)
    async with AsyncToAPIs(**settings(mirrored, rewrite_file_url=nearer)) as client:
        task = await made(client)
        assert len(await client.images.read(task)) == 1
        assert seen == list(task.urls)
    async with AsyncToAPIs(**settings(mirrored, rewrite_file_url=lambda url: "https://10.0.0.1/a")) as client:
        with pytest.raises(DownloadError, match="not a public address"):
            await client.images.read(task)
    for broken in (lambda url: None, lambda url: {}[url]):
        async with AsyncToAPIs(**settings(mirrored, rewrite_file_url=broken)) as client:
            with pytest.raises(ConfigurationError, match="rewrite_file_url"):
                await client.images.read(task)


async def test_headers_go_to_the_gateway_and_not_to_file_hosts(file_host, file_answer):
    """Unless they are for file hosts."""
    file_host.script = [file_answer(body=b'{"success": true, "data": {}}')]
    more = {"default_headers": {"User-Agent": "mine/1", "X-A": "1"}, "file_headers": {"X-B": "2"}}
    async with AsyncToAPIs(api_key="sk-1", base_url=file_host.base_url, **more) as client:
        with pytest.raises(Exception):  # noqa: B017 - what is sent is the point
            await client.with_options(default_headers={"X-A": "3", "X-C": "4"}).account.balance()
        async with client._connections.files.get(file_host.url("/a.png")):
            pass

    asked, fetched = file_host.requests[0].headers, file_host.requests[-1].headers
    assert (asked["user-agent"], asked["x-a"], asked["x-c"], "x-b" in asked) == ("mine/1", "3", "4", False)
    assert (fetched["x-b"], "x-a" in fetched, "mine" in fetched["user-agent"]) == ("2", False, False)


async def test_a_view_shares_what_is_open_and_closes_nothing():
    """Connections, limits and knowledge are the client's; options are the view's."""
    async with (
        Simulator(Scenario(files="small", latency=Constant(0.02))) as sim,
        AsyncToAPIs(**settings(sim)) as client,
    ):
        async with client.with_options(timeout=7.0, max_retries=0, polling=FixedPolling(0.2)) as view:
            await made(view)
            assert view.images is not client.images
            assert view._gateway.unpaced._pool is client._gateway.unpaced._pool
            assert view._gateway.latencies is client._gateway.latencies
            assert view._gateway.client_ids.answered
            assert client._gateway.client_ids.answered
            assert (view._gateway.retries.max_retries, client._gateway.retries.max_retries) == (0, 3)
        await view.aclose()
        await made(client)
        await made(view)
    with pytest.raises(ConfigurationError, match="closed"):
        await view.account.balance()


async def test_one_call_may_have_a_time_limit_of_its_own(file_host, file_answer):
    """The client's stays what it was."""
    file_host.script = [file_answer(body=b"{}", sent=1, stall=True)]
    async with AsyncToAPIs(api_key="sk-1", base_url=file_host.base_url, timeout=60.0) as client:
        with pytest.raises(APITimeoutError, match=r"within 0\.3 s"):
            await client.with_options(timeout=0.3, max_retries=0).account.balance()


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"max_retries": -1}, {"default_headers": {"Host": "x"}}])
def test_wrong_options_are_told_at_once(wrong):
    """As those of the client."""
    with pytest.raises(ConfigurationError):
        AsyncToAPIs(api_key="sk-1").with_options(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"proxy": "ftp://x"}, {"proxy": 7}, {"ssl_context": True}, {"file_hosts": {"a": "b"}}, {"rewrite_file_url": "x"}],
    ids=str,
)
def test_wrong_settings_are_told_at_once(wrong):
    """Before anything is opened."""
    with pytest.raises(ConfigurationError) as caught:
        AsyncToAPIs(api_key="sk-1", **wrong)
    assert caught.value.hint
