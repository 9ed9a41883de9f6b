"""What every source of completions promises, run on each of them."""

import asyncio

import attrs
import pytest

from toapis_async.ports.completion import CompletionSource, NoCompletionSource
from toapis_async.testing import FakeClock
from toapis_async.values.tasks import GenerationTask, TaskFile, TaskStatus
from toapis_async.values.webhooks import WebhookEvent
from toapis_async.webhooks.inbox import WebhookInbox

DONE = GenerationTask(
    id="tsk_1",
    kind="image",
    status=TaskStatus.COMPLETED,
    client_business_id="ours-1",
    files=(TaskFile(url="https://f.example/1.png"),),
)


@pytest.fixture
def clock():
    return FakeClock()


@attrs.define
class ByWebhook:
    """An inbox that is told of a task as by a genuine delivery."""

    inbox: WebhookInbox
    events: int = 0

    def __getattr__(self, name):
        return getattr(self.inbox, name)

    @property
    def expected(self):
        return self.inbox._waiters.expected

    def tell(self, task):
        self.events += 1
        self.inbox._heard(WebhookEvent(id=f"evt_{self.events}", type="generation.completed", task=task))


@pytest.fixture(params=["none", "memory", "webhooks"])
def source(request, clock, memory_completion_source) -> CompletionSource:
    """Give a source to which nothing has been told."""
    make = {"none": NoCompletionSource, "memory": memory_completion_source, "webhooks": by_webhook}
    return make[request.param](clock)


@pytest.fixture(params=["memory", "webhooks"])
def hearing(request, clock, memory_completion_source):
    """Give a source that can be told of events: ``tell(task)``."""
    return (memory_completion_source if request.param == "memory" else by_webhook)(clock)


def by_webhook(clock):
    return ByWebhook(WebhookInbox("whsec_1", clock=clock))


async def test_without_an_event_only_time_passes(source, clock):
    """A wait ends after its time with nothing, and not before."""
    source.expect("tsk_1")
    assert await source.news("tsk_1", 7.0) is None
    assert clock.monotonic() == 7.0
    source.forget("tsk_1")


async def test_no_time_at_all_lets_others_run(source):
    """Asking what is known now gives others a turn, and nothing where nothing is known."""
    turns = []
    asyncio.get_running_loop().call_soon(turns.append, 1)
    source.expect("tsk_1")
    assert await source.news("tsk_1", 0) is None
    assert turns == [1]
    source.forget("tsk_1")


async def test_what_was_never_expected_is_forgotten_quietly(source):
    """Forgetting twice, or what nobody expected, is no error; nor is missing it."""
    source.forget("tsk_9")
    source.expect("tsk_1")
    source.missed("tsk_1")
    source.forget("tsk_1")
    source.forget("tsk_1")


async def test_a_cancelled_wait_leaves_nothing_behind(source):
    """Whoever is cancelled while listening can forget, and the next waiter starts afresh."""
    source.expect("tsk_1")
    listening = asyncio.create_task(source.news("tsk_1", 1e9))
    await asyncio.sleep(0)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    source.forget("tsk_1")
    await asyncio.sleep(0)
    assert {asyncio.current_task()} == asyncio.all_tasks()
    assert await source.news("tsk_1", 1.0) is None


async def test_an_event_ends_the_wait_at_once(hearing, clock):
    """Whoever listens hears the task as told, before the time is up."""
    hearing.expect("tsk_1")
    listening = asyncio.create_task(hearing.news("tsk_1", 60.0))
    await asyncio.sleep(0)
    hearing.tell(DONE)
    assert await listening is DONE
    assert clock.monotonic() == 0.0


async def test_an_event_before_its_waiter_counts(hearing, clock):
    """A webhook may overtake the answer to the submission."""
    hearing.tell(DONE)
    hearing.expect("tsk_1")
    assert await hearing.news("tsk_1", 60.0) is DONE
    assert clock.monotonic() == 0.0


async def test_an_event_that_comes_twice_is_one(hearing):
    """Deliveries are repeated, and so is what is told, for as long as somebody asks."""
    hearing.expect("tsk_1")
    hearing.tell(DONE)
    hearing.tell(DONE)
    assert await hearing.news("tsk_1", 1.0) is DONE
    assert await hearing.news("tsk_1", 1.0) is DONE


async def test_events_out_of_order_end_nothing_early_and_undo_no_end(hearing):
    """Word that a task goes on is no news, neither before its end nor after."""
    goes_on = attrs.evolve(DONE, status=TaskStatus.IN_PROGRESS, files=())
    hearing.expect("tsk_1")
    hearing.tell(goes_on)
    assert await hearing.news("tsk_1", 5.0) is None
    hearing.tell(DONE)
    hearing.tell(goes_on)
    assert await hearing.news("tsk_1", 5.0) is DONE


async def test_events_of_others_are_no_news(hearing):
    """An event of an unknown id wakes nobody."""
    hearing.expect("tsk_1")
    hearing.tell(attrs.evolve(DONE, id="tsk_2", client_business_id=None))
    assert await hearing.news("tsk_1", 5.0) is None


async def test_a_task_goes_by_its_reference_too(hearing):
    """Whoever knows only the reference of a submission hears as well."""
    hearing.expect("ours-1")
    hearing.tell(DONE)
    assert await hearing.news("ours-1", 5.0) is DONE


async def test_two_waiters_both_hear(hearing):
    """Two callers that wait for one task side by side both hear, and one may leave before the other."""
    hearing.expect("tsk_1")
    hearing.expect("tsk_1")
    first, second = (asyncio.create_task(hearing.news("tsk_1", 60.0)) for _ in range(2))
    await asyncio.sleep(0)
    hearing.tell(DONE)
    assert [await first, await second] == [DONE, DONE]
    hearing.forget("tsk_1")
    assert list(hearing.expected) == ["tsk_1"]
    hearing.forget("tsk_1")
    assert list(hearing.expected) == []
