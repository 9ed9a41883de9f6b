"""Bringing one item to work: what an earlier run made of it, whether it fits the budget, and a slot for its task."""

from collections.abc import Callable
from decimal import Decimal

import attrs

from toapis_async.batch.bookkeeping.recorder import ItemRecorder
from toapis_async.batch.incoming.item_index import IncomingItem, ItemIndex
from toapis_async.batch.items.item_attempts import ItemAttempts
from toapis_async.batch.items.item_run import Deliver, ItemRun
from toapis_async.batch.items.item_task import ItemTask
from toapis_async.batch.items.slot_lease import SlotLease
from toapis_async.batch.outcomes import Failed, Saved
from toapis_async.batch.runs.run import Run
from toapis_async.errors import ToAPIsError
from toapis_async.policy.money.recovery import Step, next_step
from toapis_async.ports.events import ItemFailed, ItemSkipped
from toapis_async.values.limits import BULK
from toapis_async.values.requests import missing_files


@attrs.define(kw_only=True)
class ItemStarter:
    """Starts items of a run.

    Attributes:
        run: which one.
        item_index: what the session knows of its items.
        deliver: takes every outcome.
        over_budget: hears why an item was not started.
        retry_failed: whether to make items again whose task failed in an earlier run.

    """

    run: Run
    item_index: ItemIndex
    deliver: Deliver
    over_budget: Callable[[ToAPIsError], None]
    retry_failed: bool

    async def begin(self, entry: IncomingItem, *, priority: int | None = None) -> None:
        """Start an item as soon as there is a slot for its task, or deliver what is known of it already.

        Nothing comes of it when the run stops before there is a slot, or the item does not fit the budget.

        Args:
            entry: named, and looked up where there is something to look up.
            priority: whom it may overtake in the line for slots; None for the request's own.

        """
        context = self.run.context
        context.tally.taken += 1
        if entry.error is not None:
            await self._refused(entry, entry.error)
            return
        step = next_step(
            entry.record,
            retry_failed=self.retry_failed,
            resubmit_unknown=context.submitter.on_unknown == "resubmit",
            files_intact=entry.intact,
        )
        if step in {Step.SKIP, Step.REPORT_FAILED}:
            await self._report(entry, step)
            return
        priority = next((one for one in (priority, entry.item.request.priority) if one is not None), BULK)
        lease = SlotLease(context.slots, priority=priority)
        # What is finished has no task in flight, so it neither takes a slot nor waits behind those that do.
        if step is not Step.DOWNLOAD:
            await lease.take()
        # Nothing is awaited from here on: what is planned is started, and a slot that was taken has its item.
        if not self.run.taking:
            lease.give_back()
            context.tally.taken -= 1
            return
        self._start(entry, lease, step, priority)

    def _start(self, entry: IncomingItem, lease: SlotLease, step: Step, priority: int) -> None:
        run, context = self.run, self.run.context
        estimate = context.budget.estimate(entry.item.request)
        if step is Step.SUBMIT and not context.budget.admits(estimate):
            lease.give_back()
            context.tally.taken -= 1  # it stays in the input, for a run with a higher cap
            self.over_budget(context.budget.exceeded(entry.item))
            return
        # The gateway's own figure goes before any estimate.
        if step is not Step.SUBMIT and entry.record is not None and entry.record.cost_usd is not None:
            estimate = Decimal(entry.record.cost_usd)
        if step is Step.SUBMIT:
            context.tally.add("planned", estimate)  # everything of earlier runs was counted at the beginning
        # Noted before it starts: the leftovers of the same journal are walked meanwhile and must not take it up too.
        if step in {Step.SUBMIT, Step.RECONCILE}:
            self.item_index.begins(entry.item.key)
        recorder = ItemRecorder(session=context.recorder, item=entry.item, record=entry.record)
        item_task = ItemTask()
        item_run = ItemRun(
            run=run,
            recorder=recorder,
            lease=lease,
            item_task=item_task,
            attempts=ItemAttempts(
                recorder=recorder,
                lease=lease,
                item_task=item_task,
                rate_limiter=context.gateway.rate_limiter,
                priority=priority,
            ),
            step=step,
            deliver=self.deliver,
            estimate=estimate,
            ask_only=entry.ask_only,
        )
        run.start(item_run)

    async def _refused(self, entry: IncomingItem, error: ToAPIsError) -> None:
        context = self.run.context
        outcome = Failed(item=entry.item, error=error)
        ItemRecorder(session=context.recorder, item=entry.item, record=None).tell(ItemFailed, error=error)
        context.tally.ended(outcome)
        await self.deliver(outcome)

    async def _report(self, entry: IncomingItem, step: Step) -> None:
        """Deliver what an earlier run has ended."""
        context = self.run.context
        if entry.record is None:
            raise RuntimeError("only what is in the journal can have ended")
        outcome: Saved | Failed
        if step is Step.SKIP:
            files = entry.record.files
            missing = missing_files(entry.record.request, len(files))
            outcome = Saved(item=entry.item, files=files, missing=missing, resumed=True)
            recorder = ItemRecorder(session=context.recorder, item=entry.item, record=entry.record)
            recorder.tell(ItemSkipped, files=entry.record.files)
        else:
            outcome = Failed(item=entry.item, error=_remembered(entry))
        context.tally.ended(outcome)
        await self.deliver(outcome)


def _remembered(entry: IncomingItem) -> ToAPIsError:
    record = entry.record
    message = "" if record is None else record.error_message or ""
    return ToAPIsError(
        f"It failed in an earlier run: {message}",
        hint="Its task was accepted, so it is not made again unasked; use retry_failed=True or --retry-failed.",
    )
