"""What is written down of an item, when, and in which order."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest

from toapis_async.batch.bookkeeping.recorder import ItemRecorder, Recorder
from toapis_async.batch.items.item_attempts import ItemAttempts
from toapis_async.batch.items.item_task import ItemTask
from toapis_async.batch.items.slot_lease import SlotLease
from toapis_async.batch.items.slots import Slots
from toapis_async.batch.outcomes import Item
from toapis_async.client.dispatching import EventDispatcher
from toapis_async.errors import (
    APIConnectionError,
    Delivery,
    InvalidRequestError,
    RateLimitError,
    SubmissionUnknownError,
    TaskFailedError,
    TaskTimeoutError,
)
from toapis_async.storage.journal.memory_journal import MemoryJournal
from toapis_async.values.files import SavedFile
from toapis_async.values.records import ItemState
from toapis_async.values.requests import ImageRequest
from toapis_async.values.tasks import Billing, GenerationTask, TaskFile, TaskStatus

REFUSED = APIConnectionError("refused", delivery=Delivery.NEVER)
TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.QUEUED)
DONE = attrs.evolve(
    TASK,
    status=TaskStatus.COMPLETED,
    files=(TaskFile(url="https://f.example/1.png"),),
    billing=Billing(status="settled", cost_usd=Decimal("0.02")),
)
FILE = SavedFile(uri=Path("out/a.png"), bytes=3, sha256="00", mime="image/png")


class Lines(list):
    """A manifest that keeps its lines."""

    def append(self, line):
        super().append(json.loads(line))


@pytest.fixture
async def written(scripted_gateway):
    """The recorder of one item, with what they wrote and told."""
    gateway = scripted_gateway([])
    told = []
    async with MemoryJournal() as journal:
        recorder = Recorder(
            journal=journal,
            manifest=Lines(),
            clock=gateway.clock,
            events=EventDispatcher(gateway.clock, told.append),
        )
        slots = Slots(5, gateway.clock)
        item = Item(key="fox", request=ImageRequest("a fox", client_business_id="order-1"))
        made = ItemRecorder(session=recorder, item=item, record=None)
        attempts = ItemAttempts(
            recorder=made, lease=SlotLease(slots), item_task=ItemTask(), rate_limiter=gateway.rate_limiter
        )
        yield SimpleNamespace(
            item=made, attempts=attempts, journal=journal, lines=recorder.manifest, told=told, slots=slots
        )


async def state(written):
    (record,) = await written.journal.find(["fox"])
    return record.state


def kinds(written):
    return [type(event).__name__ for event in written.told]


async def test_a_good_end(written):
    """Intent, acceptance, completion and files are written in this order, and one line ends in the manifest."""
    await written.attempts.ready()
    assert await written.attempts.begin() == "order-1"
    assert ItemState.INTENDED is await state(written)
    written.attempts.accepted(TASK)
    assert ItemState.ACCEPTED is await state(written)
    written.item.finished(DONE)
    assert ItemState.FINISHED is await state(written)
    written.item.saved(DONE, (FILE,))
    assert ItemState.SAVED is await state(written)
    assert kinds(written) == ["AttemptBegun", "AttemptSettled", "ItemSaved"]
    ((line,),) = [written.lines]
    assert tuple(line[name] for name in ("id", "status", "task_id", "cost_usd", "error")) == (
        "fox",
        "saved",
        "tsk_1",
        "0.02",
        None,
    )


async def test_every_attempt_has_its_own_reference(written):
    """The user's own reference is sent as it is at first, and with a suffix later; no two are alike."""
    names = []
    for _ in range(5):
        names.append(await written.attempts.begin())
        written.attempts.not_accepted(REFUSED)
    assert names[0] == "order-1"
    assert len(set(names)) == 5
    assert all(name.startswith("order-1") and len(name) <= 96 for name in names)


async def test_what_is_unsent_costs_nothing_to_stop(written):
    """Between the intent and the word that nothing was accepted an item cannot be dropped."""
    assert written.attempts.unsent
    await written.attempts.begin()
    assert not written.attempts.unsent
    written.attempts.not_accepted(REFUSED)
    assert written.attempts.unsent
    assert ItemState.OPEN is await state(written)


async def test_a_429_gives_the_slot_back_and_sets_the_pace(written):
    """A refusal for now frees the slot and says how long to wait; a broken connection does neither."""
    await written.attempts.ready()
    await written.attempts.begin()
    assert written.attempts.held_up(APIConnectionError("x", delivery=Delivery.NEVER)) is None
    assert written.slots.in_use == 1
    wait = written.attempts.held_up(RateLimitError("slow", http_status=429, retry_after_seconds=3.0))
    assert wait is not None
    assert written.slots.in_use == 0
    assert kinds(written) == ["AttemptBegun", "HeldUp", "HeldUp"]


async def test_a_doubt_counts_as_in_flight(written):
    """What may have been accepted holds its slot."""
    await written.attempts.ready()
    await written.attempts.begin()
    written.attempts.in_doubt(REFUSED)
    assert written.slots.in_use == 1
    assert not written.attempts.unsent


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TaskTimeoutError("late", task=TASK), "unfinished"),
        (SubmissionUnknownError("?", client_business_id="order-1"), "unknown"),
    ],
)
async def test_what_could_not_be_ended_is_named(written, error, status):
    """The manifest says what is late and what is unknown, with the reason; the journal keeps it open."""
    await written.attempts.begin()
    if status == "unfinished":
        written.attempts.accepted(TASK)
    written.item.unfinished(error)
    (line,) = written.lines
    assert (status, type(error).__name__) == (line["status"], line["error"]["type"])
    assert (await state(written)) in {ItemState.ACCEPTED, ItemState.INTENDED}
    assert kinds(written)[-1] == "ItemUnfinished"


async def test_a_failed_task_is_written_down(written):
    """A task that the gateway gave up fails the item, with its words."""
    await written.attempts.begin()
    written.attempts.accepted(TASK)
    written.item.failed(TaskFailedError("no foxes today", task=TASK))
    assert ItemState.FAILED is await state(written)
    (line,) = written.lines
    assert (
        line["status"], line["error"]["type"], line["error"]["message"],
    ) == ("failed", "TaskFailedError", "no foxes today")  # fmt: skip


async def test_a_refusal_before_any_attempt_has_a_line_too(written):
    """An item that failed before it was sent stands in manifest and journal as failed."""
    written.item.failed(InvalidRequestError("wrong file"))
    assert ItemState.FAILED is await state(written)
    assert [line["status"] for line in written.lines] == ["failed"]


async def test_without_an_observer_nobody_is_told(written):
    """A session without on_event writes the same records."""
    written.item.session.events = EventDispatcher(written.item.session.clock)
    await written.attempts.begin()
    assert written.told == []
    assert ItemState.INTENDED is await state(written)


async def test_a_bound_on_unfinished_tasks_is_told(written):
    """A 429 about concurrency is a hold-up by that bound; that it has moved is told with before and after."""
    attempts, slots = written.attempts, written.slots
    for _ in range(2):
        await slots.acquire()
        slots.accepted()
    await attempts.ready()
    await attempts.begin()
    refusal = RateLimitError("too many concurrent tasks", http_status=429)
    attempts.not_accepted(refusal)
    attempts.held_up(refusal)
    held, changed = written.told[-2:]
    assert ("HeldUp", "in_flight", refusal) == (type(held).__name__, held.limit, held.error)
    assert (
        type(changed).__name__, changed.limit, changed.before, changed.after,
    ) == ("LimitChanged", "in_flight", 5, 2)  # fmt: skip


async def test_a_wait_for_a_slot_is_told(written):
    """An item that comes back for a slot while all are taken says what it waits for."""
    for _ in range(5):
        await written.slots.acquire()
    waiting = asyncio.create_task(written.attempts.ready())
    await asyncio.sleep(0)
    (held,) = written.told
    assert (held.limit, held.error) == ("in_flight", None)
    written.slots.release(accepted=False)
    await waiting
    assert len(written.told) == 1
