"""Jobs of several workers over one directory: made once, found by all, gone on with after any end."""

import asyncio
import multiprocessing
import os
import signal
from contextvars import ContextVar
from pathlib import Path

import attrs
import pytest

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest, InvalidRequestError, StorageError
from toapis_async.integrations import job_store
from toapis_async.integrations.job_store import JobStore
from toapis_async.testing import Constant, Drop, Fail, Fault, Reply

FOX = ImageRequest("a fox")


async def test_a_job_is_made_and_found(live, store):
    """It has an id at once, and in the end a file."""
    async with live() as (sim, client), store(client) as jobs:
        job = await jobs.submit(FOX)
        assert (job.state, job.request.prompt) == ("queued", "a fox")
        done = await jobs.wait(job.id)
    assert (done.state, len(done.result.files)) == ("saved", 1)
    assert done.result.files[0].path.stat().st_size == done.result.files[0].bytes
    assert done.result.task_id
    assert sim.books.accepted == 1


async def test_the_same_id_is_the_same_job_for_every_worker(live, store):
    """Two workers and many at once: one job, one charge; another request under the id is refused."""
    async with live() as (sim, client), store(client) as ann, store(client) as bob:
        asked = [where.submit(FOX, id="order-7") for where in (ann, bob) * 10]
        assert {"order-7"} == {job.id for job in await asyncio.gather(*asked)}
        done = [await where.wait("order-7") for where in (ann, bob)]
        with pytest.raises(InvalidRequestError, match="belongs to another request"):
            await bob.submit(ImageRequest("an owl"), id="order-7")
        again = await bob.submit(FOX, id="order-7")
    assert [job.state for job in (*done, again)] == ["saved"] * 3
    assert sim.books.accepted == 1
    assert sim.books.duplicates == {}


async def test_what_cannot_be_right_is_not_written_down(live, store):
    """A request that the catalogue refuses, and an id that is no name, are refused at once."""
    async with live() as (_, client), store(client) as jobs:
        with pytest.raises(InvalidRequestError):
            await jobs.submit(ImageRequest("a fox", size="7:77"), id="seven")
        for name in ("", "a/b", "../x", "x" * 129, "a b", "a\n"):
            with pytest.raises(InvalidRequestError, match="an id has"):
                await jobs.submit(FOX, id=name)
        assert (await jobs.find("seven"), await jobs.find("a/b")) == (None, None)


async def test_a_closed_store_is_gone_on_with(live, store):
    """Parked with tasks in flight and jobs in line: the next worker brings all of them to their end, none twice."""
    requests = {f"job-{number}": ImageRequest(f"fox {number}") for number in range(12)}

    def few(client, directory):
        return client.session(directory, max_concurrency=4)

    async with live(latency=Constant(0.3)) as (sim, client):
        async with store(client, session=few) as jobs:
            for name, request in requests.items():
                await jobs.submit(request, id=name)
            while client.metrics().accepted < 4:
                await asyncio.sleep(0.01)
        accepted = sim.books.accepted
        async with store(client) as jobs:
            done = [await jobs.wait(name) for name in requests]
    assert accepted < 12
    assert {"saved"} == {job.state for job in done}
    assert (sim.books.accepted, sim.books.duplicates) == (12, {})


async def test_a_dead_workers_jobs_are_taken_over(live, store, tmp_path):
    """A worker is killed with jobs in flight; another one that lives finishes them without a second charge."""
    async with live(latency=Constant(0.4)) as (sim, client), store(client) as jobs:  # has worker-0
        child = multiprocessing.get_context("spawn").Process(
            target=work_and_hang, args=(str(tmp_path / "jobs"), sim.base_url, sim.api_key)
        )
        child.start()
        while sim.books.accepted < 5:
            await asyncio.sleep(0.02)
        assert (await jobs.find("job-0")).state == "running"
        assert (await jobs.find("job-0")).worker == "worker-1"
        os.kill(child.pid, signal.SIGKILL)
        await asyncio.to_thread(child.join)
        done = [await jobs.wait(f"job-{number}") for number in range(5)]
        while (tmp_path / "jobs" / "worker-1" / ".toapis" / "lock").read_text():
            await asyncio.sleep(0.02)  # it lets go of the directory when all is done
    assert {"saved"} == {job.state for job in done}
    assert (sim.books.accepted, sim.books.duplicates) == (5, {})


def work_and_hang(directory, base_url, api_key):
    """Be a worker that takes five jobs and never ends by itself."""

    async def work():
        options = {"rate_limits": None, "polling": FixedPolling(5.0)}
        client = AsyncToAPIs(api_key=api_key, base_url=base_url, **options)
        async with client, JobStore(client, directory) as jobs:
            for number in range(5):
                await jobs.submit(ImageRequest(f"fox {number}"), id=f"job-{number}")
            await asyncio.Event().wait()

    asyncio.run(work())


async def test_an_unfinished_job_is_taken_up_again(live, store):
    """A file host that is down for a while: the job says so, and is saved once the host is back; paid once."""
    down = [Fault(where="file", what=Reply(http_status=404, body="gone"), first=8)]
    async with live(faults=down) as (sim, client), store(client) as jobs:
        job = await jobs.submit(FOX)
        states = [seen.state async for seen in jobs.follow(job.id)]
    assert states[-1] == "saved"
    assert "unfinished" in states
    assert sim.books.accepted == 1


async def test_a_failed_task_is_a_failed_job(live, store):
    """It names the error and the task, and is not made again by itself."""
    async with live(faults=[Fault(where="task", what=Fail(message="no"))]) as (sim, client), store(client) as jobs:
        done = await jobs.wait((await jobs.submit(FOX)).id)
        assert (done.state, done.result.error_type) == ("failed", "TaskFailedError")
        assert done.result.task_id
    assert sim.books.accepted == 1


async def test_a_lost_reply_is_no_second_charge(live, store):
    """The reply to a POST is lost: the job goes on all the same."""
    lost = Fault(where="submit", what=Drop(after_acceptance=True), nth=1)
    async with live(faults=[lost]) as (sim, client), store(client) as jobs:
        done = await jobs.wait((await jobs.submit(FOX)).id)
    assert (done.state, sim.books.accepted, sim.books.duplicates) == ("saved", 1, {})


async def test_jobs_are_followed_from_any_worker(live, store):
    """Each state once, in order, ending with the last; at a worker that does not make it as well."""
    async with live(latency=Constant(0.3)) as (_, client), store(client) as ann, store(client) as bob:
        job = await ann.submit(FOX)

        async def told(jobs):
            return [seen.state async for seen in jobs.follow(job.id)]

        here, there = await asyncio.gather(told(ann), told(bob))
    assert here == ["queued", "running", "saved"]
    assert there[-1] == "saved"
    assert sorted(there, key=here.index) == there


async def test_a_wait_ends_when_its_time_is_up_or_the_store_closes(live, store):
    """With the job as it stands; an unknown one is None."""
    async with live(latency=Constant(60)) as (_, client), store(client) as jobs:
        job = await jobs.submit(FOX)
        assert None is await jobs.wait("nobody")
        assert [seen async for seen in jobs.follow("nobody")] == []
        assert (await jobs.wait(job.id, timeout_seconds=0.05)).state != "saved"
        waiting = asyncio.create_task(jobs.wait(job.id))
        following = asyncio.create_task(anext(aiter(follower(jobs, job.id))))
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(jobs.aclose())
        assert (await waiting).state != "saved"
        await following
        await closing


async def follower(jobs, job_id):
    seen = [job async for job in jobs.follow(job_id)]
    yield seen


async def test_urgent_jobs_go_first(live, store):
    """Priority 0 overtakes what waits in line."""
    order = []

    def one(client, directory):
        return client.session(directory, max_concurrency=1)

    async with live(latency=Constant(0.05)) as (_, client), store(client, session=one) as jobs:
        bulk = [await jobs.submit(ImageRequest(f"bulk {number}"), id=f"bulk-{number}") for number in range(6)]
        urgent = await jobs.submit(ImageRequest("urgent", priority=0), id="urgent")

        async def note(job):
            order.append((await jobs.wait(job.id)).id)

        await asyncio.gather(*(note(job) for job in (*bulk, urgent)))
    assert order.index("urgent") <= 3


def test_no_prompt_in_a_repr():
    """Prompts are private."""
    from toapis_async.values.jobs import StoredJob

    job = StoredJob(id="x", worker="w", state="queued", request=ImageRequest("secret"), created_at=0, changed_at=0)
    assert "secret" not in repr(job)
    assert attrs.evolve(job, state="saved").ended


def test_paths_are_kept_relative(tmp_path):
    """A store can be moved: files are found below where it is now."""
    from toapis_async.values.files import SavedFile
    from toapis_async.values.jobs import StoredResult
    from toapis_async.wire.jobs import decode_result, encode_result

    file = SavedFile(uri=tmp_path / "worker-0" / "a.png", bytes=3, sha256="0" * 64, mime="image/png")
    text = encode_result(StoredResult(task_id="t", files=(file,), cost_usd="0.1"), tmp_path)
    assert str(tmp_path) not in text
    moved = decode_result(text, Path("elsewhere"))
    assert Path("elsewhere/worker-0/a.png") == moved.files[0].path
    for damaged in ("[]", "{", '{"files": [[1]]}', '{"what": 1}'):
        with pytest.raises(ValueError):
            decode_result(damaged, tmp_path)


async def test_a_job_runs_in_the_context_of_who_asked_for_it(live, store):
    """What listens sees the context variables of the web request, long after it was answered."""
    asker, heard = ContextVar("asker", default="nobody"), set()

    def hear(event):
        if event.key is not None:
            heard.add((event.key, asker.get()))

    async def ask(jobs, name):
        asker.set(name)
        return await jobs.submit(ImageRequest(f"for {name}"), id=name)

    async with live(client={"on_event": hear}) as (_, client), store(client) as jobs:
        await asyncio.gather(*(asyncio.create_task(ask(jobs, name)) for name in ("ann", "bob")))
        for name in ("ann", "bob"):
            await jobs.wait(name)
    assert heard == {("ann", "ann"), ("bob", "bob")}


async def test_what_stands_in_line_can_be_cancelled_at_any_worker(live, store):
    """It is never sent; what is under way stays, and is served in the end."""
    async with live(latency=Constant(0.2)) as (sim, client):
        one_at_a_time = {"session": lambda opened, where: opened.session(where, max_concurrency=1)}
        async with store(client, **one_at_a_time) as ann, store(client) as bob:
            ids = [(await ann.submit(ImageRequest(f"fox {number}"))).id for number in range(30)]
            cancelled = [job.id for job in [await bob.cancel(job_id) for job_id in ids] if job.state == "cancelled"]
            assert 0 < len(cancelled) < 30
            assert (await ann.wait(cancelled[0])).state == "cancelled"
            assert (await ann.submit(ImageRequest("fox 29"), id=ids[-1])).state == "cancelled"
            saved = [job_id for job_id in ids if (await ann.wait(job_id)).state == "saved"]
            assert {*ids} == {*saved, *cancelled}
            assert (await ann.cancel(saved[0])).state == "saved"
            assert await ann.cancel("nobody") is None
        assert sim.books.accepted == len(saved)


async def test_cancelled_stays_cancelled_after_a_restart(live, store):
    """A worker that takes a directory over does not make what was cancelled in it."""
    async with live(latency=Constant(5.0)) as (_, client):
        one_at_a_time = {"session": lambda opened, where: opened.session(where, max_concurrency=1)}
        async with store(client, **one_at_a_time) as jobs:
            ids = [(await jobs.submit(ImageRequest(f"fox {number}"))).id for number in range(12)]
            assert (await jobs.cancel(ids[-1])).state == "cancelled"
        async with store(client, **one_at_a_time) as jobs:
            assert ids[-1] not in jobs._own
            assert ids[-2] in jobs._own


async def test_old_jobs_are_removed_with_their_files(live, store):
    """What has ended is kept for so long; what is under way, or unfinished and perhaps paid for, for ever."""
    async with live(latency=Constant(0.05)) as (_, client), store(client, keep_seconds=0.3) as jobs:
        job = await jobs.wait((await jobs.submit(FOX)).id)
        path = job.result.files[0].path
        assert path.exists()
        while await jobs.find(job.id) is not None:
            await asyncio.sleep(0.02)
        assert not path.exists()


async def test_what_cannot_be_removed_for_now_is_told_and_tried_again(live, store, monkeypatch, caplog):
    """A refusal of the disk ends neither the tending nor the store, and is not kept quiet."""
    remove, tries = job_store.remove_ended, []

    async def refused_once(*arguments, **options):
        tries.append(None)
        if len(tries) == 1:
            raise StorageError("The disk is away.", path="jobs", hint="Bring it back.")
        return await remove(*arguments, **options)

    monkeypatch.setattr(job_store, "remove_ended", refused_once)
    async with live(latency=Constant(0.05)) as (_, client), store(client, keep_seconds=0.3) as jobs:
        job = await jobs.wait((await jobs.submit(FOX)).id)
        while await jobs.find(job.id) is not None:
            await asyncio.sleep(0.02)
    assert len(tries) > 1
    assert "The disk is away" in caplog.text
