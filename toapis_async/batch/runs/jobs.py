"""Requests submitted to a session one by one: named, joined where they are under way already, started."""

import asyncio
from collections.abc import Mapping
from contextvars import Context
from functools import partial

from toapis_async.batch.incoming.item_index import IncomingItem, ItemIndex
from toapis_async.batch.items.in_work import Maker
from toapis_async.batch.outcomes import Outcome
from toapis_async.batch.runs.job import Job
from toapis_async.batch.runs.run import Run
from toapis_async.batch.runs.runs import Runs
from toapis_async.batch.runs.starting import ItemStarter
from toapis_async.errors import InvalidRequestError, ToAPIsError
from toapis_async.policy.files.naming import request_digest
from toapis_async.values.records import ItemState
from toapis_async.values.requests import GenerationRequest

# Ids of requests that ended unsent; a server that runs for months must not keep them all.
_MOST_UNSENT = 10_000


class Jobs:
    """Takes requests in and gives their outcomes to their jobs.

    Args:
        runs: of the session.
        item_index: of the session.
        mark: of these requests as an input.
        remembers: whether there is a journal to look ids up in that were given before.

    """

    def __init__(self, runs: Runs, item_index: ItemIndex, *, mark: str, remembers: bool) -> None:
        self._runs = runs
        self._item_index = item_index
        self._mark = mark
        self._remembers = remembers
        self._unsent: dict[str, None] = {}
        self._waiting: dict[str, tuple[GenerationRequest, asyncio.Future[None]]] = {}
        self._run: Run | None = None
        self.under_way: set[Run] = set()
        self._closed = False

    async def submit(
        self, request: GenerationRequest, *, priority: int | None = None, retry_failed: bool = False
    ) -> Job:
        """See ``GenerationSession.submit``."""
        contents = await self._item_index.contents_of([request])
        own = getattr(request, "id", None)
        # Two calls with one id at the same moment: the second waits until the first is under way, then joins it.
        while own is not None and own in self._waiting:
            other, place = self._waiting[own]
            _require_same(request, other)
            # Waited for, not awaited: a cancellation of this caller must not cancel the other's future.
            await asyncio.wait([place])
        entry = self._named(request, contents)
        key = entry.item.key
        if key in self._item_index.in_work:
            return self._joined(request, key)
        if entry.again and not self._remembers and self._unsent.pop(key, self) is self:
            raise InvalidRequestError.refused(
                (f"id {key!r} was used by an earlier request; without a journal its outcome is not kept",)
            )
        place = asyncio.get_running_loop().create_future()
        self._waiting[key] = request, place
        try:
            entry = await self._looked_up(entry)
            if entry.item.key != key and entry.item.key in self._item_index.in_work:
                return self._joined(request, entry.item.key)  # under the name that an earlier version gave it
            return await self._begun(entry, priority, retry_failed=retry_failed)
        except BaseException:
            self._note_unsent(key)
            raise
        finally:
            self._item_index.free([entry])
            del self._waiting[key]
            place.set_result(None)

    def _named(self, request: GenerationRequest, contents: Mapping[str, str]) -> IncomingItem:
        entry = self._item_index.name(request, mark=self._mark, check_later=True, joins=True, contents=contents)
        if entry.error is not None:
            raise entry.error
        return entry

    def _note_unsent(self, key: str) -> None:
        """Remember, for a while, that an id may be given again although no journal tells what became of it."""
        if not self._remembers:
            self._unsent[key] = None
            if len(self._unsent) > _MOST_UNSENT:
                del self._unsent[next(iter(self._unsent))]

    def _joined(self, request: GenerationRequest, key: str) -> Job:
        """Wait for what is under way already."""
        in_work = self._item_index.in_work
        maker = in_work.item_run(key)
        _require_same(request, maker.item.request)
        job = Job(request, key)
        job.made_by(maker)
        in_work.follow(key, job.hear)
        return job

    async def _looked_up(self, entry: IncomingItem) -> IncomingItem:
        index = self._item_index
        if entry.again or index.inputs > 1 or not index.has_nothing_to_find:
            entry = (await index.look_up([entry]))[0]
        checked = index.checked(entry)
        if checked.error is not None:
            raise checked.error
        return checked

    async def _begun(self, entry: IncomingItem, priority: int | None, *, retry_failed: bool) -> Job:
        run, job = await self._live_run(), Job(entry.item.request, entry.item.key)

        async def deliver(outcome: Outcome) -> None:
            job.end(outcome)

        def over_budget(error: ToAPIsError) -> None:
            raise error

        starter = ItemStarter(
            run=run,
            item_index=self._item_index,
            deliver=deliver,
            over_budget=over_budget,
            retry_failed=retry_failed,
        )
        await starter.begin(entry, priority=priority)
        if job.done:
            return job
        if job.key not in self._item_index.in_work:
            raise run.stopped_by or run.crashed or _ended()
        maker = self._item_index.in_work.item_run(job.key)
        job.made_by(maker)
        self._item_index.in_work.follow(job.key, partial(self._ended, job, maker))
        return job

    def _ended(self, job: Job, maker: Maker, end: Outcome | Exception) -> None:
        record = maker.recorder.record
        if record is None or (record.task_id is None and record.state in {ItemState.OPEN, ItemState.FAILED}):
            self._note_unsent(job.key)
        job.hear(end)

    async def _live_run(self) -> Run:
        """Return a run that takes requests; after one that was stopped the next call tries again."""
        while self._run is not None and self._run.cancelled and not self._run.over.is_set():
            await self._run.over.wait()
        if self._closed or self._runs.drained:
            raise _ended()
        if self._run is None or self._run.draining or self._run.over.is_set():
            if self._run is not None:
                self._run.no_more()
            run = self._run = self._runs.new()
            self.under_way.add(run)
            # In a context of its own: it outlives whoever happens to be the first to submit.
            self._runs.begin(run, partial(self._host, run), context=Context())
        return self._run

    async def _host(self, run: Run) -> None:
        try:
            await run.host(None)
        finally:
            self.under_way.discard(run)

    def no_more(self) -> None:
        """Take no more requests in; those that wait for a slot are refused when they get one."""
        self._closed = True
        for run in self.under_way:
            run.no_more()

    async def over(self) -> None:
        """Wait until every job has ended; a cancellation of the waiting ends them at once."""
        for run in list(self.under_way):
            await run.over.wait()


def _require_same(request: GenerationRequest, other: GenerationRequest) -> None:
    if request is not other and request_digest(request) != request_digest(other):
        raise InvalidRequestError.refused(
            (f"id {request.id!r} belongs to another request that is under way in this session; give it a new id",)
        )


def _ended() -> ToAPIsError:
    return ToAPIsError(
        "The session ended before this request did.",
        hint="What was accepted is in the journal: open a session in the same directory and resume() it.",
    )
