"""Waiting for one task, on a clock that jumps."""

from random import Random

import attrs
import pytest

from toapis_async.client.waiting import wait_until_finished
from toapis_async.errors import (
    APIConnectionError,
    AuthenticationError,
    Delivery,
    NotFoundError,
    RateLimitError,
    ServerError,
    TaskTimeoutError,
)
from toapis_async.testing import FakeClock
from toapis_async.values.tasks import GenerationTask, TaskStatus

TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.QUEUED, status_text="queued")


@attrs.define
class Every:
    """A plan of equal waits."""

    seconds: float = 5.0
    asked_at: list = attrs.field(factory=list)

    def next_delay(self, elapsed, random):
        self.asked_at.append(elapsed)
        return self.seconds


@attrs.define
class Gateway:
    """Finishes a task at a given second; before that it says what the script says."""

    clock: FakeClock
    done_at: float
    script: list = attrs.field(factory=list)
    looked_at: list = attrs.field(factory=list)
    last: TaskStatus = TaskStatus.COMPLETED

    async def __call__(self):
        self.looked_at.append(self.clock.monotonic())
        if self.script:
            said = self.script.pop(0)
            if isinstance(said, Exception):
                raise said
            return attrs.evolve(TASK, status=said)
        status = self.last if self.clock.monotonic() >= self.done_at else TaskStatus.IN_PROGRESS
        return attrs.evolve(TASK, status=status)


async def waited(gateway, *, task=TASK, plan=None, patience=None, **more):
    return await wait_until_finished(
        gateway,
        task,
        accepted_at=0.0,
        plan=plan or Every(),
        patience_seconds=patience,
        clock=gateway.clock,
        random=Random(1),
        **more,
    )


async def test_it_looks_by_the_plan_until_the_task_is_finished():
    """Looks come as planned, and what was seen when is told for learning."""
    gateway = Gateway(FakeClock(), done_at=12.0)
    finish = await waited(gateway)
    assert gateway.looked_at == [5.0, 10.0, 15.0]
    assert (
        finish.task.status, finish.after_seconds, finish.by_seconds, finish.looks,
    ) == (TaskStatus.COMPLETED, 10.0, 15.0, 3)  # fmt: skip


async def test_a_finished_task_is_not_looked_at():
    """What is finished already costs no look."""
    gateway = Gateway(FakeClock(), done_at=0.0)
    finish = await waited(gateway, task=attrs.evolve(TASK, status=TaskStatus.COMPLETED))
    assert gateway.looked_at == []
    assert finish.looks == 0


async def test_failure_of_the_task_is_an_end():
    """A failed task ends the wait; whoever waits decides what it means."""
    gateway = Gateway(FakeClock(), done_at=3.0, last=TaskStatus.FAILED)
    assert (await waited(gateway)).task.status is TaskStatus.FAILED


async def test_an_unknown_word_is_not_an_end():
    """A status that nobody documents means not finished."""
    gateway = Gateway(FakeClock(), done_at=0.0, script=[TaskStatus.UNRECOGNISED, TaskStatus.SUBMITTED])
    assert (await waited(gateway)).looks == 3


@pytest.mark.parametrize(
    "failure",
    [
        ServerError("boom", http_status=502),
        APIConnectionError("reset", delivery=Delivery.UNKNOWN),
        RateLimitError("slow", http_status=429),
        NotFoundError("not yet", http_status=404),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_failed_look_is_not_a_failed_task(failure):
    """A look that fails is repeated on a back-off of its own, and the plan is not asked meanwhile."""
    gateway, plan = Gateway(FakeClock(), done_at=0.0, script=[failure, failure]), Every()
    finish = await waited(gateway, plan=plan)
    assert (finish.task.status, finish.looks) == (TaskStatus.COMPLETED, 3)
    assert len(plan.asked_at) == 1


async def test_a_refused_look_waits_as_asked():
    """After a 429 the next look waits for Retry-After."""
    refusal = RateLimitError("slow", http_status=429, retry_after_seconds=40.0)
    gateway = Gateway(FakeClock(), done_at=0.0, script=[refusal])
    await waited(gateway)
    first, second = gateway.looked_at
    assert second - first >= 40.0


async def test_a_refused_key_ends_the_wait():
    """With a key that is refused no look will ever succeed."""
    gateway = Gateway(FakeClock(), done_at=0.0, script=[AuthenticationError("no", http_status=401)])
    with pytest.raises(AuthenticationError):
        await waited(gateway)


async def test_patience_ends_with_the_task_in_hand():
    """The last look lands within the patience, and the error carries the task as last seen and what to do."""
    gateway = Gateway(FakeClock(), done_at=1e9)
    with pytest.raises(TaskTimeoutError) as caught:
        await waited(gateway, patience=12.0)
    assert gateway.looked_at == [5.0, 10.0, 12.0]
    assert TaskStatus.IN_PROGRESS is caught.value.task.status
    assert "tsk_1" in caught.value.hint


async def test_a_look_at_once_goes_before_plan_and_patience():
    """A task of an earlier run is looked at once even when its patience ended long ago."""
    gateway = Gateway(FakeClock(), done_at=0.0)
    gateway.clock.advance(5000.0)
    finish = await waited(gateway, patience=900.0, look_at_once=True)
    assert gateway.looked_at == [5000.0]
    assert finish.task.completed
