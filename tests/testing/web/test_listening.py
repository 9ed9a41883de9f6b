"""Addresses to listen on, and file hosts that can be down."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import aiohttp.web
import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.testing import Scenario, Simulator
from toapis_async.testing.web.listening import listen

HOSTS = ("127.0.0.2", "127.0.0.3")
PNG = b"\x89PNG\r\n\x1a\n"


@asynccontextmanager
async def mirrored(**settings):
    """A simulator with two file hosts, a client, and the address of a finished image."""
    async with Simulator(Scenario(files="small"), file_hosts=HOSTS, **settings) as sim:
        context = sim.client_ssl_context() if sim.tls else True
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            session.headers["Authorization"] = f"Bearer {sim.api_key}"
            body = {"model": "gpt-image-2", "prompt": "a fox"}
            async with session.post(f"{sim.base_url}/v1/images/generations", json=body) as reply:
                task = await reply.json()
            sim.clock.advance(2)
            async with session.get(f"{sim.base_url}/v1/images/generations/{task['id']}") as reply:
                task = await reply.json()
            yield sim, session, task["result"]["data"][0]["url"]


@pytest.mark.parametrize("tls", [False, True])
async def test_links_name_the_first_host_and_both_serve_the_same_path(tls):
    """The hosts differ in name only, so that any map of hosts fits."""
    async with mirrored(tls=tls) as (sim, session, url):
        first, second = sim.file_host_urls
        assert url.startswith(f"{first}/generated/")
        assert [part.rpartition(":")[0].rpartition("/")[2] for part in (first, second)] == list(HOSTS)
        assert first.rpartition(":")[2] == second.rpartition(":")[2]
        bodies = set()
        for host in (first, second, sim.base_url):
            async with session.get(url.replace(first, host)) as reply:
                bodies.add(await reply.read())

        (body,) = bodies
        assert body.startswith(PNG)
        assert sim.books.downloads == 3


async def test_a_file_host_can_be_down_and_come_back():
    """Open connections end too; the other host, the gateway and the address stay as they were."""
    async with mirrored() as (sim, session, url):
        first, second = sim.file_host_urls
        async with session.get(url) as reply:
            await reply.read()
        await sim.stop_file_host(0)
        await sim.stop_file_host(0)
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(url)
        async with session.get(url.replace(first, second)) as reply:
            assert reply.status == 200
        async with session.get(f"{sim.base_url}/v1/balance") as reply:
            assert reply.status == 200

        await sim.start_file_host(0)
        await sim.start_file_host(0)

        assert sim.file_host_urls == (first, second)
        async with session.get(url) as reply:
            assert reply.status == 200


async def test_file_hosts_serve_files_only():
    """No endpoint of the gateway answers there."""
    async with mirrored() as (sim, session, _), session.get(f"{sim.file_host_urls[0]}/v1/balance") as reply:
        assert reply.status == 404


async def test_a_host_of_another_machine_is_refused():
    """The message names it, and nothing stays open."""
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1"):
        async with Simulator(Scenario(files="small"), file_hosts=("192.0.2.1",)):
            pass


async def test_hundreds_of_clients_may_connect_in_one_moment():
    """None waits for a connection that the listening socket dropped."""
    app = aiohttp.web.Application()
    runner, url = await listen(app, "127.0.0.1", 0, None)
    host, port = url.removeprefix("http://").split(":")
    try:
        async with asyncio.timeout(120):
            pairs = await asyncio.gather(*(asyncio.open_connection(host, int(port)) for _ in range(400)))
        assert len(pairs) == 400
        for _, writer in pairs:
            writer.close()
    finally:
        await runner.cleanup()
