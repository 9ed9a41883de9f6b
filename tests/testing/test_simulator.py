"""The simulator as a whole: its life, its keys, its errors."""

import asyncio
import ssl

import aiohttp
import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.testing import SCENARIOS, Simulator


async def test_it_gives_an_address_and_a_key():
    """The address is on loopback without /v1, the key looks like the gateway's."""
    async with Simulator() as sim:
        assert sim.base_url.startswith("http://127.0.0.1:")
        assert len(sim.api_key) == 51
        assert sim.api_key.startswith("sk-")
        assert sim.scenario == SCENARIOS["calm"]


async def test_the_key_is_not_in_its_repr():
    """Whoever logs the simulator logs no key."""
    async with Simulator() as sim:
        assert sim.api_key[3:] not in repr(sim)


def test_it_has_no_address_before_it_runs():
    """The message says how to run it."""
    with pytest.raises(ConfigurationError, match="async with"):
        _ = Simulator().base_url


def test_an_unknown_scenario_is_refused_with_the_nearest_name():
    """A slip of the finger is answered with what was meant."""
    with pytest.raises(ConfigurationError, match="bad-day"):
        Simulator("bad-dya")


async def test_a_port_that_is_taken_is_refused():
    """The message names the port."""
    async with Simulator() as first:
        port = int(first.base_url.rsplit(":", 1)[1])
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}"):
            async with Simulator(port=port):
                pass


async def test_there_is_no_certificate_without_tls():
    """The message says how to get one."""
    async with Simulator() as sim:
        with pytest.raises(ConfigurationError, match="tls=True"):
            _ = sim.ca_file


async def test_tls_needs_its_own_authority(running):
    """A client that trusts the simulator's certificate gets through, another one does not."""
    async with Simulator(tls=True) as sim, aiohttp.ClientSession() as session:
        async with session.get(f"{sim.base_url}/balance", ssl=sim.client_ssl_context()) as reply:
            assert reply.status == 401
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{sim.base_url}/balance", ssl=ssl.create_default_context())


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "http://127.0.0.1:"), ("localhost", "http://")])
async def test_it_can_listen_elsewhere(host, shown):
    """The address is always one that can be gone to."""
    async with Simulator(host=host) as sim, aiohttp.ClientSession() as session:
        assert sim.base_url.startswith(shown)
        async with session.get(f"{sim.base_url}/balance") as reply:
            assert reply.status == 401


async def test_two_simulators_run_side_by_side():
    """Each has its own port and books."""
    async with Simulator() as one, Simulator(seed=1) as other:
        assert one.base_url != other.base_url
        assert one.api_key != other.api_key


async def test_without_pillow_drawing_is_refused_at_the_door(monkeypatch):
    """The message names the extra."""
    monkeypatch.setattr("toapis_async.testing.simulator.find_spec", lambda name: None)

    with pytest.raises(ConfigurationError, match="toapis-async\\[sim\\]"):
        async with Simulator():
            pass


async def test_without_trustme_tls_is_refused_at_the_door(monkeypatch):
    """The message names the package."""
    monkeypatch.setitem(__import__("sys").modules, "trustme", None)

    with pytest.raises(ConfigurationError, match="trustme"):
        async with Simulator(tls=True):
            pass


async def test_another_account_has_its_own_money_and_tasks(running):
    """A task of one user is not found by another, and each pays for itself."""
    async with running() as (sim, caller):
        task = await caller.submit()
        key = sim.add_account(limits="default", balance_usd=1)
        headers = {"Authorization": f"Bearer {key}"}

        status, _, _ = await caller.call("GET", f"/v1/images/generations/{task['id']}", key=False, headers=headers)
        _, _, balance = await caller.call("GET", "/v1/balance", key=False, headers=headers)

        assert (status, balance["remain_balance"]) == (404, 1)


async def test_leaving_it_ends_slow_replies():
    """Nobody waits for a reply that is an hour late."""
    from toapis_async.testing import Delay, Fault, Scenario

    scenario = Scenario(files="small", faults=(Fault(where="models", what=Delay(seconds=3600)),))
    async with aiohttp.ClientSession() as session:
        async with asyncio.timeout(120):
            async with Simulator(scenario) as sim:
                headers = {"Authorization": f"Bearer {sim.api_key}"}
                late = asyncio.ensure_future(session.get(f"{sim.base_url}/v1/models", headers=headers))
                while not sim.books.requests["models"]:
                    await asyncio.sleep(0.01)
        with pytest.raises(aiohttp.ClientError):
            await late
