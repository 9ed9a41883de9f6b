"""The same requests given again to one open session: the same items, charged once."""

import asyncio

import pytest

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest
from toapis_async.testing import Constant, Simulator
from toapis_async.testing.scenario.settings import Scenario

SLOW = Scenario(latency=Constant(0.6), files="small", tier=None)


def requests(*, named=False):
    return [ImageRequest(f"prompt {n}", id=f"item-{n}" if named else None) for n in range(6)]


def client_of(sim):
    return AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url, rate_limits=None, polling=FixedPolling(0.05))


@pytest.mark.parametrize("named", [False, True])
async def test_after_a_time_limit(tmp_path, named):
    """What the first run was cut off from is gone on with, not bought again."""
    async with Simulator(SLOW) as sim, client_of(sim) as client, client.session(tmp_path) as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await session.run(requests(named=named))
        report = await session.run(requests(named=named))

        assert (report.saved, report.failed) == (6, 0)
        assert sim.books.accepted == 6


async def test_after_leaving_a_stream(tmp_path):
    """A stream that was left and let go of gives its items to the next one."""
    async with Simulator(SLOW) as sim, client_of(sim) as client, client.session(tmp_path) as session:
        async for _ in session.stream(requests()):
            break
        outcomes = [outcome async for outcome in session.stream(requests())]

        assert [outcome.ok for outcome in outcomes] == [True] * 6
        assert sim.books.accepted == 6


async def test_when_all_is_done(tmp_path):
    """Given again when everything is saved, everything is skipped."""
    async with Simulator(SLOW) as sim, client_of(sim) as client, client.session(tmp_path) as session:
        await session.run(requests())
        report = await session.run(requests())

        assert (report.saved, report.skipped) == (6, 6)
        assert sim.books.accepted == 6


async def test_equal_requests_of_one_input_are_items_of_their_own(tmp_path):
    """Whoever writes a prompt three times gets three images, and the same three when it is given again."""
    three = [ImageRequest("the same")] * 3
    async with Simulator(SLOW) as sim, client_of(sim) as client, client.session(tmp_path) as session:
        await session.run(three)
        report = await session.run(three)

        assert (report.saved, report.skipped) == (3, 3)
        assert sim.books.accepted == 3


async def test_an_id_that_stands_for_another_request_is_refused(tmp_path):
    """An old image is never taken for that of a new prompt."""
    async with Simulator(SLOW) as sim, client_of(sim) as client:
        async with client.session(tmp_path) as session:
            await session.run([ImageRequest("first", id="k")])
        async with client.session(tmp_path) as session:
            outcomes = [outcome async for outcome in session.stream([ImageRequest("second", id="k")])]

    assert [outcome.ok for outcome in outcomes] == [False]
    assert "give it a new id" in str(outcomes[0].error)
    assert sim.books.accepted == 1


async def test_a_task_id_chooses_no_path(tmp_path):
    """Files of a single task stay in their directory, whatever the gateway calls the task."""
    import attrs

    async with Simulator(SLOW) as sim, client_of(sim) as client:
        task = await client.images.generate(prompt="a fox")
        strange = attrs.evolve(task, id="/../../escaped")
        (file,) = await client.images.download(strange, tmp_path / "out")

    assert tmp_path / "out" == file.path.parent
    assert [tmp_path / "out"] == list(tmp_path.iterdir())
