"""What single calls tell of themselves, and what a source of completions does for them and for sessions."""

import asyncio
from contextvars import ContextVar

import pytest

from toapis_async import FixedPolling, ImageRequest, RateLimits, TaskFailedError, TaskStatus, TaskTimeoutError
from toapis_async.ports.events import (
    AttemptBegun,
    AttemptSettled,
    CallBegun,
    CallEnded,
    HeldUp,
    TaskFinished,
    TaskLate,
    TaskLookedAt,
)
from toapis_async.testing import Constant, Drop, Fail, Fault, Refuse
from toapis_async.values.tasks import GenerationTask, TaskFile

ASKER = ContextVar("ASKER", default="nobody")


def story(events, *left_out):
    return [type(event) for event in events if not isinstance(event, (CallBegun, CallEnded, *left_out))]


async def test_a_single_call_tells_its_story(live):
    """The same family of events as in sessions, with request, task and attempt."""
    events = []
    async with live(client={"on_event": events.append}) as (_, client):
        task = await client.images.generate(prompt="a fox")
    assert [AttemptBegun, AttemptSettled, TaskFinished] == story(events, TaskLookedAt)
    assert {(None, "a fox", task.model)} == {(e.key, e.request.prompt, e.model) for e in events}
    begun, *events, ended = events
    assert (CallBegun, CallEnded) == (type(begun), type(ended))
    assert (begun.verb, ended.verb, ended.error) == ("generate", "generate", None)
    assert {1} == {event.attempt for event in events}
    assert {task.id} == {event.task_id for event in events[1:]}
    assert task.client_business_id == events[0].client_business_id
    looks = [event.status for event in events if isinstance(event, TaskLookedAt)]
    assert looks[-1] is TaskStatus.COMPLETED
    assert events[-1].seconds > 0
    assert events[-1].cost_usd == task.cost


async def test_a_refusal_is_told_before_the_next_attempt(live):
    """A 429 is a settled attempt and a hold-up, with the error; the next attempt has the next number."""
    events = []
    busy = Fault(where="submit", what=Refuse(reply="rate_limited", retry_after=0.2), nth=1)
    async with live(faults=[busy], client={"on_event": events.append}) as (_, client):
        await client.images.submit(ImageRequest("a fox"))
    assert [AttemptBegun, AttemptSettled, HeldUp, AttemptBegun, AttemptSettled] == story(events)
    events = events[1:-1]
    assert [event.attempt for event in events] == [1, 1, 1, 2, 2]
    assert (events[1].result, events[2].limit, events[4].result) == ("not_accepted", "rate", "accepted")
    assert events[1].error is events[2].error


async def test_a_lost_reply_is_told_as_a_doubt(live):
    """A doubt is settled once it is known: two events about one attempt."""
    events = []
    lost = Fault(where="submit", what=Drop(after_acceptance=True), nth=1)
    async with live(faults=[lost], client={"on_event": events.append}) as (_, client):
        await client.images.submit(ImageRequest("a fox"))
    assert [event.result for event in events if isinstance(event, AttemptSettled)] == ["in_doubt", "accepted"]


async def test_a_failed_task_is_told_as_finished(live, tmp_path):
    """Calls and sessions tell of a task that the gateway gave up, with how long it took."""
    events = []
    async with live(faults=[Fault(where="task", what=Fail(message="no"))], client={"on_event": events.append}) as (
        _,
        client,
    ):
        with pytest.raises(TaskFailedError):
            await client.images.generate(prompt="a fox")
        async with client.session(tmp_path) as session:
            await session.run([ImageRequest("an owl")])
    finished = [event for event in events if isinstance(event, TaskFinished)]
    assert [event.status for event in finished] == [TaskStatus.FAILED] * 2
    assert all(event.seconds > 0 for event in finished)
    assert finished[1].key


async def test_a_late_task_and_a_wait_by_itself_are_told(live):
    """A wait for a given task knows no request, and tells of looks and lateness all the same."""
    events = []
    async with live(latency=Constant(60), client={"on_event": events.append}) as (_, client):
        task = await client.images.submit(ImageRequest("a fox"))
        events.clear()
        with pytest.raises(TaskTimeoutError):
            await client.images.wait(task, timeout_seconds=1.0)
    assert {TaskLookedAt, TaskLate} == set(story(events))
    assert {(None, task.id)} == {(event.request, event.task_id) for event in events}


async def test_events_come_in_the_context_of_their_caller(live):
    """Two calls side by side: each one's events see that caller's context variables."""
    heard = []

    def hear(event):
        heard.append((ASKER.get(), event.request.prompt))

    async def ask(name):
        ASKER.set(name)
        await client.images.generate(prompt=f"for {name}")

    async with live(client={"on_event": hear}) as (_, client):
        await asyncio.gather(ask("ann"), ask("bob"))
    assert {("ann", "for ann"), ("bob", "for bob")} == set(heard)


async def test_a_line_under_our_own_limit_is_told(live, tmp_path):
    """Whoever has to wait for a token is held up by the rate, without an error: for calls and sessions."""
    events = []
    slow = RateLimits(submit_per_second=20.0, submit_burst=1, query_per_second=500, query_burst=500)
    async with live(client={"on_event": events.append, "rate_limits": slow}) as (_, client):
        await asyncio.gather(*(client.images.submit(ImageRequest(f"fox {n}")) for n in range(3)))
        alone = [event for event in events if isinstance(event, HeldUp)]
        async with client.session(tmp_path) as session:
            await session.run([ImageRequest(f"owl {n}") for n in range(3)])
    held = [event for event in events if isinstance(event, HeldUp)]
    assert {("rate", None)} == {(event.limit, event.error) for event in held}
    assert len(alone) == 2
    assert any(event.key for event in held)


class Webhooks:
    """An observer that brings a webhook soon after each acceptance."""

    def __init__(self, source, *, lost=(), files="https://f.example"):
        self.source, self.lost, self.accepted, self.files = source, set(lost), 0, files

    def __call__(self, event):
        if isinstance(event, AttemptSettled) and event.result == "accepted":
            self.accepted += 1
            if self.accepted not in self.lost:
                done = GenerationTask(
                    id=event.task_id,
                    kind="image",
                    status=TaskStatus.COMPLETED,
                    files=(TaskFile(url=f"{self.files}/{event.task_id}.png"),),
                )
                asyncio.get_running_loop().call_later(0.05, self.source.tell, done)


class Hurried:
    """A clock ten times as fast, as the client's in these tests."""

    monotonic = staticmethod(lambda: 0.0)

    async def sleep(self, seconds):
        await asyncio.sleep(seconds / 10)


async def test_single_calls_end_on_events_without_a_look(live, memory_completion_source):
    """While events come nobody looks: the calls end as soon as each is told."""
    source = memory_completion_source(Hurried())
    client = {"webhooks": source, "on_event": Webhooks(source), "polling": FixedPolling(0.3)}
    async with live(client=client) as (sim, client):
        tasks = await asyncio.gather(*(client.images.generate(prompt=f"fox {n}") for n in range(10)))
        assert sim.books.polls == 0
    assert [(f"https://f.example/{task.id}.png",) for task in tasks] == [task.urls for task in tasks]
    assert source.expected == {}


async def test_a_session_ends_on_events_too(live, tmp_path, memory_completion_source):
    """Sessions wait in the same place: each item ends on its event, and its dead link leads to one look."""
    source = memory_completion_source(Hurried())
    webhooks = Webhooks(source)
    async with live(client={"webhooks": source, "on_event": webhooks}) as (sim, client):
        webhooks.files = f"{sim.base_url}/gone"
        events = []
        async with client.session(tmp_path, on_event=events.append) as session:
            await session.run([ImageRequest(f"fox {n}") for n in range(5)])
        assert [event for event in events if isinstance(event, TaskLookedAt)] == []
        assert [e.status for e in events if isinstance(e, TaskFinished)] == [TaskStatus.COMPLETED] * 5
        assert sim.books.duplicates == {}
    assert source.expected == {}


async def test_lost_events_are_found_by_looks(live, memory_completion_source):
    """Every second event is lost: every call ends all the same, none twice."""
    source = memory_completion_source(Hurried())
    client = {"webhooks": source, "on_event": Webhooks(source, lost=range(1, 20, 2))}
    async with live(client=client) as (sim, client):
        tasks = await asyncio.gather(*(client.images.generate(prompt=f"fox {n}") for n in range(10)))
        assert all(task.completed and task.urls for task in tasks)
        assert sim.books.posts == 10
    assert source.missed_ids
    assert source.expected == {}
