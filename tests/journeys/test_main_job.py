"""The main job: prompts in, files on disk, whatever the consumer does; judged by the gateway's books."""

import asyncio
import gc
import hashlib
import json
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from toapis_async import (
    AsyncToAPIs,
    AttemptBegun,
    AttemptSettled,
    AuthenticationError,
    FixedPolling,
    ImageRequest,
    InsufficientQuotaError,
    InvalidRequestError,
    ItemFailed,
    ItemSaved,
    JournalLockedError,
    TaskFinished,
    VideoRequest,
)
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.testing import Constant, Fail, Fault, MoveUrl, Stall, StatusWord, WithoutUrl

MANY = 300


def prompts(count=None):
    """Requests, endlessly or so many."""
    number = 0
    while count is None or number < count:
        yield ImageRequest(f"prompt number {number}")
        number += 1


async def gathered(stream, outcomes):
    """Read a stream to its end."""
    async for outcome in stream:
        outcomes.append(outcome)


async def slowly(requests):
    """The same as an async generator."""
    for request in requests:
        await asyncio.sleep(0)
        yield request


def open_files():
    """How many files and sockets this process has open."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def running():
    """What runs besides the simulator's own connections."""
    return {task for task in asyncio.all_tasks() if "RequestHandler" not in repr(task.get_coro())}


def temporary(directory):
    """Files that lie about and are no result; one that was whole when its item was cancelled is fetched again."""
    known = {"manifest.jsonl", "journal.sqlite3", "lock", "owner.json"}
    left = [path for path in directory.rglob("*") if path.is_file() and path.name not in known | results(directory)]
    return [path.name for path in left if path.name.startswith(".") or not is_png(path)]


def is_png(path):
    """Whether a file begins and ends as a PNG does."""
    data = path.read_bytes()
    return data.startswith(b"\x89PNG") and data.endswith(b"IEND\xaeB`\x82")


def results(directory):
    """What the manifests in and below a directory name."""
    lines = [line for path in directory.rglob("manifest.jsonl") for line in path.read_text("utf-8").splitlines()]
    return {file["path"] for line in lines for file in json.loads(line)["files"]}


async def test_every_prompt_becomes_a_file_for_one_post(live, tmp_path):
    """Never more than max_concurrency unfinished, one POST per prompt, the key on every call and on no download."""
    async with live(latency=Constant(0.05)) as (sim, client), client.session(tmp_path, max_concurrency=50) as session:
        outcomes = [outcome async for outcome in session.stream(prompts(MANY))]
        report = session.report
    books = sim.books
    assert Counter({"Saved": MANY}) == Counter(type(outcome).__name__ for outcome in outcomes)
    assert (report.saved, report.complete) == (MANY, True)
    assert 1 <= books.max_unfinished <= 50
    assert {1} == {entry.posts for entry in books.by_prompt.values()}
    assert MANY == books.posts == books.accepted == books.downloads == len(books.by_prompt)
    asked = {where: count for where, count in books.requests.items() if where != "file"}
    assert asked == dict(books.with_key)
    assert set(range(MANY)) == {outcome.item.index for outcome in outcomes}
    lines = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text("utf-8").splitlines()]
    assert MANY == len({line["id"] for line in lines}) == len(lines)
    for line in lines:
        (file,) = line["files"]
        assert file["sha256"] == hashlib.sha256((tmp_path / file["path"]).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "told",
    [
        {"words": ("pending", "submitted", "queued", "dreaming", "")},
        {"words": ("", "")},
        {"url_place": "top_level"},
        {"url_place": "both"},
        {"created_word": ""},
        {"faults": [Fault(where="query", what=StatusWord(word="verarbeitet"), probability=0.5)]},
        {"faults": [Fault(where="query", what=MoveUrl(place="top_level"), probability=0.5)]},
        {"faults": [Fault(where="query", what=WithoutUrl(), first=30)]},
    ],
    ids=["words", "empty", "top level", "both", "created empty", "unknown at times", "moved at times", "late link"],
)
async def test_odd_words_and_places_of_links(live, tmp_path, told):
    """Every status but completed and failed means not finished, and links are found wherever they are."""
    async with live(**told) as (sim, client), client.session(tmp_path, max_concurrency=20) as session:
        report = await session.run(prompts(40))
    assert (report.saved, report.complete) == (40, True)
    assert 40 == sim.books.posts == sim.books.downloads


@pytest.mark.parametrize("make", [prompts, lambda count: slowly(prompts(count)), lambda c: list(prompts(c))])
async def test_any_iterable_is_taken(live, tmp_path, make):
    """Lists, generators and async generators give the same run."""
    async with live() as (sim, client), client.session(tmp_path) as session:
        report = await session.run(make(30))
    assert (report.saved, sim.books.posts) == (30, 30)


ENDLESS = """
import asyncio, sys, tempfile
from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest
from toapis_async.testing import Constant, Scenario, Simulator

taken = 0

def plain():
    global taken
    while True:
        taken += 1
        yield ImageRequest(f"prompt {taken}")

async def awaited():
    for request in plain():
        await asyncio.sleep(0)
        yield request

async def main(make, leave):
    asyncio.get_running_loop().slow_callback_duration = 60.0
    with tempfile.TemporaryDirectory() as out:
        async with Simulator(Scenario(latency=Constant(0.02), files="small")) as sim:
            client = AsyncToAPIs(
                api_key=sim.api_key, base_url=sim.base_url, rate_limits=None, polling=FixedPolling(0.02)
            )
            async with client, client.session(out, max_concurrency=10) as session:
                stream = session.stream(make())
                seen = 0
                async for outcome in stream:
                    assert outcome.ok, outcome
                    seen += 1
                    if seen == 20:
                        break
                if leave == "aclose":
                    await stream.aclose()
                    assert [] == [outcome async for outcome in stream]
            assert sim.books.max_unfinished <= 10
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left
    assert 20 <= taken <= 120, taken

asyncio.run(main({"plain": plain, "awaited": awaited}[sys.argv[1]], sys.argv[2]))
"""


@pytest.mark.parametrize("make", ["plain", "awaited"])
@pytest.mark.parametrize("leave", ["break", "aclose"])
def test_an_endless_input_can_be_left(make, leave):
    """Left after 20 outcomes, an endless generator was taken a bounded number of times and nobody complains."""
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", ENDLESS, make, leave],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


async def _time_limit(session):
    async with asyncio.timeout(0.4):
        await session.run(prompts())


async def _cancelled_consumer(session):
    consumer = asyncio.create_task(session.run(prompts()))
    await asyncio.sleep(0.4)
    consumer.cancel()
    await consumer


async def _error_in_the_body(session):
    async for _ in session.stream(prompts()):
        raise KeyError("mine")


async def _left_early(session):
    async for _ in session.stream(prompts()):
        return


async def _never_begun(session):
    session.stream(prompts())


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (_time_limit, TimeoutError),
        (_cancelled_consumer, asyncio.CancelledError),
        (_error_in_the_body, KeyError),
        (_left_early, None),
        (_never_begun, None),
    ],
)
async def test_whatever_ends_a_session_leaves_nothing(live, tmp_path, how, expected):
    """No task, no socket and no temporary file outlive the session, and the caller's own error comes out as it is."""
    async with live(latency=Constant(0.1)) as (sim, warm):
        await warm.images.generate(prompt="warm")
        await warm.aclose()
        before, files_before = running(), open_files()
        client = AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url, rate_limits=None, polling=FixedPolling(0.05))
        caught = None
        async with client:
            try:
                async with client.session(tmp_path / "out", max_concurrency=5) as session:
                    await how(session)
            except BaseException as error:
                caught = error
            assert before == running()
        assert (expected or type(None)) is type(caught)
        assert temporary(tmp_path) == []
        async with asyncio.timeout(120):
            while open_files() > files_before:
                await asyncio.sleep(0.01)
        assert sim.books.max_unfinished <= 5


@pytest.mark.parametrize("how", [_time_limit, _cancelled_consumer, _error_in_the_body, _left_early])
async def test_what_was_paid_for_is_not_lost(live, tmp_path, how):
    """The session after one that was ended early finishes what was accepted, and submits none of it again."""
    async with live(latency=Constant(0.1)) as (sim, client):
        with suppress(BaseException):
            async with client.session(tmp_path, max_concurrency=5) as session:
                await how(session)
        accepted = sim.books.accepted
        async with client.session(tmp_path) as session:
            outcomes = [outcome async for outcome in session.stream(())]
        assert accepted == sim.books.accepted > 0
        assert all(outcome.ok for outcome in outcomes)
        assert sim.books.never_downloaded == ()
        assert accepted == len(results(tmp_path))


@pytest.mark.parametrize("after", [0.0, 0.01, 0.05, 0.2])
async def test_cancelling_the_task_of_a_session(live, tmp_path, after):
    """Cancelling the task that holds client and session ends both, at whatever moment; the directory opens again."""
    import anyio

    async with live(latency=Constant(0.1)) as (sim, client):
        before = running()

        async def work():
            async with client.session(tmp_path / "out", max_concurrency=5) as session:
                await session.run(prompts())

        task = asyncio.create_task(work())
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert before == running()
        with anyio.move_on_after(after):
            await work()
        assert before == running()
        async with client.session(tmp_path / "out") as session:
            await session.run(())
        assert {1} >= {entry.accepted for entry in sim.books.by_prompt.values() if entry.accepted}
        assert sim.books.never_downloaded == ()


async def test_a_refused_key_ends_the_run_after_one_refusal(live, tmp_path):
    """A key that the gateway refuses is refused once and not a thousand times."""
    async with live(client={"api_key": "sk-wrong"}) as (sim, client):
        async with client.session(tmp_path, max_concurrency=50) as session:
            with pytest.raises(AuthenticationError):
                await session.run(prompts(1000))
            assert isinstance(session.report.stopped_by, AuthenticationError)
        assert sim.books.posts == 1


async def test_an_empty_account_drains(live, tmp_path):
    """402 stops submission; what is paid for is finished and saved."""
    async with live(balance_usd=0.12, price_usd=0.012, latency=Constant(0.2)) as (sim, client):
        async with client.session(tmp_path, max_concurrency=50) as session:
            outcomes = []
            with pytest.raises(InsufficientQuotaError):
                await gathered(session.stream(prompts(1000)), outcomes)
        saved = [outcome for outcome in outcomes if outcome.ok]
        assert sim.books.accepted == len(saved) == session.report.saved > 0
        assert sim.books.never_downloaded == ()
        assert sim.books.posts < 70
        assert all(isinstance(outcome.error, InsufficientQuotaError) for outcome in outcomes if not outcome.ok)


async def test_a_slow_consumer_holds_up_submission(live, tmp_path):
    """With nobody reading outcomes, downloads stop, and then submission, at a bounded number of paid tasks."""
    async with (
        live() as (sim, client),
        client.session(tmp_path, max_concurrency=10, download_workers=2) as session,
    ):
        stream = session.stream(prompts())
        await anext(stream)
        accepted = -1
        while accepted != sim.books.accepted:
            accepted = sim.books.accepted
            await asyncio.sleep(0.8)
        assert accepted <= 60
        for _ in range(40):
            await anext(stream)
        assert sim.books.accepted > accepted
        await stream.aclose()


async def test_a_slow_disk_holds_up_submission(live, tmp_path, monkeypatch):
    """While files are not written, no more is submitted than is in flight and waits for the disk."""
    disk, write = asyncio.Event(), OutputDirectory.publish

    async def when_the_disk_is_back(self, *arguments, **options):
        await disk.wait()
        return await write(self, *arguments, **options)

    monkeypatch.setattr(OutputDirectory, "publish", when_the_disk_is_back)
    async with (
        live() as (sim, client),
        client.session(tmp_path, max_concurrency=10, download_workers=2) as session,
    ):
        run = asyncio.create_task(session.run(prompts(100)))
        await asyncio.sleep(0.6)
        accepted = sim.books.accepted
        assert 2 <= accepted <= 30
        disk.set()
        assert (await run).complete
        assert sim.books.accepted == 100


async def test_two_sessions_in_one_directory(live, tmp_path):
    """The second is told at once, and the first goes on."""
    async with live() as (sim, client), client.session(tmp_path) as session:
        with pytest.raises(JournalLockedError) as caught:
            async with client.session(tmp_path):
                pass
        assert caught.value.hint
        assert (await session.run(prompts(5))).complete
        assert sim.books.accepted == 5


@pytest.mark.parametrize("kind", [KeyError, RuntimeError, StopIteration, ZeroDivisionError, InvalidRequestError])
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_errors_of_the_users_own_generator(live, tmp_path, kind, asynchronous):
    """What the input raises reaches whoever reads the stream as it is, in no group."""

    def broken():
        yield from prompts(3)
        raise kind("mine")

    async with live() as (_, client):
        before = running()
        source = slowly(broken()) if asynchronous else broken()
        expected = RuntimeError if kind is StopIteration else kind
        with pytest.raises(expected, match=r"mine|StopIteration") as caught:
            async with client.session(tmp_path) as session:
                await session.run(source)
        assert expected is type(caught.value)
        assert before == running()


async def test_errors_of_an_observer_touch_nothing(live, tmp_path, caplog):
    """An error in on_event is logged, whatever it heard of, and the run goes on."""
    for kind in (AttemptBegun, AttemptSettled, TaskFinished, ItemSaved, ItemFailed):

        def observe(event, kind=kind):
            if isinstance(event, kind):
                raise KeyError(kind.__name__)

        fails = [Fault(where="task", what=Fail())] if kind is ItemFailed else []
        directory = tmp_path / kind.__name__
        caplog.clear()
        async with live(faults=fails) as (sim, client), client.session(directory, on_event=observe) as session:
            report = await session.run(prompts(5))
        assert 5 == sim.books.accepted == report.saved + report.failed
        assert sum(kind.__name__ in (record.exc_text or "") for record in caplog.records) == 5


async def test_jobs_one_by_one(live, tmp_path):
    """submit() returns once a slot is free, each job has its outcome, and several may wait for it."""
    async with live() as (sim, client), client.session(tmp_path, max_concurrency=3) as session:
        request = ImageRequest("the same")
        jobs = [
            await session.submit(one)
            for one in (ImageRequest("a"), request, request, VideoRequest("b", model="sora-2"))
        ]
        outcomes = await asyncio.gather(*jobs, jobs[0])
        assert all(outcome.ok for outcome in outcomes)
        assert outcomes[0] is outcomes[-1]
        assert 4 == sim.books.accepted == len({outcome.item.key for outcome in outcomes})
        assert all(job.done for job in jobs)
        with pytest.raises(InvalidRequestError):
            await session.submit(ImageRequest(""))


async def test_whoever_stops_waiting_for_a_job_does_not_end_it(live, tmp_path):
    """Cancelling one awaiter leaves the job to the others, and leaving the session waits for it."""
    async with live(latency=Constant(0.3)) as (sim, client):
        async with client.session(tmp_path) as session:
            job = await session.submit(ImageRequest("a fox"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await job
            assert not job.done
        assert job.done
        assert (await job).ok
        assert sim.books.downloads == 1


async def test_jobs_of_a_stopped_session_end(live, tmp_path):
    """No job waits for ever: a refused key ends those that were submitted; later ones are tried."""
    async with live(client={"api_key": "sk-wrong"}) as (_, client), client.session(tmp_path) as session:
        async with asyncio.timeout(120):
            jobs = [await session.submit(request) for request in prompts(3)]
            ends = await asyncio.gather(*jobs, return_exceptions=True)
            assert all(isinstance(getattr(end, "error", end), AuthenticationError) for end in ends)
            for _ in range(2):
                assert isinstance((await (await session.submit(ImageRequest("one more")))).error, AuthenticationError)


async def test_a_drained_session_takes_no_more(live, tmp_path):
    """After drain() what is paid for is finished, streams end, and nothing new is sent."""
    async with live(latency=Constant(0.2)) as (sim, client), client.session(tmp_path, max_concurrency=10) as session:
        outcomes = []
        async for outcome in session.stream(prompts()):
            outcomes.append(outcome)
            if len(outcomes) == 1:
                session.drain()
                posts = sim.books.posts
        assert sim.books.posts <= posts + 10, "more than was on its way"
        assert sim.books.accepted == len([outcome for outcome in outcomes if outcome.ok])


async def test_late_tasks_give_their_slot_back(live, tmp_path):
    """A task that outlasts its patience frees its slot, and is unfinished at the end, not failed and not paid again."""
    stuck = Fault(where="task", what=Stall(seconds=3600), match="number 1")
    async with live(faults=[stuck]) as (sim, client):
        async with client.session(tmp_path, max_concurrency=2, patience_seconds=2.0) as session:
            outcomes = [outcome async for outcome in session.stream(prompts(8))]
        by_prompt = {outcome.item.request.prompt: outcome for outcome in outcomes}
        late = by_prompt.pop("prompt number 1")
        assert type(late).__name__ == "Unfinished"
        assert late.task is not None
        assert all(outcome.ok for outcome in by_prompt.values())
        assert (session.report.saved, session.report.unfinished, session.report.failed) == (7, 1, 0)
        sim.clock.advance(3600)
        async with client.session(tmp_path) as session:
            report = await session.run(prompts(8))
        assert (report.saved, report.skipped, sim.books.posts) == (1, 7, 8)


async def test_one_bad_item_does_not_stop_the_others(live, tmp_path):
    """Items that are refused here or fail there are outcomes; the rest is saved."""
    fails = [Fault(where="task", what=Fail(), match="number 3")]
    requests = [*prompts(6), ImageRequest("x", size="17:3"), "no request at all"]
    async with live(faults=fails) as (sim, client), client.session(tmp_path) as session:
        outcomes = [outcome async for outcome in session.stream(requests)]
        assert Counter({"Saved": 5, "Failed": 3}) == Counter(type(outcome).__name__ for outcome in outcomes)
        assert sim.books.posts == 6
        assert (session.report.saved, session.report.failed) == (5, 3)


async def test_many_streams_and_jobs_share_the_limits(live, tmp_path):
    """Streams and jobs of one session, and sessions of one client, keep to one concurrency each and mix well."""
    async with live(latency=Constant(0.05)) as (sim, client):
        async with client.session(tmp_path, max_concurrency=5) as session:
            first = session.run(ImageRequest(f"first {n}") for n in range(20))
            second = session.run(ImageRequest(f"second {n}") for n in range(20))
            job = await session.submit(ImageRequest("third"))
            await asyncio.gather(first, second)
            assert (await job).ok
        assert sim.books.max_unfinished <= 5
        assert 41 == sim.books.posts == session.report.saved
