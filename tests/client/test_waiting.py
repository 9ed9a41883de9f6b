"""Waiting for one task, on a clock that jumps."""

from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace

import attrs
import pytest

from toapis_async.client.dispatching import EventDispatcher
from toapis_async.client.limits import LimitWatch
from toapis_async.client.waiting import Finish, TaskWait, notice_seconds
from toapis_async.errors import (
    APIConnectionError,
    AuthenticationError,
    Delivery,
    NotFoundError,
    RateLimitError,
    ServerError,
    TaskTimeoutError,
)
from toapis_async.policy.waiting.latency import LatencyBook
from toapis_async.ports.completion import NoCompletionSource
from toapis_async.ports.events import LimitChanged, TaskFinished, TaskLate, TaskLookedAt
from toapis_async.testing import FakeClock
from toapis_async.transport.pacing import Pacer
from toapis_async.values.tasks import GenerationTask, TaskFile, TaskStatus

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


@attrs.define
class Heard:
    """A completion source that tells what the test says, after so many seconds."""

    clock: FakeClock
    events: list = attrs.field(factory=list)
    trusted: bool = True
    loses_trust_at: float = 1e12
    calls: list = attrs.field(factory=list)

    def expect(self, task_id):
        self.calls.append(("expect", task_id))

    async def news(self, task_id, seconds):
        at, task = self.events[0] if self.events else (1e12, None)
        until = min(at, self.loses_trust_at if self.trusted else 1e12)
        await self.clock.sleep(min(seconds, max(0.0, until - self.clock.monotonic())))
        self.trusted = self.trusted and self.clock.monotonic() < self.loses_trust_at
        return task if self.clock.monotonic() >= at else None

    def missed(self, task_id):
        self.calls.append(("missed", task_id))

    def forget(self, task_id):
        self.calls.append(("forget", task_id))


class Kept(TaskWait):
    """A wait that keeps how it ended."""

    def _ended(self, finish):
        Kept.finish = finish
        return super()._ended(finish)


async def waited(
    gateway, *, task=TASK, plan=None, patience=1e9, completion=None, resumed=False, told=None, book=None, limits=None
):
    """Wait; give the finish that the watch would learn from."""
    plan = plan or Every()
    told = [] if told is None else told
    book = book or LatencyBook()
    parts = SimpleNamespace(
        clock=gateway.clock,
        random=Random(1),
        looks_at=lambda task, priority: gateway,
        completion=completion or NoCompletionSource(gateway.clock),
        latencies=book,
        events=EventDispatcher(gateway.clock),
        limits=limits or LimitWatch(Pacer(None, clock=gateway.clock, random=Random(1))),
    )
    watch = book.watch("image|", SimpleNamespace(plan=lambda law, looks: plan), looks=lambda: None)
    with Kept(
        gateway=parts,
        task=task,
        watch=watch,
        accepted_at=0.0,
        tell=lambda event, **facts: told.append((event, facts)),
        resumed=resumed,
    ) as wait:
        await wait.finished(patience)
    return Kept.finish


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


async def test_a_change_of_the_looks_own_limit_is_told():
    """Looks that are refused slow all looks down, and whoever listens hears of it."""
    pacer, told = SimpleNamespace(submit_rate=5.0, query_rate=50.0), []
    limits = LimitWatch(pacer)
    pacer.query_rate = 25.0
    await waited(Gateway(FakeClock(), done_at=0.0), told=told, limits=limits)
    change = next(facts for event, facts in told if event is LimitChanged)
    assert (change["limit"], change["before"], change["after"]) == ("query_per_second", 50.0, 25.0)


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
    finish = await waited(gateway, patience=900.0, resumed=True)
    assert gateway.looked_at == [5000.0]
    assert finish.task.completed


DONE = attrs.evolve(TASK, status=TaskStatus.COMPLETED, files=(TaskFile(url="https://f.example/1.png"),))


async def test_an_event_ends_the_wait_before_the_next_look():
    """News of the end are the end: no look, and what is learned is when it came."""
    gateway = Gateway(FakeClock(), done_at=0.0)
    source = Heard(gateway.clock, [(13.0, DONE)])
    finish = await waited(gateway, completion=source)
    assert gateway.looked_at == []
    assert (gateway.clock.monotonic(), finish.by_seconds, finish.told) == (13.0, 13.0, True)
    assert finish.task.urls == DONE.urls
    assert source.calls == [("expect", "tsk_1"), ("forget", "tsk_1")]


async def test_an_event_without_a_result_is_looked_up_at_once():
    """Where the event leaves the links out, one look brings them; the event is no word of its own then."""
    gateway = Gateway(FakeClock(), done_at=0.0)
    source = Heard(gateway.clock, [(13.0, attrs.evolve(DONE, files=()))])
    finish = await waited(gateway, completion=source)
    assert gateway.looked_at == [13.0]
    assert (finish.told, finish.looks) == (True, 1)
    assert ("missed", "tsk_1") not in source.calls


async def test_looks_go_on_where_an_event_was_ahead_of_the_gateway():
    """A status that lags behind its event is looked at by the plan, and the event is not asked for in a circle."""
    gateway = Gateway(FakeClock(), done_at=20.0)
    source = Heard(gateway.clock, [(13.0, attrs.evolve(DONE, files=()))])
    finish = await waited(gateway, completion=source)
    assert gateway.looked_at == [13.0, 18.0, 23.0]
    assert (finish.after_seconds, finish.by_seconds, finish.told) == (18.0, 23.0, False)


async def test_an_event_of_another_task_is_not_believed():
    """A source that mixes tasks up costs a look, and never brings a stranger's image."""
    gateway = Gateway(FakeClock(), done_at=15.0)
    source = Heard(gateway.clock, [(3.0, attrs.evolve(DONE, id="tsk_2"))])
    finish = await waited(gateway, completion=source)
    assert (finish.task.id, finish.task.urls) == ("tsk_1", ())
    assert gateway.looked_at == [3.0, 8.0, 13.0, 18.0]


async def test_a_failure_told_by_an_event_is_an_end():
    """A failed task has no result to look for."""
    gateway = Gateway(FakeClock(), done_at=1e9)
    source = Heard(gateway.clock, [(13.0, attrs.evolve(TASK, status=TaskStatus.FAILED))])
    assert (await waited(gateway, completion=source)).task.status is TaskStatus.FAILED
    assert gateway.looked_at == []


async def test_looks_are_few_while_events_are_trusted():
    """The safety net looks about once a minute, finds a lost event's task, and says that it was missed."""
    gateway = Gateway(FakeClock(), done_at=12.0)
    source = Heard(gateway.clock)
    finish = await waited(gateway, completion=source)
    (looked_at,) = gateway.looked_at
    assert 60.0 <= looked_at <= 66.0
    assert ("missed", "tsk_1") in source.calls
    assert not finish.told


@pytest.mark.parametrize(
    ("lost_at", "expected"),
    [(7.0, [10.0, 20.0]), (31.0, [pytest.approx(33.5, abs=2.5)]), (59.0, [pytest.approx(61.5, abs=2.5)])],
)
async def test_trust_that_is_lost_brings_the_looks_back(lost_at, expected):
    """A wait that left its looks to events takes its plan up again, and is not looked at in one moment with others."""
    gateway = Gateway(FakeClock(), done_at=12.0)
    source = Heard(gateway.clock, loses_trust_at=lost_at)
    await waited(gateway, plan=Every(10.0 if lost_at < 10.0 else 5.0), completion=source)
    assert expected == gateway.looked_at


async def test_trust_that_is_lost_does_not_outlast_patience():
    """The last look lands within the patience, whoever was trusted when the wait began."""
    gateway = Gateway(FakeClock(), done_at=1e9)
    with pytest.raises(TaskTimeoutError):
        await waited(gateway, patience=40.0, completion=Heard(gateway.clock, loses_trust_at=39.9))
    assert [pytest.approx(39.95, abs=0.05)] == gateway.looked_at


async def test_looks_take_over_where_events_are_not_trusted():
    """A source that has stopped hearing changes nothing about the looks."""
    gateway = Gateway(FakeClock(), done_at=12.0)
    await waited(gateway, completion=Heard(gateway.clock, trusted=False))
    assert gateway.looked_at == [5.0, 10.0, 15.0]


async def test_a_failed_look_of_the_safety_net_is_repeated_soon():
    """After a look that failed the back-off counts and not the net."""
    gateway = Gateway(FakeClock(), done_at=0.0, script=[ServerError("boom", http_status=502)])
    await waited(gateway, completion=Heard(gateway.clock))
    first, second = gateway.looked_at
    assert second - first < 5.0


@pytest.mark.parametrize("broken", [TaskTimeoutError, AuthenticationError])
async def test_whatever_ends_the_wait_the_source_forgets(broken):
    """A wait that ends with an error leaves nothing at the source."""
    script = [AuthenticationError("no", http_status=401)] if broken is AuthenticationError else []
    gateway = Gateway(FakeClock(), done_at=1e9, script=script)
    source = Heard(gateway.clock)
    with pytest.raises(broken):
        await waited(gateway, completion=source, patience=200.0)
    assert source.calls[-1] == ("forget", "tsk_1")


async def test_what_happens_is_told():
    """Each look, a failed one too, and the end with the time that it took."""
    told = []
    failure = ServerError("boom", http_status=502)
    gateway = Gateway(FakeClock(), done_at=6.0, script=[failure, TaskStatus.IN_PROGRESS])
    finish = await waited(gateway, told=told)
    assert [
        (TaskLookedAt, {"status": None, "error": failure}),
        (TaskLookedAt, {"status": TaskStatus.IN_PROGRESS}),
        (TaskLookedAt, {"status": TaskStatus.COMPLETED}),
        (
            TaskFinished,
            {
                "status": TaskStatus.COMPLETED,
                "seconds": finish.by_seconds,
                "cost_usd": None,
                "notice_seconds": None,
                "told": False,
            },
        ),
    ] == told


async def test_a_late_task_is_told():
    """The end of patience is an event of its own."""
    told = []
    with pytest.raises(TaskTimeoutError):
        await waited(Gateway(FakeClock(), done_at=1e9), told=told, patience=3.0)
    assert [TaskLookedAt, TaskLate] == [event for event, _ in told]


class Taught(LatencyBook):
    """A book that keeps what it is taught."""

    def observe(self, key, after, by, **more):
        self.taught = (after, by)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [((100, 112), (10.0, 13.0)), (None, (11.0, 13.0))],
    ids=["the event's own dates", "when it came"],
)
async def test_events_teach_how_long_tasks_take(dates, expected):
    """An event's own dates say it to the second; without them it is the time at which it came."""
    event, gateway, book = DONE, Gateway(FakeClock(), done_at=1e9), Taught()
    if dates:
        created, completed = (datetime.fromtimestamp(at, UTC) for at in dates)
        event = attrs.evolve(DONE, created_at=created, completed_at=completed)
    await waited(gateway, completion=Heard(gateway.clock, [(13.0, event)]), book=book)
    assert expected == book.taught


@pytest.mark.parametrize(
    ("ended_at", "after", "by", "noticed"),
    [
        (None, 0.0, 9.0, None),
        (1000.0, 5.0, 9.0, 2.0),
        (1000.0, 8.5, 9.0, 0.5),
        (1005.0, 5.0, 9.0, 0.0),
    ],
    ids=["not dated", "by the gateway's date", "at most since the last look", "a gateway whose clock is ahead"],
)
def test_how_late_an_end_was_known(ended_at, after, by, noticed):
    """By the gateway's own date, within what our looks prove; two seconds after it here."""
    ended = None if ended_at is None else datetime.fromtimestamp(ended_at, UTC)
    task = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.COMPLETED, completed_at=ended)
    finish = Finish(task=task, after_seconds=after, by_seconds=by, looks=1)
    assert noticed == notice_seconds(finish, 1002.0)
