"""Reasons, counted; and what events tell."""

from toapis_async.cli.terminal.outage import Outage
from toapis_async.cli.terminal.watching import Reasons, Watch
from toapis_async.errors import APIConnectionError, Delivery, DownloadError, TaskFailedError
from toapis_async.ports.events import HeldUp, ItemSaved, LimitChanged
from toapis_async.values.tasks import GenerationTask, TaskStatus

TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.FAILED)


def failed(number, reason="no such style", hint="It was refunded."):
    return TaskFailedError(f"Task tsk_{number:08d} failed: {reason}", task=TASK, hint=hint)


def test_the_same_trouble_under_many_ids_is_one_reason():
    """Ids do not make reasons, and a reason alone in its kind needs no detail."""
    reasons = Reasons()
    for number in range(9):
        reasons.add(failed(number))
    reasons.add(DownloadError("The file host answered 502."))

    assert [count for _, count in reasons.most()] == [9, 1]
    assert reasons.most()[0][0] == "Task failed"


def test_kinds_with_several_reasons_are_told_apart():
    """Two reasons of one kind carry their beginnings."""
    reasons = Reasons()
    reasons.add(failed(1))
    reasons.add(failed(2, "out of memory"))

    assert {words for words, _ in reasons.most()} == {"Task failed: no such style", "Task failed: out of memory"}


def test_a_charge_is_not_told_as_a_refund():
    """What to do is told for as many as it holds for."""
    reasons = Reasons()
    for number in range(3):
        reasons.add(failed(number))
    reasons.add(failed(4, hint="It was charged."))

    assert [(hint, count) for _, hint, count in reasons.with_hints()] == [
        ("It was refunded.", 3),
        ("It was charged.", 1),
    ]


def test_a_gateway_cannot_fill_the_memory_with_reasons():
    """Beyond fifty, reasons are counted together."""
    reasons = Reasons()
    for number in range(500):
        reasons.add(failed(1, reason="x" * (number + 1)))

    assert sum(count for _, count in reasons.most()) == 500
    assert len(reasons.most()) <= 51


def test_files_and_limits_are_heard():
    """Files are counted, and the latest change of a limit that matters is kept."""
    watch = Watch()
    change = LimitChanged(at=0.0, limit="in_flight", before=50.0, after=40.0, why="429")
    for event in (
        ItemSaved(at=0.0, key="a", files=(None, None)),
        change,
        LimitChanged(at=0.0, limit="query_per_second", before=50.0, after=40.0, why="429"),
    ):
        watch.hear(event)

    assert (watch.files, watch.limit_change) == (2, change)


def test_a_file_host_that_gives_nothing_is_said_to():
    """Held downloads are told of with their number, until one comes."""
    now = [0.0]

    class Clock:
        def monotonic(self):
            return now[0]

    outage = Outage(clock=Clock())
    error = APIConnectionError("refused", delivery=Delivery.NEVER)
    for key in ("a", "b"):
        outage.hear(HeldUp(at=0.0, key=key, limit="file_host", error=error))
    now[0] = 41.0
    assert outage.words() == "The file host has given nothing for 41 s; 2 items held, trying again (refused)"
    outage.hear(ItemSaved(at=0.0, key="a", files=()))
    assert outage.words() == ""
