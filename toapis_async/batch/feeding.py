"""Where the items of a run come from: taken one for each free slot, and begun where an earlier run left them."""

from collections.abc import AsyncIterator
from decimal import Decimal

import attrs

from toapis_async.batch.inputs import Inputs
from toapis_async.batch.item_attempts import ItemAttempts
from toapis_async.batch.item_index import IncomingItem
from toapis_async.batch.item_run import Deliver, ItemRun
from toapis_async.batch.item_task import ItemTask
from toapis_async.batch.outcomes import Failed, Saved
from toapis_async.batch.recorder import ItemRecorder
from toapis_async.batch.run import Run
from toapis_async.batch.run_context import RunContext
from toapis_async.batch.slot_lease import SlotLease
from toapis_async.errors import BudgetExceededError, ToAPIsError
from toapis_async.policy.money.recovery import Step, next_step
from toapis_async.ports.events import ItemFailed, ItemSkipped
from toapis_async.values.requests import missing_files


@attrs.define(kw_only=True)
class Feed:
    """Where the items of a run come from.

    Attributes:
        before: what earlier runs left and is to be finished first.
        inputs: the input proper.
        after: attempts of earlier runs that the input did not name again.
        deliver: takes every outcome.

    """

    before: AsyncIterator[IncomingItem] | None = None
    inputs: Inputs
    after: AsyncIterator[IncomingItem] | None = None
    deliver: Deliver

    async def start_items(self, run: Run) -> None:
        """Start items, one for each free slot, until the input ends."""
        await self._start_all(run, self.before)
        try:
            await self._start_inputs(run)
        finally:
            self.inputs.release()
        await self._start_all(run, self.after)

    async def _start_inputs(self, run: Run) -> None:
        while (lease := await _free_lease(run)) is not None:
            try:
                entry_or_end = await self.inputs.next()
                if entry_or_end is None:
                    break
                try:
                    await self._begin(run, entry_or_end, lease)
                finally:
                    self.inputs.item_index.free([entry_or_end])
            except BaseException:
                lease.give_back()
                raise
        if lease is not None:
            lease.give_back()

    async def _start_all(self, run: Run, entries: AsyncIterator[IncomingItem] | None) -> None:
        if entries is not None:
            async for entry in entries:
                await self._begin(run, entry, SlotLease(run.context.slots, taken=False))

    async def _begin(self, run: Run, entry: IncomingItem, lease: SlotLease) -> None:
        context = run.context
        context.tally.taken += 1
        if entry.error is not None:
            lease.give_back()
            outcome = Failed(item=entry.item, error=entry.error)
            ItemRecorder(session=context.recorder, item=entry.item, record=None).tell(ItemFailed, error=entry.error)
            context.tally.ended(outcome)
            await self.deliver(outcome)
            return
        step = next_step(
            entry.record,
            retry_failed=context.settings.retry_failed,
            resubmit_unknown=context.submitter.on_unknown == "resubmit",
            files_intact=entry.intact,
        )
        if step in {Step.SKIP, Step.REPORT_FAILED}:
            lease.give_back()
            await self._report(context, entry, step)
            return
        await self._start(run, entry, lease, step)

    async def _start(self, run: Run, entry: IncomingItem, lease: SlotLease, step: Step) -> None:
        """Bring an item to work, within the budget."""
        context = run.context
        estimate = context.budget.estimate(entry.item.request)
        if step is Step.SUBMIT and not context.budget.admits(estimate):
            lease.give_back()
            context.tally.taken -= 1  # it stays in the input, for a run with a higher cap
            error = context.budget.exceeded(entry.item)
            run.enough(error) if isinstance(error, BudgetExceededError) else run.stop(error, drain=True)
            return
        if step is not Step.SUBMIT and entry.record is not None and entry.record.cost_usd is not None:
            estimate = Decimal(entry.record.cost_usd)
        if step is Step.SUBMIT:
            context.tally.add("planned", estimate)  # everything of earlier runs was counted at the beginning
        if step in {Step.SUBMIT, Step.RECONCILE}:
            self.inputs.item_index.begins(entry.item.key)
        if step is Step.DOWNLOAD:
            lease.give_back()
        else:
            await lease.take()  # the item has it already where it comes from the input
        recorder = ItemRecorder(session=context.recorder, item=entry.item, record=entry.record)
        item_task = ItemTask()
        run.start(
            ItemRun(
                run=run,
                recorder=recorder,
                lease=lease,
                item_task=item_task,
                attempts=ItemAttempts(
                    recorder=recorder, lease=lease, item_task=item_task, rate_limiter=context.gateway.rate_limiter
                ),
                step=step,
                deliver=self.deliver,
                estimate=estimate,
                ask_only=entry.ask_only,
            )
        )

    async def _report(self, context: RunContext, entry: IncomingItem, step: Step) -> None:
        """Deliver what an earlier run has ended."""
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


async def _free_lease(run: Run) -> SlotLease | None:
    if run.draining or run.full:
        return None
    await run.caught_up()
    lease = SlotLease(run.context.slots, taken=False)
    await lease.take()
    return lease


def _remembered(entry: IncomingItem) -> ToAPIsError:
    record = entry.record
    message = "" if record is None else record.error_message or ""
    return ToAPIsError(
        f"It failed in an earlier run: {message}",
        hint="Its task was accepted, so it is not made again unasked; use retry_failed=True or --retry-failed.",
    )
