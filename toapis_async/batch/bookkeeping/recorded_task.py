"""The task that an earlier run left, as far as the journal knows it."""

from datetime import UTC, datetime
from decimal import Decimal

from toapis_async.clock import Clock
from toapis_async.values.kinds import KINDS
from toapis_async.values.records import ItemRecord
from toapis_async.values.tasks import Billing, GenerationTask, TaskFile, TaskStatus


def recorded_task(record: ItemRecord | None) -> GenerationTask:
    """Return the task in hand of an item.

    The journal knows addresses of results only; what a video has beside them takes a look.
    """
    if record is None or record.task_id is None:
        raise RuntimeError("there is no task to go on with")
    urls = record.urls if KINDS[record.kind].bare_results else ()
    return GenerationTask(
        id=record.task_id,
        kind=record.kind,
        status=TaskStatus.COMPLETED if record.urls else TaskStatus.UNRECOGNISED,
        model=record.request.model,
        client_business_id=record.client_business_id,
        files=tuple(TaskFile(url=url) for url in urls),
        expires_at=None if record.expires_at is None else datetime.fromtimestamp(record.expires_at, UTC),
        billing=None if record.cost_usd is None else Billing(status=None, cost_usd=Decimal(record.cost_usd)),
    )


def accepted_at(record: ItemRecord | None, clock: Clock) -> float:
    """Return when it was accepted, on the monotonic clock; a guess for a task of an earlier run."""
    age = 0.0 if record is None or record.accepted_at is None else clock.now() - record.accepted_at
    return clock.monotonic() - max(0.0, age)
