"""One item on its way: submitted, waited for, handed to the download workers, saved."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from typing import TypeAlias

import attrs

from toapis_async.batch.bookkeeping.recorded_task import accepted_at, recorded_task
from toapis_async.batch.bookkeeping.recorder import ItemRecorder
from toapis_async.batch.bookkeeping.tally import ItemAccount, stage_of
from toapis_async.batch.items.ending import NotWantedError, outcome_of, stopped_before_sending, stops, stops_at_once
from toapis_async.batch.items.holding import FRESH_LOOK, DownloadHold
from toapis_async.batch.items.item_attempts import ItemAttempts
from toapis_async.batch.items.item_task import ItemTask
from toapis_async.batch.items.late_looks import late_interval_seconds
from toapis_async.batch.items.run_view import RunView
from toapis_async.batch.items.slot_lease import SlotLease
from toapis_async.batch.outcomes import Failed, Item, Outcome, Saved, Unfinished
from toapis_async.client.reachability import has_paths
from toapis_async.client.sending import submit_with_uploads
from toapis_async.client.submitting import NotSentError
from toapis_async.client.waiting import TaskWait
from toapis_async.errors import (
    APIConnectionError,
    Delivery,
    JournalError,
    ServerError,
    StorageError,
    SubmissionUnknownError,
    TaskTimeoutError,
    ToAPIsError,
)
from toapis_async.policy.money.delivery import lacks_path
from toapis_async.policy.money.recovery import Step
from toapis_async.values.files import SavedFile
from toapis_async.values.kinds import KINDS, kind_of
from toapis_async.values.records import ItemState
from toapis_async.values.requests import missing_files
from toapis_async.values.tasks import GenerationTask, Kind, TaskStatus
from toapis_async.wire.encoding import submission
from toapis_async.wire.failures import task_failed_error

logger: logging.Logger = logging.getLogger("toapis_async")

Deliver: TypeAlias = Callable[[Outcome], Awaitable[None]]

_IN_HAND = frozenset({ItemState.ACCEPTED, ItemState.FINISHED})


@attrs.define(kw_only=True, eq=False)
class ItemRun:
    """One item in work.

    Attributes:
        run: what it is part of.
        recorder: where it is written down.
        lease: its slot.
        item_task: whose task it is.
        attempts: what is sent for it.
        step: what to begin with.
        deliver: takes its outcome.
        estimate: what it was planned to cost, in USD, or None.
        task: as last seen.
        ask_only: whether it is not to be submitted when nothing came of its last attempt.
        kind: which endpoint it goes to.
        stoppable: whether it is in the part that a stop cuts short unless something was sent.
        cancelled: whether it was told to end at once.

    """

    run: "RunView[ItemRun]"
    recorder: ItemRecorder
    lease: SlotLease
    item_task: ItemTask
    attempts: ItemAttempts
    step: Step
    deliver: Deliver
    estimate: Decimal | None = None
    ask_only: bool = False
    task: GenerationTask | None = None
    kind: Kind = attrs.field(init=False)
    stoppable: bool = False
    cancelled: bool = False

    def __attrs_post_init__(self) -> None:
        self.kind = kind_of(self.item.request).name
        record = None if self.step is Step.SUBMIT else self.recorder.record
        stage, amount = stage_of(record, self.estimate)
        tally = self.run.context.tally
        self.recorder.account = ItemAccount(tally=tally, estimate=self.estimate, stage=stage, amount=amount)

    @property
    def item(self) -> Item:
        """Which one."""
        return self.recorder.item

    def stop(self) -> None:
        """Send nothing more for it; what is paid for goes on."""
        self.attempts.stopping = True
        if self.stoppable and self.attempts.unsent:
            self.stoppable = False
            self.item_task.cancel()

    def cancel(self) -> None:
        """End it at once, or as soon as an attempt that is under way is on the books."""
        self.cancelled = True
        self.item_task.cancel()

    def let_go(self) -> None:
        """Wait for the reply to an attempt no longer: its intent is on the books."""
        if not self.attempts.unsent:
            self.item_task.unshield()

    async def go(self) -> None:
        """Bring the item to where its files can be fetched, and hand it over; or to its end."""
        try:
            self.item_task.unshield()
            done = await self._make()
        except ToAPIsError as error:
            self.item_task.unshield()
            await self._end(error)
        else:
            if done:
                await self.run.hand_over(self)
        finally:
            self.lease.give_back()

    async def _make(self) -> bool:
        if self.step is Step.DOWNLOAD:
            self.recorder.gone()
            self.task = recorded_task(self.recorder.record)
            return True
        task = await self._accepted()
        self.task = task = await self._finished(task)
        self.lease.give_back()
        if task.status is TaskStatus.FAILED:
            raise task_failed_error(task)
        self.recorder.finished(task)
        return True

    async def _accepted(self) -> GenerationTask:
        if self.step is Step.POLL:
            return await self._in_hand()
        if self.attempts.stopping:
            raise stopped_before_sending()
        self.stoppable = True
        try:
            task = await (self._reconciled() if self.step is Step.RECONCILE else self._submitted())
        except asyncio.CancelledError:
            if self.stoppable or self.cancelled:
                raise
            self.item_task.uncancel()
            raise stopped_before_sending() from None
        finally:
            self.stoppable = False
        self.task = task
        return task

    async def _in_hand(self) -> GenerationTask:
        """Take up the task that an earlier run left."""
        self.task = task = recorded_task(self.recorder.record)
        await self.lease.take()
        self.lease.accepted()
        return task

    async def _submitted(self) -> GenerationTask:
        """Submit; what the gateway did not answer about during an outage is asked for again when that is over."""
        hold, lost = self.run.context.gateway_hold, self.run.context.lost
        outages = await hold.over()
        if lost is not None and (task := await self.attempts.taken_up(lost, self.kind)) is not None:
            return task
        try:
            return await self._posted()
        except SubmissionUnknownError as doubt:
            try:
                if not await hold.outlast(outages, self.recorder.tell):
                    raise
            except (APIConnectionError, ServerError) as gone:
                self.run.stop(gone, drain=False)
                raise doubt from gone
            return await self._settled(doubt, doubt.client_business_id)

    async def _posted(self) -> GenerationTask:
        context, request = self.run.context, self.item.request
        try:
            return await submit_with_uploads(
                context.submitter, context.uploads, request, submission, kind=self.kind, attempts=self.attempts
            )
        finally:
            if context.lost is not None:
                context.lost.ended(self.item.key, request.client_business_id)

    async def _reconciled(self) -> GenerationTask:
        """Ask what became of an attempt of an earlier run; submit once it is proved that nothing did."""
        record = self.recorder.record
        if record is None:
            return await self._submitted()
        self.attempts.unsent = False
        await self.attempts.ready()
        stopped = APIConnectionError("The run ended while this attempt was on its way.", delivery=Delivery.UNKNOWN)
        self.attempts.in_doubt(stopped)
        resubmits = self.run.context.submitter.on_unknown == "resubmit"
        if not resubmits and self.recorder.session.gateway_of(record) != self.recorder.session.gateway:
            return await self.attempts.found_here(self.run.context.gateway, record, self.kind, stopped)
        return await self._settled(stopped, record.client_business_id)

    async def _settled(self, doubt: ToAPIsError, client_business_id: str) -> GenerationTask:
        """Ask what became of an attempt; submit again once it is proved that nothing did."""
        submitter = self.run.context.submitter
        resubmit = submitter.on_unknown == "resubmit"
        result = await submitter.settle(doubt, client_business_id, self.kind, self.attempts, resubmit=resubmit)
        if isinstance(result, GenerationTask):
            return result
        if self.ask_only:
            raise NotWantedError("Nothing came of this attempt of an earlier run, and the input does not have it.")
        if not self.attempts.wanted or not self.run.may_submit(self):
            raise NotSentError("The run was stopped before this item was sent again.", hint="Resume the run.")
        self.lease.give_back()
        return await self._submitted()

    async def _finished(self, task: GenerationTask) -> GenerationTask:
        gateway, settings, request = self.run.context.gateway, self.run.context.settings, self.item.request
        patience = settings.patience_seconds or KINDS[self.kind].patience_seconds
        with TaskWait(
            gateway=gateway,
            task=task,
            watch=gateway.watch(self.kind, request.model, getattr(request, "resolution", None), settings.polling),
            accepted_at=accepted_at(self.recorder.record, gateway.clock),
            tell=self.recorder.tell,
            priority=self.attempts.priority,
            resumed=self.step is not Step.SUBMIT,
        ) as wait:
            try:
                task = await wait.finished(patience)
                if not wait.resumed:
                    self.recorder.looks = wait.looks
            except TaskTimeoutError as late:
                self.lease.give_back()
                with self.run.late(self) as scope:
                    task = await wait.finished_late(late_interval_seconds(patience))
                if scope.cancelled_caught:
                    self.task = late.task
                    raise
        return task

    async def save(self) -> None:
        """Fetch the files and end the item."""
        task = self.task
        if task is None:
            raise RuntimeError("an item without a task was handed over")
        try:
            files = await self._fetched(task)
        except ToAPIsError as error:
            await self._end(error)
        else:
            self.recorder.saved(task, files)
            missing = missing_files(self.item.request, len(files))
            await self._deliver(Saved(item=self.item, files=files, missing=missing, task=task, cost=task.cost))

    async def _fetched(self, task: GenerationTask) -> tuple[SavedFile, ...]:
        """Fetch the files; while nothing at all can be fetched the item is held, and not ended."""
        run, context, gateway = self.run, self.run.context, self.run.context.gateway
        hold = DownloadHold(
            watch=context.file_hosts,
            key=self.item.key,
            clock=gateway.clock,
            random=gateway.random,
            under_way=lambda: run.under_way,
            given_up=lambda: self.attempts.stopping,
            tell=self.recorder.tell,
            stop=lambda error: run.stop(error, drain=False),
        )
        target = context.target(self.item, ours=self.recorder.earlier_names)
        fresh = partial(gateway.retrieve, task.id, self.kind, retries=FRESH_LOOK)
        slow = partial(run.slow, self)
        save = partial(context.downloader.save, task, target, fresh=fresh, tell=self.recorder.tell, on_slow=slow)
        return await hold.until_fetched(save)

    async def _end(self, error: ToAPIsError) -> None:
        """End the item without a file, and the run where that error would meet every other item too."""
        self.lease.give_back()
        if isinstance(error, NotWantedError):
            self.run.ended(self)
            return
        if isinstance(error, NotSentError) and self.run.stopped_by is not None:
            error = self.run.stopped_by
        record = self.recorder.record
        if self.task is None and record is not None and record.state in _IN_HAND:
            self.task = recorded_task(record)  # what is paid for has not failed for good, whatever broke on the way
        stopping = stops(error, has_paths=lacks_path(error) and await has_paths(self.run.context.gateway))
        outcome = outcome_of(self.item, error, self.task, sent=self.is_sent, stopping=stopping)
        if isinstance(outcome, Failed):
            self.recorder.failed(error, cost=None if self.task is None else self.task.cost)
        else:
            self.recorder.unfinished(error)
        if stopping:
            self.run.stop(error, drain=not stops_at_once(error))
        await self._deliver(outcome)

    def left_behind(self, error: ToAPIsError) -> None:
        """Count an item that the end of the run has struck; what is paid for is unfinished, the rest was not sent."""
        outcome = Unfinished(item=self.item, error=error, task=self.task, sent=self.is_sent)
        try:
            self.recorder.unfinished(error)
        except (StorageError, JournalError):
            logger.debug("%r: the disk that ended the run does not take its last word either", self.item.key)
        self.count(outcome)

    @property
    def is_sent(self) -> bool:
        """Whether the gateway has it, or may have it."""
        return self.task is not None or not self.attempts.unsent

    def count(self, outcome: Outcome) -> None:
        """Count its end."""
        self.run.context.tally.ended(outcome)
        if not isinstance(outcome, Saved):
            self.give_back()

    def give_back(self) -> None:
        """Free what was planned for it, if it was not sent."""
        if self.recorder.account is not None:
            self.recorder.account.give_back()

    async def _deliver(self, outcome: Outcome) -> None:
        self.count(outcome)
        try:
            self.run.context.in_work.tell(self, outcome)
            await self.deliver(outcome)
        finally:
            self.run.ended(self)
