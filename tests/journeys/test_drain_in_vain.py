"""A run that is to end while nothing can be reached any more: it ends by itself, and the next one goes on."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest
from toapis_async.testing import Constant, Delay, Fault, Scenario, Simulator

WISHES = [ImageRequest(f"fox {number}", id=f"i{number}") for number in range(6)]


class Road:
    """Connections to a simulator that can be cut, so that new ones are refused, or blocked, so that nothing comes."""

    def __init__(self, port):
        self._port, self._open, self._server = port, asyncio.Event(), None
        self._open.set()
        self._ways = set()

    async def build(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        ways = {asyncio.create_task(self._carry(reader, back)), asyncio.create_task(self._carry(there, writer))}
        self._ways |= ways
        await asyncio.wait(ways)
        for end in (writer, back):
            end.close()

    async def _carry(self, reader, writer):
        with suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
            writer.close()

    def block(self):
        self._open.clear()

    def cut(self):
        self._server.close()
        for way in self._ways:
            way.cancel()


@asynccontextmanager
async def road_to(sim):
    road = Road(int(sim.base_url.rpartition(":")[2]))
    port = await road.build()
    try:
        yield road, f"http://127.0.0.1:{port}"
    finally:
        road.cut()


def client_of(sim, base_url):
    polling = FixedPolling(0.2)
    return AsyncToAPIs(api_key=sim.api_key, base_url=base_url, rate_limits=None, polling=polling)


@pytest.mark.parametrize("how", ["cut", "block"])
@pytest.mark.parametrize("phase", ["in flight", "sending", "saving"])
async def test_a_drain_in_vain_ends_and_is_gone_on_with(tmp_path, how, phase):
    """Whatever the items were at, the run ends within seconds, and the next one pays for nothing again."""
    slow = {"in flight": (), "sending": (Fault(where="submit", what=Delay(seconds=30, after_acceptance=True)),)}
    slow["saving"] = (Fault(where="file", what=Delay(seconds=30)),)
    latency = Constant(0.1 if phase == "saving" else 600.0)
    async with Simulator(Scenario(latency=latency, files="small", tier=None, faults=slow[phase])) as sim:
        async with road_to(sim) as (road, base_url), client_of(sim, base_url) as client:
            async with client.session(tmp_path, max_concurrency=3) as session:
                running = asyncio.create_task(session.run(WISHES))
                while sim.books.requests["submit"] < (1 if phase == "sending" else 3):
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.5)
                getattr(road, how)()
                session.drain()
                async with asyncio.timeout(20):
                    await asyncio.wait([running])
            if running.exception() is not None:
                assert "resume the run" in running.exception().hint
        sent = sim.books.accepted
        sim.clock.advance(900)
        async with client_of(sim, sim.base_url) as client, client.session(tmp_path) as session:
            left = [record async for record in session.records() if record.task_id or record.doubtful]

        assert len(left) >= sent > 0
        assert sim.books.accepted == sent


async def test_a_drain_waits_for_a_gateway_that_answers(tmp_path):
    """As long as it answers, refusals included, what is paid for is finished, however long that takes."""
    async with (
        Simulator(Scenario(latency=Constant(7.0), files="small", tier=None)) as sim,
        client_of(sim, sim.base_url) as client,
        client.session(tmp_path, max_concurrency=3) as session,
    ):
        running = asyncio.create_task(session.run(WISHES))
        while sim.books.accepted < 3:
            await asyncio.sleep(0.01)
        session.drain()
        report = await running

        assert (report.saved, sim.books.accepted) == (3, 3)
        assert report.stopped_by is None
