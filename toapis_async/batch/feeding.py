"""Where the items of a run come from: taken one for each free slot, and begun where an earlier run left them."""

from collections.abc import AsyncIterator
from decimal import Decimal

import attrs

from toapis_async.batch.books import ItemBooks
from toapis_async.batch.inputs import Entry, Inputs
from toapis_async.batch.item_run import Deliver, ItemRun
from toapis_async.batch.outcomes import Failed, Saved
from toapis_async.batch.parts import Parts
from toapis_async.batch.place import Place
from toapis_async.batch.run import Run
from toapis_async.errors import BudgetExceededError, ToAPIsError
from toapis_async.policy.money.recovery import Step, next_step
from toapis_async.values.events import Happening


@attrs.define(kw_only=True)
class Feed:
    """Where the items of a run come from.

    Attributes:
        before: what earlier runs left and is to be finished first.
        inputs: the input proper.
        after: attempts of earlier runs that the input did not name again.
        deliver: takes every outcome.

    """

    before: AsyncIterator[Entry] | None = None
    inputs: Inputs
    after: AsyncIterator[Entry] | None = None
    deliver: Deliver

    async def pour(self, run: Run) -> None:
        """Start items, one for each free slot, until the input ends."""
        await self._pour_all(run, self.before)
        try:
            await self._pour_inputs(run)
        finally:
            self.inputs.let_go()
        await self._pour_all(run, self.after)

    async def _pour_inputs(self, run: Run) -> None:
        while (place := await _free_place(run)) is not None:
            try:
                entry_or_end = await self.inputs.next()
                if entry_or_end is None:
                    break
                try:
                    await self._begin(run, entry_or_end, place)
                finally:
                    self.inputs.register.free([entry_or_end])
            except BaseException:
                place.give_back()
                raise
        if place is not None:
            place.give_back()

    async def _pour_all(self, run: Run, entries: AsyncIterator[Entry] | None) -> None:
        if entries is not None:
            async for entry in entries:
                await self._begin(run, entry, Place(run.parts.slots, taken=False))

    async def _begin(self, run: Run, entry: Entry, place: Place) -> None:
        parts = run.parts
        parts.tally.taken += 1
        if entry.error is not None:
            place.give_back()
            outcome = Failed(item=entry.item, error=entry.error)
            parts.books.tell(Happening.FAILED, entry.item, message=str(entry.error))
            parts.tally.ended(outcome, None, sent=False)
            await self.deliver(outcome)
            return
        step = next_step(
            entry.record,
            retry_failed=parts.retry_failed,
            resubmit_unknown=parts.submitter.on_unknown == "resubmit",
            files_intact=entry.intact,
        )
        if step in {Step.SKIP, Step.REPORT_FAILED}:
            place.give_back()
            await self._report(parts, entry, step)
            return
        await self._start(run, entry, place, step)

    async def _start(self, run: Run, entry: Entry, place: Place, step: Step) -> None:
        """Bring an item to work, within the budget."""
        parts = run.parts
        estimate = parts.budget.estimate(entry.item.request)
        if step is Step.SUBMIT and not parts.budget.admits(estimate):
            place.give_back()
            error = parts.budget.exceeded(entry.item)
            run.enough(error) if isinstance(error, BudgetExceededError) else run.stop(error, drain=True)
            return
        if step is not Step.SUBMIT and entry.record is not None and entry.record.cost_usd is not None:
            estimate = Decimal(entry.record.cost_usd)
        if step is Step.SUBMIT or parts.budget.max_cost_usd is None:
            parts.tally.plan(estimate)  # with a cap, everything of earlier runs was counted at the beginning
        if step in {Step.SUBMIT, Step.RECONCILE}:
            self.inputs.register.begins(entry.item.key)
        if step is Step.DOWNLOAD:
            place.give_back()
        else:
            await place.take()  # the item has it already where it comes from the input
        books = ItemBooks(books=parts.books, item=entry.item, record=entry.record, place=place)
        run.start(
            ItemRun(
                run=run,
                books=books,
                step=step,
                deliver=self.deliver,
                estimate=estimate,
                ask_only=entry.ask_only,
            )
        )

    async def _report(self, parts: Parts, entry: Entry, step: Step) -> None:
        """Deliver what an earlier run has ended."""
        if entry.record is None:
            raise RuntimeError("only what is in the journal can have ended")
        outcome: Saved | Failed
        if step is Step.SKIP:
            outcome = Saved(item=entry.item, files=entry.record.files, resumed=True)
            parts.books.tell(Happening.SKIPPED, entry.item, task_id=entry.record.task_id)
        else:
            outcome = Failed(item=entry.item, error=_remembered(entry))
        parts.tally.ended(outcome, None, sent=False)
        await self.deliver(outcome)


async def _free_place(run: Run) -> Place | None:
    if run.draining or run.full:
        return None
    await run.caught_up()
    place = Place(run.parts.slots, taken=False)
    await place.take()
    return place


def _remembered(entry: Entry) -> ToAPIsError:
    record = entry.record
    message = "" if record is None else record.error_message or ""
    return ToAPIsError(
        f"It failed in an earlier run: {message}",
        hint="Its task was accepted, so it is not made again unasked; use retry_failed=True or --retry-failed.",
    )
