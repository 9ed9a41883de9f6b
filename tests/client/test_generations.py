"""The verbs that images and videos share, against the simulator on a real socket."""

import asyncio
import hashlib
from random import Random

import pytest

from toapis_async import (
    GracePeriods,
    ImageRequest,
    InsufficientQuotaError,
    InvalidRequestError,
    LinkExpiredError,
    NotFoundError,
    SubmissionUnknownError,
    TaskFailedError,
    TaskStatus,
    TaskTimeoutError,
    VideoRequest,
)
from toapis_async.client.waiting import Finish, learn
from toapis_async.clock import SystemClock
from toapis_async.testing import Constant, Delay, Drop, Fail, Fault, ForbiddenUntilLookup, Refuse
from toapis_async.transport.pacing import Pacer
from toapis_async.values.exchange import Purpose


class Priorities(Pacer):
    """Lets everything through, and notes how urgent it was said to be."""

    def __init__(self):
        super().__init__(None, clock=SystemClock(), random=Random(1))
        self.heard_of = set()

    def take_at_once(self, purpose, priority=0):
        self.heard_of.add((purpose, priority))
        return super().take_at_once(purpose, priority)


SOON = GracePeriods(settled_seconds=1.5, at_work_seconds=1.5)


async def test_submit_returns_the_accepted_task(live):
    """One POST, no look: the task is accepted and not waited for."""
    async with live() as (sim, client):
        task = await client.images.submit(ImageRequest("a fox"))
        assert task.id
        assert not task.finished
        assert (sim.books.posts, sim.books.polls) == (1, 0)


@pytest.mark.parametrize(("asked", "expected"), [(None, 0), (0, 0), (1, 1)])
async def test_a_single_call_stands_where_its_request_says(live, asked, expected):
    """A single call goes before bulk ones unless its request asks to wait with them, in its looks too."""
    limiter = Priorities()
    async with live(client={"rate_limits": limiter}) as (_, client):
        await client.images.generate(prompt="a fox", priority=asked)
    assert {(Purpose.SUBMIT, expected), (Purpose.QUERY, expected)} == limiter.heard_of


async def test_retrieve_finds_a_task_by_either_name(live):
    """The gateway's id and our own reference lead to the same task."""
    async with live() as (_, client):
        task = await client.images.submit(ImageRequest("a fox", client_business_id="order-17"))
        assert task.client_business_id == "order-17"
        assert task.id == (await client.images.retrieve("order-17")).id == (await client.images.retrieve(task.id)).id
        with pytest.raises(NotFoundError):
            await client.images.retrieve("order-18")


async def test_wait_takes_a_task_or_its_id(live):
    """Waiting ends with the completed task and its links."""
    async with live() as (_, client):
        task = await client.images.submit(ImageRequest("a fox"))
        by_task, by_id = await asyncio.gather(client.images.wait(task), client.images.wait(task.id))
        assert by_task.urls == by_id.urls
        assert by_task.status is TaskStatus.COMPLETED


async def test_wait_ends_with_its_patience(live):
    """A task that is late comes out in the error, and can be waited for again."""
    async with live(latency=Constant(0.4)) as (sim, client):
        task = await client.images.submit(ImageRequest("a fox"))
        with pytest.raises(TaskTimeoutError) as caught:
            await client.images.wait(task, timeout_seconds=1.0)
        assert task.id == caught.value.task.id
        assert (await client.images.wait(caught.value.task)).completed
        assert sim.books.posts == 1


async def test_a_failed_task_raises_with_the_gateways_words(live):
    """A task that the gateway gives up raises with the task in hand."""
    async with live(faults=[Fault(where="task", what=Fail(message="no foxes today"))]) as (_, client):
        with pytest.raises(TaskFailedError, match="no foxes today") as caught:
            await client.images.generate(prompt="a fox")
        task = caught.value.task
        assert task.status is TaskStatus.FAILED
        with pytest.raises(TaskFailedError):
            await client.images.download(task, "unused")


async def test_an_empty_account_is_told(live):
    """402 comes out at once with one POST."""
    async with live(balance_usd=0) as (sim, client):
        with pytest.raises(InsufficientQuotaError):
            await client.images.generate(prompt="a fox")
        assert sim.books.posts == 1


async def test_a_lost_reply_is_adopted_by_a_single_call(live):
    """A single call has no journal, and still neither pays twice nor loses the task."""
    lost = Fault(where="submit", what=Drop(after_acceptance=True), nth=1)
    async with live(faults=[lost]) as (sim, client):
        task = await client.images.generate(prompt="a fox")
        assert task.completed
        assert (sim.books.posts, sim.books.accepted) == (1, 1)


async def test_a_doubt_of_a_single_call_stays_one(live):
    """At a gateway that ignores references the doubt comes out, and nothing is sent again."""
    lost = Fault(where="submit", what=Drop(after_acceptance=True), nth=1)
    async with live(faults=[lost], keeps_client_ids=False, client={"grace": SOON}) as (sim, client):
        with pytest.raises(SubmissionUnknownError) as caught:
            await client.images.generate(prompt="a fox")
        assert sim.books.posts == 1
        assert caught.value.client_business_id in sim.books.by_client_business_id


async def test_a_cancelled_generate_keeps_the_paid_task(live):
    """A request that goes away during the POST leaves its task with the client and the hook."""
    heard = []
    slow = Fault(where="submit", what=Delay(seconds=0.3))
    async with live(faults=[slow], client={"on_abandoned": heard.append}) as (sim, client):
        call = asyncio.create_task(client.images.generate(prompt="a fox"))
        while not sim.books.posts:
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        while not heard:
            await asyncio.sleep(0.01)
        (left,) = client.abandoned
        assert left is heard[0]
        assert (await client.images.wait(left.task)).completed
        assert sim.books.accepted == 1


async def test_a_cancelled_wait_keeps_the_paid_task(live):
    """A request that goes away while the task is made leaves the task behind as well."""
    async with live(latency=Constant(5)) as (sim, client):
        waiting = asyncio.create_task(client.images.generate(prompt="a fox"))
        while not sim.books.polls:
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        (left,) = client.abandoned
        assert left.task.id
        assert left.client_business_id == left.task.client_business_id


async def test_closing_waits_for_what_is_on_its_way(live):
    """A client that is closed during a POST waits for its answer."""
    slow = Fault(where="submit", what=Delay(seconds=0.3))
    async with live(faults=[slow]) as (sim, client):
        call = asyncio.create_task(client.images.submit(ImageRequest("a fox")))
        while not sim.books.posts:
            await asyncio.sleep(0.01)
        await client.aclose()
        assert (await call).id


async def test_download_saves_under_the_tasks_name(live, tmp_path):
    """Files are verified, named by the task, and fetched without the key."""
    async with live() as (sim, client):
        task = await client.images.generate(prompt="a fox", n=1)
        (file,) = await client.images.download(task, tmp_path / "new" / "folder")
        assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256
        assert [file.path] == list((tmp_path / "new" / "folder").iterdir())
        assert sim.books.with_key["file"] == 0
        assert sim.books.requests["file"] == 1


async def test_download_waits_for_an_unfinished_task(live, tmp_path):
    """An accepted task is waited for first."""
    async with live() as (_, client):
        task = await client.images.submit(ImageRequest("a fox"))
        assert len(await client.images.download(task, tmp_path)) == 1


async def test_a_dead_link_leads_back_to_the_task(live, tmp_path):
    """A 403 on a file is answered by a look at the task and its fresh link; nothing is charged again."""
    dead = Fault(where="file", what=ForbiddenUntilLookup(fresh_url=True), nth=1)
    async with live(faults=[dead]) as (sim, client):
        task = await client.images.generate(prompt="a fox")
        polls = sim.books.polls
        assert len(await client.images.download(task, tmp_path)) == 1
        assert polls + 1 == sim.books.polls
        assert sim.books.posts == 1


async def test_a_link_that_stays_dead_says_so(live, tmp_path):
    """When the gateway has no link any more the error says what to do, and nothing is left on the disk."""
    async with live(link_life=0.5) as (sim, client):
        task = await client.images.generate(prompt="a fox")
        sim.clock.advance(10)
        with pytest.raises(LinkExpiredError) as caught:
            await client.images.download(task, tmp_path)
        assert caught.value.hint
        assert list(tmp_path.iterdir()) == []


async def test_a_wrong_request_costs_nothing(live):
    """What the catalogue refuses never reaches the gateway, whichever verb it is given to."""
    async with live() as (sim, client):
        for wrong in (ImageRequest(""), ImageRequest("a fox", size="17:3"), ImageRequest("a fox", n=0)):
            with pytest.raises(InvalidRequestError):
                await client.images.submit(wrong)
        with pytest.raises(InvalidRequestError):
            await client.videos.submit(VideoRequest("a fox", model="", duration=5))
        assert sim.books.posts == 0


@pytest.mark.parametrize(
    ("created", "completed", "after", "by", "expected"),
    [
        (100, 110, 5.0, 15.0, (8.0, 11.0)),
        (100, 103, 8.0, 15.0, (8.0, 15.0)),
        (100, 117, 8.0, 15.0, (8.0, 15.0)),
        (None, None, 8.0, 15.0, (8.0, 15.0)),
    ],
    ids=["the gateway's dates narrow it", "dates that say too soon", "dates that say too late", "no dates"],
)
def test_what_is_learned_from_a_wait(created, completed, after, by, expected):
    """The gateway's own dates narrow the interval where they agree with what was seen."""
    from datetime import UTC, datetime

    from toapis_async.values.tasks import GenerationTask

    task = GenerationTask(
        id="tsk_1",
        kind="image",
        status=TaskStatus.COMPLETED,
        created_at=None if created is None else datetime.fromtimestamp(created, UTC),
        completed_at=None if completed is None else datetime.fromtimestamp(completed, UTC),
    )
    heard = []

    class Watch:
        def finished(self, *interval):
            heard.append(interval)

    learn(Watch(), Finish(task=task, after_seconds=after, by_seconds=by, looks=3))
    assert [expected] == heard
    learn(Watch(), Finish(task=task, after_seconds=0.0, by_seconds=0.0, looks=0))
    assert [expected] == heard


async def test_a_429_is_a_wait_and_no_failure(live):
    """A single call waits as the gateway asks, and is accepted once."""
    busy = Fault(where="submit", what=Refuse(reply="rate_limited", retry_after=0.2), nth=1)
    async with live(faults=[busy]) as (sim, client):
        assert (await client.images.generate(prompt="a fox")).completed
        assert (sim.books.posts, sim.books.accepted) == (2, 1)
