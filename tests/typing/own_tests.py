"""Tests of one's own app: the simulator, its scenarios and its books."""

from typing import assert_type

from toapis_async import AsyncToAPIs, verify_webhook
from toapis_async.testing import Constant, Drop, Fault, Scenario, Simulator


async def simulated() -> None:
    fault = Fault(where="submit", what=Drop(after_acceptance=True), nth=1)
    lost = Scenario(files="small", latency=Constant(0.1), faults=[fault])
    async with Simulator(lost, speed=50) as sim:
        assert_type(sim.base_url, str)
        assert_type(sim.api_key, str)
        async with sim.client() as client:
            assert_type(client, AsyncToAPIs)
            await client.images.generate(prompt="a red fox")
        sim.clock.advance(86_400)
        assert sim.books.duplicates == {}
    async with Simulator("bad-day"):
        pass


def judged(body: bytes, headers: dict[str, str]) -> str:
    event = verify_webhook(body, headers, secrets="whsec", now=0.0)
    assert_type(event.id, str)
    return event.type
