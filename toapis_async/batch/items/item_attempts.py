"""The attempts of one item: its slot, its task and its record kept in step around each POST."""

from collections.abc import Callable
from typing import Literal

import attrs

from toapis_async.batch.bookkeeping.recorder import ItemRecorder
from toapis_async.batch.items.item_task import ItemTask
from toapis_async.batch.items.slot_lease import SlotLease
from toapis_async.client.asking import look_once, unknown_error
from toapis_async.client.gateway import Gateway
from toapis_async.client.limits import limit_of, refusal_of, tell_in_flight
from toapis_async.client.lost_submissions import LostSubmissions
from toapis_async.errors import RateLimitError, SubmissionUnknownError, ToAPIsError
from toapis_async.policy.money.recovery import task_ids
from toapis_async.ports.events import AttemptSettled, Event, HeldUp
from toapis_async.transport.rate_limiter import RateLimiter
from toapis_async.values.limits import BULK
from toapis_async.values.records import ItemRecord
from toapis_async.values.tasks import GenerationTask, Kind


@attrs.define(kw_only=True, eq=False)
class ItemAttempts:
    """See ``client.submitting.Attempts``.

    Attributes:
        recorder: writes down what happens.
        lease: the item's slot.
        item_task: what nothing interrupts between an intent in the journal and the reply in the journal.
        rate_limiter: knows what the latest reply said about the limits.
        priority: see ``Attempts.priority``.
        stopping: whether no further attempt is wanted.
        unsent: whether nothing of the item can be at the gateway, so that stopping costs nothing.

    """

    recorder: ItemRecorder
    lease: SlotLease
    item_task: ItemTask
    rate_limiter: RateLimiter
    priority: int = BULK
    stopping: bool = False
    unsent: bool = True

    @property
    def wanted(self) -> bool:
        """See ``Attempts.wanted``."""
        return not self.stopping

    @property
    def is_first(self) -> bool:
        """See ``Attempts.is_first``."""
        return self.recorder.record is None

    async def ready(self) -> None:
        """See ``Attempts.ready``."""
        if self.lease.would_wait:
            self.waits_for("in_flight")
        await self.lease.take()

    async def begin(self, sent_as: str | None = None) -> str:
        """See ``Attempts.begin``; durable when it returns. A lost run's attempt is taken up as what it was sent as."""
        # From here until the reply is on the books nothing interrupts: a POST that nobody remembers could be paid
        # twice.
        self.item_task.shield()
        # Before the wait for the disk: whoever stops the run meanwhile must not take the item for one without a POST.
        self.unsent = False
        return await self.recorder.intended(sent_as)

    async def taken_up(self, lost: LostSubmissions, kind: Kind) -> GenerationTask | None:
        """Take up the task that a run without its journal has at the gateway; None once the item may be sent.

        Raises:
            SubmissionUnknownError: it could not be found out.

        """
        item, record = self.recorder.item, self.recorder.record
        own, known = item.request.client_business_id, () if record is None else task_ids(record)
        try:
            found = await lost.find(item.key, kind, own=own, known=known)
        except SubmissionUnknownError:
            self.unsent = False  # as far as anybody knows
            raise
        if found is None:
            return None
        name, task = found
        await self.ready()
        await self.begin(name)
        self.accepted(task)
        return task

    async def found_here(self, gateway: Gateway, record: ItemRecord, kind: Kind, doubt: ToAPIsError) -> GenerationTask:
        """Find an attempt that went to another base URL, which may be the same gateway: one miss proves nothing.

        Raises:
            SubmissionUnknownError: it is not here.

        """
        found = await look_once(gateway, record.client_business_id, kind)
        if not isinstance(found, GenerationTask):
            elsewhere = self.recorder.session.gateway_of(record)
            raise unknown_error(doubt, record.client_business_id, elsewhere=elsewhere)
        self.accepted(found)
        return found

    def accepted(self, task: GenerationTask) -> None:
        """See ``Attempts.accepted``."""
        before = self.lease.limit
        self.lease.accepted()
        self.recorder.accepted(task)
        tell_in_flight(self.tell, before, self.lease.limit)
        self.item_task.unshield()

    def not_accepted(self, error: ToAPIsError) -> None:
        """See ``Attempts.not_accepted``."""
        self.recorder.not_accepted(error)
        self.unsent = True
        self.item_task.unshield()

    def in_doubt(self, error: ToAPIsError) -> None:
        """See ``Attempts.in_doubt``: it counts as in flight."""
        self.lease.accepted()
        self.recorder.tell(AttemptSettled, result="in_doubt", error=error)
        self.item_task.unshield()

    def held_up(self, error: ToAPIsError) -> float | None:
        """See ``Attempts.held_up``: a 429 gives the slot back and leaves the pace to the shared limits."""
        limit = limit_of(error, self.rate_limiter)
        if not isinstance(error, RateLimitError):
            self.tell(HeldUp, limit=limit, error=error)
            return None
        before = self.lease.limit
        seconds = self.lease.refused(refusal_of(error, self.rate_limiter))
        self.tell(HeldUp, limit=limit, seconds=seconds, error=error)
        tell_in_flight(self.tell, before, self.lease.limit)
        return seconds

    def waits_for(self, limit: Literal["rate", "in_flight"]) -> None:
        """See ``Attempts.waits_for``."""
        self.tell(HeldUp, limit=limit)

    def tell(self, event: Callable[..., Event], /, **facts: object) -> None:
        """See ``Attempts.tell``."""
        self.recorder.tell(event, **facts)
