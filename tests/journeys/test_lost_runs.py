"""A run that was not finished and whose journal is gone: what it has in flight is found, and not bought twice."""

import asyncio
import json
import shutil
import sqlite3

import pytest

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest
from toapis_async.policy.money.asking import GracePeriods
from toapis_async.storage.journal.sqlite_journal import journal_path
from toapis_async.storage.manifest.unfinished_runs import UNFINISHED_NAME, read_unfinished
from toapis_async.testing import Constant, Fail, Fault, Refuse, Simulator
from toapis_async.testing.scenario.settings import Scenario

WISHES = [ImageRequest(f"fox {n}", id=None if n % 2 else f"i{n}") for n in range(6)]
GRACE = GracePeriods(settled_seconds=0.3, at_work_seconds=0.3)


def scenario(**changes):
    return Scenario(**{"latency": Constant(0.6), "files": "small", "tier": None, **changes})


def client_of(sim):
    polling = FixedPolling(0.05)
    return AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url, rate_limits=None, polling=polling, grace=GRACE)


async def run(sim, directory, requests, **settings):
    async with client_of(sim) as client, client.session(directory, **settings) as session:
        return [outcome async for outcome in session.stream(requests)]


async def left_in_flight(sim, directory, requests):
    """Submit all of them and leave them to the journal, as a killed run does."""
    async with client_of(sim) as client, client.session(directory) as session:
        jobs = [await session.submit(request) for request in requests]
        while any(job.task_id is None for job in jobs):
            await asyncio.sleep(0.01)
        at_once = directory.with_name("as-killed")
        shutil.copytree(directory, at_once)
        await session.park()
    shutil.rmtree(directory)
    at_once.rename(directory)


def lose_the_directory(directory):
    shutil.rmtree(directory / ".toapis")


def lose_the_file(directory):
    for path in list((directory / ".toapis").glob("journal.sqlite3*")):
        path.rename(directory / f"{path.name}.broken")


def empty_it(directory):
    """What a journal is whose write-ahead log was left behind."""
    with sqlite3.connect(journal_path(directory)) as journal:
        journal.execute("DELETE FROM items")
        journal.execute("DELETE FROM requests")
    journal.close()


@pytest.mark.parametrize("lose", [lose_the_directory, lose_the_file, empty_it])
async def test_what_is_in_flight_is_not_bought_again(tmp_path, lose):
    """No line of it is in the manifest, and its task is found all the same; what was never sent is sent."""
    async with Simulator(scenario()) as sim:
        await left_in_flight(sim, tmp_path, WISHES[:4])
        lose(tmp_path)
        outcomes = await run(sim, tmp_path, WISHES)

        assert [outcome.ok for outcome in outcomes] == [True] * 6
        assert (sim.books.accepted, sim.books.duplicates) == (6, {})


async def test_an_attempt_that_was_not_the_first(tmp_path):
    """A submission that was refused for now before it was accepted is found under its later reference."""
    busy = [Fault(where="submit", what=Refuse(reply="rate_limited", retry_after=0.1), nth=(1, 2))]
    async with Simulator(scenario(faults=busy)) as sim:
        await left_in_flight(sim, tmp_path, WISHES[:1])
        assert list(read_unfinished(tmp_path).values()) == [3]
        lose_the_directory(tmp_path)
        [outcome] = await run(sim, tmp_path, WISHES[:1])

        assert outcome.ok
        assert sim.books.accepted == 1


async def test_two_journals_lost_one_after_the_other(tmp_path):
    """Each of two runs left something in flight, and both are asked about."""
    async with Simulator(scenario(latency=Constant(2.0))) as sim:
        await left_in_flight(sim, tmp_path, WISHES[:2])
        lose_the_directory(tmp_path)
        await left_in_flight(sim, tmp_path, WISHES[:4])
        lose_the_directory(tmp_path)
        outcomes = await run(sim, tmp_path, WISHES[:4])

        assert [outcome.ok for outcome in outcomes] == [True] * 4
        assert sim.books.accepted == 4
        assert len(read_unfinished(tmp_path)) == 2  # they may have had more than today's input names


async def test_a_reference_of_the_users_own(tmp_path):
    """It is what the lost run sent, and what is asked for."""
    request = ImageRequest("a fox", client_business_id="order-17")
    async with Simulator(scenario()) as sim:
        await left_in_flight(sim, tmp_path, [request])
        lose_the_directory(tmp_path)
        [outcome] = await run(sim, tmp_path, [request])

        assert outcome.ok
        assert sim.books.accepted == 1


async def test_a_failed_task_that_is_wanted_again(tmp_path):
    """What the lost run knew to have failed is not taken up for the new attempt."""
    async with Simulator(scenario(latency=Constant(0.1), faults=[Fault(where="task", what=Fail())])) as sim:
        await run(sim, tmp_path, WISHES[:1])
        marked = {"runs": {json.loads((tmp_path / "manifest.jsonl").read_text())["client_business_id"][3:11]: 1}}
        (tmp_path / UNFINISHED_NAME).write_text(json.dumps(marked))
        lose_the_directory(tmp_path)
        await run(sim, tmp_path, WISHES[:1], retry_failed=True)

        assert sim.books.accepted == 2


async def test_a_gateway_that_keeps_no_references(tmp_path):
    """A miss proves nothing there: nothing is sent again unless that is asked for."""
    async with Simulator(scenario(keeps_client_ids=False)) as sim:
        await left_in_flight(sim, tmp_path, WISHES[:2])
        lose_the_directory(tmp_path)
        outcomes = await run(sim, tmp_path, WISHES[:2])
        sent = sim.books.accepted
        again = await run(sim, tmp_path, WISHES[:2], on_unknown="resubmit")

        assert sum(outcome.ok for outcome in outcomes) == sent - 2 <= 1
        assert [outcome.ok for outcome in again] == [True] * 2


async def test_a_run_that_is_parked_tells_what_is_in_flight(tmp_path):
    """Its manifest has a line for each, by which it is known without the journal too; no mark is left."""
    async with Simulator(scenario()) as sim:
        async with client_of(sim) as client, client.session(tmp_path) as session:
            jobs = [await session.submit(request) for request in WISHES[:3]]
            while any(job.task_id is None for job in jobs):
                await asyncio.sleep(0.01)
            await session.park()
        lines = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
        assert {line["task_id"] for line in lines} == {job.task_id for job in jobs}
        assert {line["status"] for line in lines} == {"unfinished"}
        assert not (tmp_path / UNFINISHED_NAME).exists()
        lose_the_directory(tmp_path)
        assert [outcome.ok for outcome in await run(sim, tmp_path, WISHES[:3])] == [True] * 3
        assert sim.books.accepted == 3


async def test_a_run_that_ends_leaves_no_mark(tmp_path):
    """Neither a finished run nor one that sent nothing leaves anything to be asked about."""
    async with Simulator(scenario(latency=Constant(0.05))) as sim:
        await run(sim, tmp_path, [])
        assert not (tmp_path / UNFINISHED_NAME).exists()
        await run(sim, tmp_path, WISHES)
        assert not (tmp_path / UNFINISHED_NAME).exists()
