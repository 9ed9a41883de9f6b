"""``GenerationSession``: opening, counting, resuming, leaving."""

import asyncio
import json

import attrs
import pytest

from toapis_async import (
    AttemptBegun,
    AttemptSettled,
    DownloadError,
    FixedPolling,
    ImageRequest,
    ItemFailed,
    ItemSaved,
    JournalDamagedError,
    JournalError,
    Report,
    StorageError,
    TaskFinished,
    TaskLookedAt,
    ToAPIsError,
    VideoRequest,
)
from toapis_async.testing import Constant, Delay, Drop, Fail, Fault
from toapis_async.values.records import ItemState
from toapis_async.values.tasks import TaskStatus


def foxes(count):
    return [ImageRequest(f"fox {number}") for number in range(count)]


async def test_it_has_to_be_open(live, tmp_path):
    """Outside ``async with`` nothing can be asked of it, and the error says so."""
    async with live() as (_, client):
        session = client.session(tmp_path)
        for _ in range(2):
            with pytest.raises(ToAPIsError, match="not open"):
                session.stream(())
            with pytest.raises(ToAPIsError, match="not open"):
                await session.submit(ImageRequest("a fox"))
            async with client.session(tmp_path) as session:
                pass


async def test_the_report_counts(live, tmp_path):
    """Items by how they ended, money as told, and the time."""
    fails = [Fault(where="task", what=Fail(), match="fox 1")]
    async with live(faults=fails) as (sim, client), client.session(tmp_path) as session:
        assert Report(directory=tmp_path) == attrs.evolve(session.report, seconds=0.0)
        report = await session.run([*foxes(4), ImageRequest("")])
        assert (report.saved, report.skipped, report.failed, report.unfinished) == (3, 0, 2, 0)
        assert not report.complete
        assert sim.books.net_usd == report.cost_usd > 0
        assert report.unpriced == 0
        assert report.seconds > 0
        assert tmp_path == report.directory == session.directory


async def test_statistics_while_it_runs(live, tmp_path):
    """What is in flight is told at any moment, and never passes the limit."""
    async with live(latency=Constant(0.3)) as (_, client), client.session(tmp_path, max_concurrency=4) as session:
        run = asyncio.create_task(session.run(foxes(6)))
        await asyncio.sleep(0.15)
        now = session.statistics
        assert 1 <= now.in_flight <= now.limit == 4
        assert now.taken >= now.in_flight
        await run
        then = session.statistics
        assert (then.taken, then.saved, then.in_flight, then.saving) == (6, 6, 0, 0)


async def test_a_second_run_skips_what_is_there(live, tmp_path):
    """The same input costs nothing the second time; a file that is gone is made good."""
    async with live() as (sim, client):
        async with client.session(tmp_path) as session:
            await session.run(foxes(5))
        (tmp_path / next(iter(tmp_path.glob("*.png"))).name).unlink()
        posts = sim.books.posts
        async with client.session(tmp_path) as session:
            report = await session.run(foxes(6))
        assert (report.skipped, report.saved) == (4, 2)
        assert posts + 1 == sim.books.posts, "the lost file is fetched again, not made again"
        lines = [json.loads(line)["id"] for line in (tmp_path / "manifest.jsonl").read_text("utf-8").splitlines()]
        assert 6 == len(set(lines)) == len(lines)


async def test_what_failed_is_made_again_only_when_asked(live, tmp_path):
    """A failed task is reported again, and made again with retry_failed."""
    async with live(faults=[Fault(where="task", what=Fail(), nth=1)]) as (sim, client):
        for retry_failed, saved, posts in ((False, 0, 1), (False, 0, 1), (True, 1, 2)):
            async with client.session(tmp_path, retry_failed=retry_failed) as session:
                report = await session.run(foxes(1))
            assert (saved, posts) == (report.saved, sim.books.posts)


async def test_images_and_videos_together(live, tmp_path):
    """One session takes both kinds."""
    async with live() as (_, client), client.session(tmp_path) as session:
        outcomes = [
            outcome async for outcome in session.stream([ImageRequest("a fox"), VideoRequest("a fox", model="sora-2")])
        ]
    assert {"image/png", "video/mp4"} == {file.mime for outcome in outcomes for file in outcome.files}


async def test_events_tell_the_story_of_each_item(live, tmp_path):
    """Every item is intended, accepted, finished, fetched and saved, in this order."""
    events = []
    async with live() as (_, client), client.session(tmp_path, on_event=events.append) as session:
        await session.run(foxes(3))
        keys = {event.key for event in events}
        assert len(keys) == 3
        for key in keys:
            story = [event for event in events if event.key == key]
            looks = [event for event in story if isinstance(event, TaskLookedAt)]
            assert [type(event).__name__ for event in story if event not in looks] == [
                "AttemptBegun", "AttemptSettled", "TaskFinished", "TransferBegun", "TransferDone", "ItemSaved",
            ]  # fmt: skip
            assert looks[-1].status is TaskStatus.COMPLETED
            assert len({event.task_id for event in story[1:]}) == 1


async def test_listeners_hear_of_what_was_never_sent(live, tmp_path):
    """An item that is refused here has failed too, and its story is that one event."""
    events = []
    async with live() as (sim, client), client.session(tmp_path, on_event=events.append) as session:
        await session.run([ImageRequest(""), "no request"])
        assert [type(event) for event in events] == [ItemFailed, ItemFailed]
        assert all(event.error.message for event in events)
        assert sim.books.posts == 0


@pytest.mark.parametrize("kind", [AttemptBegun, AttemptSettled, TaskFinished, ItemSaved])
@pytest.mark.parametrize("error", [ValueError("mine"), ToAPIsError("mine"), DownloadError("mine")])
async def test_an_observer_that_breaks_costs_no_image(live, tmp_path, caplog, kind, error):
    """Whatever it raises is logged, and changes nothing."""

    def observe(event):
        if isinstance(event, kind):
            raise error

    async with live() as (sim, client), client.session(tmp_path, on_event=observe) as session:
        report = await session.run(foxes(3))
    assert report.complete
    assert (sim.books.duplicates, sim.books.never_downloaded) == ({}, ())
    assert sum(record.exc_info is not None and record.exc_info[1] is error for record in caplog.records) == 3


@pytest.mark.parametrize("max_concurrency", [3, 200])
async def test_streams_side_by_side_share_nothing(live, tmp_path, max_concurrency):
    """Equal requests in two streams at once are different items: no reference is sent twice, no file is overwritten."""
    async with live() as (sim, client), client.session(tmp_path, max_concurrency=max_concurrency) as session:

        async def read():
            return [outcome async for outcome in session.stream(foxes(20))]

        outcomes = [outcome for one in await asyncio.gather(read(), read()) for outcome in one]
        assert all(outcome.ok for outcome in outcomes)
        paid = {outcome.item.key: outcome.files for outcome in outcomes}
        assert sim.books.accepted == len(paid) == len({file.path for files in paid.values() for file in files})
        assert all(entry.posts == 1 for entry in sim.books.by_client_business_id.values())


async def test_the_first_stream_knows_what_a_later_one_has_saved(live, tmp_path):
    """A stream that was begun first and is slower buys nothing that another has made meanwhile."""
    requests = list(foxes(6))

    async def slowly(others):
        yield requests[0]
        await others.wait()
        for request in requests[1:]:
            yield request

    async with live() as (sim, client), client.session(tmp_path) as session:
        done = asyncio.Event()
        first = session.stream(slowly(done))
        await anext(first)
        await session.run(requests[1:])
        done.set()
        outcomes = [outcome async for outcome in first]
    assert [outcome.ok for outcome in outcomes] == [True] * 5
    assert (sim.books.accepted, sim.books.duplicates) == (6, {})


async def test_its_own_polling(live, tmp_path):
    """A session looks as often as it was told, whatever the client does."""
    async with (
        live(latency=Constant(0.3), client={"polling": FixedPolling(3600.0)}) as (sim, client),
        client.session(tmp_path, polling=FixedPolling(0.5)) as session,
    ):
        async with asyncio.timeout(120):
            assert (await session.run(foxes(2))).complete
        assert sim.books.polls >= 2


async def test_a_file_in_place_of_the_directory(live, tmp_path):
    """A directory that cannot be one is a clear error, before anything is sent."""
    (tmp_path / "out").write_text("mine")
    async with live() as (sim, client):
        with pytest.raises((StorageError, JournalError)) as caught:
            async with client.session(tmp_path / "out"):
                pass
        assert caught.value.path
        assert (tmp_path / "out").read_text() == "mine"
        assert sim.books.posts == 0


async def test_a_foreign_journal(live, tmp_path):
    """A journal that is none of ours is left as it is, and the error says how to go on."""
    (tmp_path / ".toapis").mkdir()
    journal = tmp_path / ".toapis" / "journal.sqlite3"
    journal.write_bytes(b"this is no database at all, but somebody's notes" * 100)
    before = journal.read_bytes()
    async with live() as (_, client):
        with pytest.raises(JournalDamagedError) as caught:
            async with client.session(tmp_path):
                pass
        assert caught.value.hint
        assert before == journal.read_bytes()
        async with client.session(tmp_path / "other") as session:
            assert (await session.run(foxes(1))).complete


async def test_learned_things_are_kept(live, tmp_path):
    """What a run learned about latencies and references is there for the next one."""
    lost = Fault(where="submit", what=Drop(after_acceptance=True), nth=1)
    async with live(faults=[lost]) as (sim, client):
        async with client.session(tmp_path) as session:
            await session.run(foxes(3))
            learned = client._gateway.latencies.to_text()
        async with client.session(tmp_path) as session:
            assert await session._resources.journal.recall("latencies") == learned
            assert await session._resources.journal.recall(f"keeps client ids: {client.base_url}")
        assert sim.books.accepted == 3


async def test_small_texts_can_be_kept_with_a_run(live, tmp_path):
    """Such as how the run was started, for whoever resumes it."""
    async with live() as (_, client):
        async with client.session(tmp_path) as session:
            await session.remember("options", "--size 16:9")
        async with client.session(tmp_path) as session:
            assert await session._resources.journal.recall("options") == "--size 16:9"


async def test_leaving_during_a_post_writes_its_answer_down(live, tmp_path):
    """A session left while a POST is on its way waits for its answer, and the next run finishes the task."""
    slow = [Fault(where="submit", what=Delay(seconds=0.4), nth=1)]
    async with live(faults=slow) as (sim, client):
        async with client.session(tmp_path) as session:
            reading = asyncio.create_task(anext(session.stream(foxes(1))))
            while not sim.books.posts:
                await asyncio.sleep(0.01)
        with pytest.raises(StopAsyncIteration):
            await reading
        async with client.session(tmp_path) as session:
            report = await session.run(foxes(1))
        assert (report.saved, sim.books.posts) == (1, 1)


async def test_a_session_that_is_cancelled_waits_for_its_post(live, tmp_path):
    """Cancelled from outside while a POST is unanswered, the session ends once the answer is on the books."""
    slow = Fault(where="submit", what=Delay(seconds=0.5))
    async with live(faults=[slow], latency=Constant(60)) as (sim, client):

        async def use():
            async with client.session(tmp_path) as session:
                await session.run([ImageRequest("fox")])

        using = asyncio.create_task(use())
        while not sim.books.requests["submit"]:
            await asyncio.sleep(0.005)
        using.cancel()
        with pytest.raises(asyncio.CancelledError):
            await using
        assert sim.books.accepted == 1
        async with client.session(tmp_path) as session:
            counts = await session._resources.journal.counts()
    assert counts == {ItemState.ACCEPTED: 1}


async def test_a_session_is_opened_once(live, tmp_path):
    """A session that was closed cannot be opened again, and says so; the directory can."""
    async with live() as (_, client):
        async with client.session(tmp_path) as session:
            await session.run(foxes(1))
        with pytest.raises(ToAPIsError, match="opened once"):
            await session.__aenter__()
        async with client.session(tmp_path) as session:
            assert (await session.run(foxes(1))).skipped == 1
