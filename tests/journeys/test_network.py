"""The gateway goes away in mid-run, and comes back or does not."""

import asyncio

import attrs
import pytest

from toapis_async.errors import APIConnectionError
from toapis_async.testing import Scenario, Simulator, Uniform

SCENARIO = Scenario(latency=Uniform(0.05, 0.3), files="small")


async def _away(sim):
    """Close its door, keeping its state and its port."""
    port = sim._runner.addresses[0][1]
    await sim._runner.cleanup()
    sim.port = port


async def _back(sim):
    await sim._listen(None)


async def test_an_outage_is_waited_for(journey, counted):
    """While the gateway and its files are away nothing fails for good; when they are back the run completes."""
    async with journey(SCENARIO) as going:
        running = asyncio.create_task(going.run(max_concurrency=20))
        while going.sim.books.accepted < 40:
            await asyncio.sleep(0.01)
        await _away(going.sim)
        await asyncio.sleep(1.0)
        await _back(going.sim)
        outcomes, report = await running
        going.assert_never_charged_twice()
        assert report.failed == 0
        # How long a second is for the library depends on the machine: it may give up on a file for now, never for good.
        kinds = {type(outcome.error).__name__ for outcome in outcomes if not outcome.ok}
        assert kinds <= {"SubmissionUnknownError", "DownloadError"}
        await going.run()
        going.assert_charged_once()
        going.assert_on_disk()


async def test_a_gateway_that_stays_away_stops_the_run(journey):
    """After some minutes the run stops, as one to be resumed."""
    async with journey(SCENARIO, speed=600.0) as going:
        running = asyncio.create_task(going.run(max_concurrency=20))
        while going.sim.books.accepted < 40:
            await asyncio.sleep(0.01)
        await _away(going.sim)
        with pytest.raises(APIConnectionError):
            await running
        await _back(going.sim)
        await going.run()
        going.assert_charged_once()
        going.assert_on_disk()


async def test_a_gateway_that_was_never_there_is_said_soon(journey):
    """A wrong address ends the run after a few tries, with nothing sent and nothing to report."""
    async with journey(SCENARIO, count=20) as going:
        await _away(going.sim)
        with pytest.raises(APIConnectionError) as caught:
            await going.run()
        assert "nothing was charged" in str(caught.value)
        await _back(going.sim)
        await going.run()
        going.assert_charged_once()
        going.assert_on_disk()


async def test_another_gateway_is_not_believed_to_keep_references(journey):
    """What one gateway has shown about references is not believed of the next that the directory is used with."""
    async with journey(SCENARIO, count=4) as going:
        await going.run()
        forgetful = attrs.evolve(SCENARIO, keeps_client_ids=False)
        async with Simulator(forgetful) as other:
            first, going.sim = going.sim, other
            outcomes, _ = await going.run()
            assert all(outcome.ok for outcome in outcomes)
            assert other.books.accepted == 0
            going.sim = first
