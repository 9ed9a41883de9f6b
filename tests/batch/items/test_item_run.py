"""One item on its way: late, refused, unknown, broken off, stopped."""

import asyncio
import gc
from collections import Counter

import pytest

from toapis_async import (
    APIConnectionError,
    GracePeriods,
    ImageRequest,
    InvalidRequestError,
    StorageError,
    Unfinished,
)
from toapis_async.batch.items.item_run import ItemRun
from toapis_async.batch.outcomes import Item
from toapis_async.errors import (
    DownloadError,
)
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.testing import Drop, Fault, Refuse, Stall
from toapis_async.values.tasks import GenerationTask, TaskStatus

SOON = {"grace": GracePeriods(settled_seconds=1.0, at_work_seconds=1.0)}
TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.QUEUED)
ITEM = Item(key="fox", request=ImageRequest("a fox"))


def foxes(count):
    return (ImageRequest(f"fox number {number}.") for number in range(count))


async def test_429_never_fails_an_item(live, tmp_path):
    """A gateway that refuses more than every second submission gets every item in the end, once."""
    busy = [Fault(where="submit", what=Refuse(reply="rate_limited", retry_after=0.1), probability=0.6)]
    async with live(faults=busy) as (sim, client), client.session(tmp_path, max_concurrency=10) as session:
        report = await session.run(foxes(20))
    assert (report.saved, sim.books.accepted) == (20, 20)
    assert sim.books.refused(429) > 5


async def test_an_item_that_has_ended_leaves_no_circle(live, tmp_path):
    """What was kept for it goes at once, with Python's collector off."""
    gc.collect()
    gc.disable()
    try:
        async with live() as (_, client), client.session(tmp_path, max_concurrency=4) as session:
            assert (await session.run(foxes(12))).saved == 12
            left = [found for found in gc.get_objects() if type(found) is ItemRun]
    finally:
        gc.enable()
    assert left == []


async def test_an_unknown_item_does_not_hold_up_the_others(live, tmp_path):
    """At a gateway that ignores references a doubt is reported, and everything else is saved."""
    lost = [Fault(where="submit", what=Drop(after_acceptance=True), match="number 3.")]
    async with live(faults=lost, keeps_client_ids=False, client=SOON) as (sim, client):
        async with client.session(tmp_path, max_concurrency=5) as session:
            outcomes = [outcome async for outcome in session.stream(foxes(10))]
        (doubt,) = [outcome for outcome in outcomes if not outcome.ok]
        assert isinstance(doubt, Unfinished)
        assert doubt.unknown
        assert doubt.item.request.prompt == "fox number 3."
        assert (session.report.unknown, session.report.unfinished, session.report.saved) == (1, 1, 9)
        assert {1} == {entry.posts for entry in sim.books.by_prompt.values()}


async def test_a_refused_request_fails_alone(live, tmp_path):
    """What the gateway refuses for good fails its item, with the gateway's words, and no other."""
    refused = [Fault(where="submit", what=Refuse(reply="invalid_request"), match="number 3.")]
    async with live(faults=refused) as (_, client), client.session(tmp_path) as session:
        outcomes = [outcome async for outcome in session.stream(foxes(6))]
    assert Counter({"Saved": 5, "Failed": 1}) == Counter(type(outcome).__name__ for outcome in outcomes)
    (failed,) = [outcome for outcome in outcomes if not outcome.ok]
    assert "invalid request" in failed.error.message


async def test_a_missing_reference_fails_alone(live, tmp_path):
    """A file that is not there fails its item before anything is sent for it."""
    wrong = ImageRequest("with a reference", reference_images=[tmp_path / "missing.png"])
    async with live() as (sim, client), client.session(tmp_path / "out") as session:
        outcomes = [outcome async for outcome in session.stream([wrong, *foxes(3)])]
    (failed,) = [outcome for outcome in outcomes if not outcome.ok]
    assert isinstance(failed.error, InvalidRequestError)
    assert "missing.png" in failed.error.message
    assert sim.books.posts == 3


async def test_a_file_that_never_comes_is_unfinished(live, tmp_path):
    """A host that is down leaves a paid task unfinished, and the next run only fetches."""
    down = [Fault(where="file", what=Refuse(reply="html_502"), first=6)]
    async with live(faults=down) as (sim, client):
        async with client.session(tmp_path) as session:
            (outcome,) = [outcome async for outcome in session.stream(foxes(1))]
        assert isinstance(outcome.error, DownloadError)
        assert isinstance(outcome, Unfinished)
        async with client.session(tmp_path) as session:
            report = await session.run(foxes(1))
        assert (report.saved, sim.books.posts) == (1, 1)


async def test_a_full_disk_stops_the_run(live, tmp_path, monkeypatch):
    """A disk that refuses ends the run with that error; everything paid for is fetched by the next run."""

    async def refuse(self, *_, **__):
        raise StorageError("The disk is full.", path=str(tmp_path), hint="Make room and resume.")

    async with live() as (sim, client):
        with monkeypatch.context() as patched:
            patched.setattr(OutputDirectory, "publish", refuse)
            async with client.session(tmp_path, max_concurrency=5) as session:
                with pytest.raises(StorageError, match="full"):
                    await session.run(foxes(1000))
            assert isinstance(session.report.stopped_by, StorageError)
        accepted = sim.books.accepted
        assert accepted < 100
        async with client.session(tmp_path) as session:
            outcomes = [outcome async for outcome in session.stream(())]
        assert accepted == sim.books.accepted
        assert all(outcome.ok for outcome in outcomes)
        assert sim.books.never_downloaded == ()


async def test_late_tasks_that_finish_in_time_are_saved(live, tmp_path):
    """A late task is looked at slowly while others are at work, and saved when it is finished after all."""
    slow = [Fault(where="task", what=Stall(seconds=0.6), match="number 0.")]
    events = []
    async with (
        live(faults=slow) as (sim, client),
        client.session(tmp_path, max_concurrency=1, patience_seconds=2.0, on_event=events.append) as session,
    ):

        async def paced():
            for request in foxes(20):
                yield request
                await asyncio.sleep(0.05)

        report = await session.run(paced())
        assert (report.saved, report.unfinished) == (20, 0)
        assert [type(event).__name__ for event in events].count("TaskLate") == 1
        assert sim.books.posts == 20


async def test_an_outage_is_waited_out(live, tmp_path):
    """A gateway that drops every connection for a while delays the run, and costs nothing twice."""
    outage = [
        Fault(where="submit", what=Drop(), nth=tuple(range(5, 15))),
        Fault(where="query", what=Drop(), nth=tuple(range(5, 25))),
    ]
    async with live(faults=outage) as (sim, client):
        async with client.session(tmp_path, max_concurrency=5) as session:
            report = await session.run(foxes(15))
        assert (report.saved, report.unfinished) == (15, 0)
        assert sim.books.accepted == 15


async def test_a_gateway_that_was_never_there_is_told_soon(tmp_path, unused_tcp_port, live):
    """A wrong address stops the run within seconds, not minutes, with nothing unknown."""
    address = {"base_url": f"http://127.0.0.1:{unused_tcp_port}"}
    async with live(client=address) as (_, client), client.session(tmp_path, max_concurrency=20) as session:
        async with asyncio.timeout(120):
            with pytest.raises(APIConnectionError, match="connect"):
                await session.run(foxes(1000))
    assert session.report.unknown == 0
