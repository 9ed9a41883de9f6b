"""One submitted request, with an outcome to await."""

import asyncio

from toapis_async import Failed, ImageRequest, Saved, ToAPIsError, Unfinished
from toapis_async.batch.outcomes import Item
from toapis_async.batch.runs.job import Job
from toapis_async.values.tasks import GenerationTask, TaskStatus

REQUEST = ImageRequest("a fox")
ITEM = Item(key="fox", request=REQUEST)
OUTCOME = Saved(item=ITEM, files=())


async def test_a_job_has_one_end():
    """The first end counts, for everyone who waits, now and later."""
    job = Job(REQUEST, "fox")
    early = asyncio.ensure_future(asyncio.wait_for(job, 120))
    await asyncio.sleep(0)
    job.end(OUTCOME)
    job.give_up(KeyError("late"))
    assert job.done
    assert OUTCOME is await early is await job


async def test_a_job_nobody_awaits_is_no_complaint():
    """A job that is given up and never awaited says nothing."""
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    job = Job(REQUEST, "fox")
    job.give_up(ToAPIsError("over"))
    del job
    await asyncio.sleep(0)
    assert complaints == []


async def test_a_job_says_how_it_stands():
    """Its repr names key, state and task, and never the prompt."""
    task = GenerationTask(id="task_1", kind="image", status=TaskStatus.FAILED, model="m")
    ends = {
        "saved": OUTCOME,
        "failed": Failed(item=ITEM, error=ToAPIsError("no"), task=task),
        "unfinished": Unfinished(item=ITEM, error=ToAPIsError("no")),
    }
    assert Job(REQUEST, "fox").state == "waiting"
    for state, outcome in ends.items():
        job = Job(REQUEST, "fox")
        job.hear(outcome)
        assert state == job.state
        assert (None if outcome.task is None else "task_1") == job.task_id
        assert f"key='fox' state={state!r}" in repr(job)
        assert "a fox" not in repr(job)
        assert not job.cancel()
