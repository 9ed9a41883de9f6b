"""What is written down of an item, when, and in which order."""

import json
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from toapis_async.batch.books import Books, ItemBooks
from toapis_async.batch.outcomes import Item
from toapis_async.batch.place import Place
from toapis_async.batch.slots import Slots
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
from toapis_async.values.events import Happening
from toapis_async.values.files import SavedFile
from toapis_async.values.records import ItemState
from toapis_async.values.requests import ImageRequest
from toapis_async.values.tasks import Billing, GenerationTask, TaskFile, TaskStatus

TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.QUEUED)
DONE = attrs.evolve(
    TASK,
    status=TaskStatus.COMPLETED,
    files=(TaskFile(url="https://f.example/1.png"),),
    billing=Billing(status="settled", cost_usd=Decimal("0.02")),
)
FILE = SavedFile(path=Path("out/a.png"), bytes=3, sha256="00", mime="image/png")


class Lines(list):
    """A manifest that keeps its lines."""

    def append(self, line):
        super().append(json.loads(line))


@pytest.fixture
async def desk(scripted_gateway):
    """The books of one item, with what they wrote and told."""
    gateway = scripted_gateway([])
    told = []
    async with MemoryJournal() as journal:
        books = Books(journal=journal, manifest=Lines(), gateway=gateway, listener=told.append)
        slots = Slots(5, gateway.clock)
        item = Item(key="fox", request=ImageRequest("a fox", client_business_id="order-1"))
        made = ItemBooks(books=books, item=item, record=None, place=Place(slots, taken=False))
        made_for_tests = {"item": made, "journal": journal, "lines": books.manifest, "told": told, "slots": slots}
        yield attrs.make_class("Desk", list(made_for_tests))(**made_for_tests)


async def state(desk):
    (record,) = await desk.journal.find(["fox"])
    return record.state


def happenings(desk):
    return [event.happening for event in desk.told]


async def test_a_good_end(desk):
    """Intent, acceptance, completion and files are written in this order, and one line ends in the manifest."""
    books = desk.item
    await books.ready()
    assert await books.begin() == "order-1"
    assert ItemState.INTENDED is await state(desk)
    books.accepted(TASK)
    assert ItemState.ACCEPTED is await state(desk)
    books.finished(DONE)
    assert ItemState.FINISHED is await state(desk)
    books.saved((FILE,))
    assert ItemState.SAVED is await state(desk)
    assert happenings(desk) == [Happening.INTENDED, Happening.ACCEPTED, Happening.FINISHED, Happening.SAVED]
    ((line,),) = [desk.lines]
    assert tuple(line[name] for name in ("id", "status", "task_id", "cost_usd", "error")) == (
        "fox",
        "saved",
        "tsk_1",
        "0.02",
        None,
    )


async def test_every_attempt_has_its_own_reference(desk):
    """The user's own reference is sent as it is at first, and with a suffix later; no two are alike."""
    names = []
    for _ in range(5):
        names.append(await desk.item.begin())
        desk.item.not_accepted()
    assert names[0] == "order-1"
    assert len(set(names)) == 5
    assert all(name.startswith("order-1") and len(name) <= 96 for name in names)


async def test_what_is_unsent_costs_nothing_to_stop(desk):
    """Between the intent and the word that nothing was accepted an item cannot be dropped."""
    assert desk.item.unsent
    await desk.item.begin()
    assert not desk.item.unsent
    desk.item.not_accepted()
    assert desk.item.unsent
    assert ItemState.OPEN is await state(desk)


async def test_a_429_gives_the_slot_back_and_sets_the_pace(desk):
    """A refusal for now frees the slot and says how long to wait; a broken connection does neither."""
    await desk.item.ready()
    await desk.item.begin()
    assert desk.item.held_up(APIConnectionError("x", delivery=Delivery.NEVER)) is None
    assert desk.slots.in_use == 1
    wait = desk.item.held_up(RateLimitError("slow", http_status=429, retry_after_seconds=3.0))
    assert wait is not None
    assert desk.slots.in_use == 0
    assert happenings(desk) == [Happening.INTENDED, Happening.HELD_UP, Happening.HELD_UP]


async def test_a_doubt_counts_as_in_flight(desk):
    """What may have been accepted holds its slot."""
    await desk.item.ready()
    await desk.item.begin()
    desk.item.in_doubt()
    assert desk.slots.in_use == 1
    assert not desk.item.unsent


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TaskTimeoutError("late", task=TASK), "unfinished"),
        (SubmissionUnknownError("?", client_business_id="order-1"), "unknown"),
    ],
)
async def test_what_could_not_be_ended_is_named(desk, error, status):
    """The manifest says what is late and what is unknown, with the reason; the journal keeps it open."""
    await desk.item.begin()
    if status == "unfinished":
        desk.item.accepted(TASK)
    desk.item.unfinished(error)
    (line,) = desk.lines
    assert (status, type(error).__name__) == (line["status"], line["error"]["type"])
    assert (await state(desk)) in {ItemState.ACCEPTED, ItemState.INTENDED}
    assert Happening.UNFINISHED is happenings(desk)[-1]


async def test_a_failed_task_is_written_down(desk):
    """A task that the gateway gave up fails the item, with its words."""
    await desk.item.begin()
    desk.item.accepted(TASK)
    desk.item.failed(TaskFailedError("no foxes today", task=TASK))
    assert ItemState.FAILED is await state(desk)
    (line,) = desk.lines
    assert (
        line["status"], line["error"]["type"], line["error"]["message"],
    ) == ("failed", "TaskFailedError", "no foxes today")  # fmt: skip


async def test_a_refusal_before_any_attempt_has_a_line_too(desk):
    """An item that failed before it was sent stands in manifest and journal as failed."""
    desk.item.failed(InvalidRequestError("wrong file"))
    assert ItemState.FAILED is await state(desk)
    assert [line["status"] for line in desk.lines] == ["failed"]


async def test_without_a_listener_nobody_is_told(desk):
    """A session without on_event writes the same books."""
    desk.item.books.listener = None
    await desk.item.begin()
    assert desk.told == []
