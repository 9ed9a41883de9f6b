"""Submissions whose caller goes away."""

import asyncio
import logging
from random import Random

import pytest

from toapis_async.client.images import Images
from toapis_async.client.orphans import REMEMBERED, AbandonedSubmission, Caller, OrphanTracker
from toapis_async.client.uploads import Uploads
from toapis_async.errors import ConfigurationError, InvalidRequestError, ServerError
from toapis_async.testing import Constant
from toapis_async.testing.fake_clock import FakeClock
from toapis_async.transport.pacing import Pacer
from toapis_async.values.limits import RateLimits
from toapis_async.values.requests import ImageRequest
from toapis_async.values.tasks import GenerationTask, TaskStatus

TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.QUEUED)
REQUEST = ImageRequest("a secret fox")


class Work:
    """A submission that ends when it is told to."""

    def __init__(self):
        self.caller = Caller(request=REQUEST)
        self.sent, self.end = asyncio.Event(), asyncio.Event()
        self.error = None

    async def __call__(self, *, send=True):
        if send:
            self.caller.client_business_id = "ours-1"
            self.caller.under_way = True
        self.sent.set()
        await self.end.wait()
        if self.error:
            raise self.error
        return TASK


async def abandoned(orphans, work, **how):
    """Begin a submission and cancel its caller."""
    caller = asyncio.create_task(orphans.run(work.caller, work(**how)))
    await work.sent.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller


async def settled(orphans, work):
    """Let the submission end."""
    work.end.set()
    await orphans.aclose(patience_seconds=5)
    await asyncio.sleep(0)


async def test_a_caller_who_stays_gets_the_task():
    """Nothing is remembered of a submission whose caller waited."""
    orphans, work = OrphanTracker(), Work()
    work.end.set()
    assert await orphans.run(work.caller, work()) is TASK
    assert tuple(orphans.abandoned) == ()


async def test_a_caller_who_stays_gets_the_error():
    """The submission's own error comes out as it is."""
    orphans, work = OrphanTracker(), Work()
    work.end.set()
    work.error = ServerError("boom", http_status=500)
    with pytest.raises(ServerError):
        await orphans.run(work.caller, work())


async def test_an_abandoned_submission_goes_on_to_the_hook():
    """The POST of a cancelled caller is waited for, and its task handed over once it is known."""
    heard = []
    orphans, work = OrphanTracker(heard.append), Work()
    await abandoned(orphans, work)
    assert heard == []
    assert work.caller.wanted is False
    await settled(orphans, work)
    expected = AbandonedSubmission(request=REQUEST, client_business_id="ours-1", task=TASK)
    assert [expected] == heard == list(orphans.abandoned)


async def test_an_abandoned_failure_is_handed_over_too():
    """The hook hears of a submission that failed after its caller had gone."""
    heard = []
    orphans, work = OrphanTracker(heard.append), Work()
    await abandoned(orphans, work)
    work.error = ServerError("boom", http_status=500)
    await settled(orphans, work)
    (one,) = heard
    assert (None, work.error) == (one.task, one.error)


async def test_what_was_never_sent_is_not_remembered():
    """A caller who goes away before anything was sent leaves nothing behind, not even a complaint."""
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    orphans, work = OrphanTracker(), Work()
    await abandoned(orphans, work, send=False)
    work.error = InvalidRequestError("never sent")
    await settled(orphans, work)
    assert complaints == []
    assert not orphans.abandoned


async def test_what_waits_to_try_again_ends_with_its_caller():
    """A refused attempt is no reason to go on for nobody: it ends at once, and the hook hears that there is no task."""
    heard = []
    orphans, work = OrphanTracker(heard.append), Work()
    caller = asyncio.create_task(orphans.run(work.caller, work()))
    await work.sent.wait()
    work.caller.under_way = False
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await asyncio.sleep(0)
    expected = AbandonedSubmission(request=REQUEST, client_business_id="ours-1", task=None)
    assert [expected] == heard
    assert not orphans._running


async def test_callers_who_have_gone_leave_the_line(scripted_gateway, json_reply):
    """200 callers give up before their turn: the next one waits for one token, and closing for nothing."""
    clock = FakeClock()
    limits = RateLimits(submit_per_second=5.0, submit_burst=1, query_per_second=50.0, query_burst=50)
    gateway = scripted_gateway(
        lambda _: json_reply({"id": "tsk_1"}),
        clock=clock,
        rate_limiter=Pacer(limits, clock=clock, random=Random(1)),
    )
    orphans = OrphanTracker()
    images = Images(gateway, uploads=Uploads(gateway), orphans=orphans, downloader=None)
    callers = [asyncio.create_task(images.submit(REQUEST)) for _ in range(201)]
    while len(gateway.transport.requests) < 1:
        await asyncio.sleep(0)
    for caller in callers[1:]:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await images.submit(REQUEST)
    await orphans.aclose(patience_seconds=30)
    assert clock.monotonic() == pytest.approx(0.2)
    assert len(gateway.transport.requests) == 2


async def test_a_caller_cancelled_as_the_answer_comes_loses_nothing():
    """Cancellation in the very moment in which the task is known still hands it over."""
    orphans, work = OrphanTracker(), Work()
    caller = asyncio.create_task(orphans.run(work.caller, work()))
    await work.sent.wait()
    work.end.set()
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await settled(orphans, work)
    assert [one.task for one in orphans.abandoned] == [TASK]


async def test_a_broken_hook_does_not_eat_the_cancellation(caplog):
    """An error of the hook is logged; the caller's cancellation stays one."""

    def hook(_):
        raise KeyError("mine")

    orphans = OrphanTracker(hook)
    with caplog.at_level(logging.ERROR, "toapis_async"):
        orphans.add(AbandonedSubmission(request=REQUEST, client_business_id="ours-1", task=TASK))
    assert [record.message for record in caplog.records] == ["on_abandoned broke"]
    assert len(orphans.abandoned) == 1


async def test_a_defect_after_the_caller_has_gone_is_logged(caplog):
    """An error outside the family is not swallowed."""
    orphans, work = OrphanTracker(), Work()
    await abandoned(orphans, work)
    work.error = KeyError("a defect")
    await settled(orphans, work)
    assert "An abandoned submission broke" in caplog.text
    assert [one.error for one in orphans.abandoned] == [None]


async def test_the_log_has_no_prompt(caplog):
    """What is logged names the task and the reference, and not what was asked for."""
    orphans, work = OrphanTracker(), Work()
    await abandoned(orphans, work)
    await settled(orphans, work)
    assert "tsk_1" in caplog.text
    assert "ours-1" in caplog.text
    assert "secret" not in caplog.text + repr(orphans.abandoned)


async def test_closing_lets_go_after_its_patience():
    """What is still being asked about at the end of the patience is cancelled, and handed over as not known."""
    orphans, work = OrphanTracker(), Work()
    await abandoned(orphans, work)
    await orphans.aclose(patience_seconds=0.01)
    await asyncio.sleep(0)
    assert [(one.task, one.error, one.client_business_id) for one in orphans.abandoned] == [(None, None, "ours-1")]
    assert {asyncio.current_task()} == asyncio.all_tasks()


async def test_memory_is_bounded():
    """Only the latest thousand are remembered."""
    orphans = OrphanTracker()
    for number in range(REMEMBERED + 5):
        orphans.add(AbandonedSubmission(request=REQUEST, client_business_id=str(number), task=None))
    assert len(orphans.abandoned) == REMEMBERED
    assert orphans.abandoned[0].client_business_id == "5"


async def test_a_client_in_two_running_loops_sends_nothing(live, tmp_path):
    """Neither a call, nor a wait, nor a session begins in a second loop while the first one runs, and none is left."""
    async with live(latency=Constant(0.2)) as (sim, client):
        task = await client.images.submit(ImageRequest("a fox"))
        async with client.session(tmp_path / "first"):
            pass

        async def session():
            async with client.session(tmp_path / "second"):
                pass

        for work in (lambda: client.images.generate(prompt="an owl"), lambda: client.images.wait(task), session):

            async def elsewhere(work=work):
                with pytest.raises(ConfigurationError, match="another event loop"):
                    await work()

            await asyncio.to_thread(asyncio.run, elsewhere())
        assert sim.books.posts == 1
        assert not (tmp_path / "second").exists()
        assert (await client.images.wait(task)).completed


async def test_what_a_stopped_loop_left_keeps_no_client_open():
    """Tasks of a loop that has gone never end: closing in the next one does not wait for them."""
    tracker = OrphanTracker()

    async def leave_one():
        caller = Caller(request=REQUEST, under_way=True, client_business_id="c")
        waiting.append(asyncio.ensure_future(tracker.run(caller, asyncio.sleep(3600))))
        await asyncio.sleep(0)

    waiting = []
    loop = asyncio.new_event_loop()
    await asyncio.to_thread(loop.run_until_complete, leave_one())
    async with asyncio.timeout(5):
        await tracker.aclose(patience_seconds=3600)
    for task in [*waiting, *asyncio.all_tasks(loop)]:
        task.cancel()
    await asyncio.to_thread(loop.run_until_complete, asyncio.gather(*waiting, return_exceptions=True))
    loop.close()
