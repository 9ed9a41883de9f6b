"""``GenerationSession``: the batch engine behind ``client.session()``."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from toapis_async.batch.bookkeeping.record_states import states_of
from toapis_async.batch.incoming.inputs import Inputs, Requests, begun, input_mark
from toapis_async.batch.incoming.item_index import ItemIndex
from toapis_async.batch.outcomes import Report, Statistics
from toapis_async.batch.resources import SessionResources
from toapis_async.batch.runs.job import Job
from toapis_async.batch.runs.jobs import Jobs
from toapis_async.batch.runs.runs import Runs
from toapis_async.batch.runs.stream import OutcomeStream
from toapis_async.batch.runs.streams import Streams
from toapis_async.batch.settings import SessionSettings
from toapis_async.errors import InvalidRequestError, ToAPIsError
from toapis_async.shielding import wait_shielded
from toapis_async.values.records import ItemRecord
from toapis_async.values.requests import GenerationRequest


class GenerationSession:
    """A batch: many requests, one directory. Made by ``client.session()``; open it with ``async with``.

    While it is open no other process can run in the directory. Leaving it waits for jobs that were submitted, stops
    streams that were left early, and closes the journal; leaving it by an exception stops everything. Nothing that
    was paid for is forgotten: a later session in the same directory goes on with it. Whichever task opened it, any
    task of the same event loop may close it.
    """

    def __init__(self, resources: SessionResources) -> None:
        self._resources = resources
        self._runs = Runs(resources.context)
        self._streams = Streams(self._runs, resources.item_index)
        self._jobs: Jobs | None = None
        self._closing: asyncio.Task[None] | None = None
        self._open = self._used = False

    @property
    def settings(self) -> SessionSettings:
        """What it was opened with."""
        return self._resources.settings

    @property
    def directory(self) -> Path | None:
        """Where manifest and journal are, and the files unless they go elsewhere; None without any on this machine."""
        return self._resources.settings.directory

    @property
    def uri(self) -> str:
        """Where the files go: a path, or an address such as ``s3://bucket/july``."""
        return self._resources.settings.sink.uri

    @property
    def report(self) -> Report:
        """The session in numbers, so far; ``stopped_by`` says what stopped the last run."""
        return self._resources.report(self._runs.stopped_by)

    @property
    def statistics(self) -> Statistics:
        """The session at this moment."""
        return self._resources.statistics(late=self._runs.late, saving=self._runs.saving)

    async def __aenter__(self) -> Self:
        """Open the directory.

        Raises:
            JournalLockedError: another process runs in it.
            JournalDamagedError: its journal cannot be read; nothing was changed.
            StorageError: it cannot be written to.

        """
        if self._used:
            raise ToAPIsError("A session can be opened once.", hint="Make another one with client.session().")
        self._used = True
        await self._resources.__aenter__()
        self._runs.opened()
        self._open = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is None:
            await self.aclose()
        else:
            await self._close(exc)

    async def aclose(self) -> None:
        """Wait for jobs that were submitted, stop streams that were left early, and close; from any task.

        A second time does nothing but wait for the first. Cancelled, it waits for jobs no longer; see ``park()``.
        Called by an input of the session's own, it begins the closing and does not wait for it.
        """
        self._runs.require_loop()
        self._open = False
        try:
            if self._jobs is not None:
                self._jobs.no_more()
                self._resources.context.slots.unpause()
                self._runs.cancel(but=self._jobs.under_way)
                await self._jobs.over()
        finally:
            await self._close(None)

    async def park(self) -> None:
        """Close now: send nothing more, wait for no task, keep everything in the journal.

        What is being sent this very moment is waited for. Jobs and streams end; what is paid for is gone on with by
        the next session in the same directory. Without a journal it is forgotten.
        """
        await self._close(None)

    async def _close(self, error: BaseException | None) -> None:
        self._runs.require_loop()
        self._open = False
        begins = self._closing is None
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._shut_down(error))
        if self._runs.are_here:
            return  # an input that closes its own session would wait for itself
        await wait_shielded([self._closing])
        if begins:
            self._closing.result()

    async def _shut_down(self, error: BaseException | None) -> None:
        """Close in a task of the session's own, whoever asks for it."""
        if self._jobs is not None:
            self._jobs.no_more()
        self._resources.context.slots.unpause()
        self._runs.cancel()
        try:
            await self._runs.over()
        finally:
            self._streams.close()
            await self._resources.__aexit__(None if error is None else type(error), error, None)

    def stream(self, requests: Requests) -> OutcomeStream:
        """Make every request, and yield outcomes as items end.

        The input is taken lazily: no further than there are free slots. A slow consumer slows downloads, and those
        submission. What an earlier run in the directory has paid for is finished first, and its outcomes are among
        those yielded.

        Given again, the same requests are the same items: what was paid for is gone on with, what is saved is skipped.

        Args:
            requests: any iterable or async iterable of requests. A generator is closed when the stream ends. A plain
                iterator that takes more than 20 ms for each request, or once much longer, is read in a thread of its
                own from there on; one that has to stay in the event loop's thread is to be wrapped in an async
                generator. It sees the context variables of whoever began to read the stream.

        """
        return self._streams.make(Inputs(requests, self._item_index(), number=self._next_input()))

    def resume(self) -> OutcomeStream:
        """Finish what an earlier run in the directory has begun, without its input; see ``stream()``.

        Requests that it had not taken from its input yet are not known here: give the input to ``stream()`` again
        for those.
        """
        item_index = self._item_index()
        return self._streams.make(Inputs(begun(item_index), item_index, number=self._next_input()))

    async def run(self, requests: Requests) -> Report:
        """Make every request and return the report.

        Args:
            requests: as for ``stream()``.

        Raises:
            ToAPIsError: what stopped the whole run; the session's ``report`` tells how far it came.

        """
        stream = self.stream(requests)
        try:
            async for _ in stream:
                pass
        finally:
            await stream.aclose()
        return self.report

    async def submit(self, request: GenerationRequest, *, priority: int | None = None) -> Job:
        """Submit one request as soon as a slot is free, and return its job: ``outcome = await job``.

        A request without an ``id`` is known by what it asks for. A later session in the directory, after a restart,
        takes it for the equal one of an earlier session: two users who ask for the same are then given one image. To
        keep users apart, give each request its user's ``namespace``, an ``id`` that begins with it, such as
        ``f"{user}-{order}"``, or each user a directory.

        The same ``id`` again joins the item while it is under way, and afterwards has its outcome; equal requests
        without an ``id`` are different items. What stopped an earlier job, such as a refused key, does not stop this
        call: it tries again.

        Args:
            request: checked before anything else happens.
            priority: 0 goes before what waits with 1; None for the request's own, else 1.

        Raises:
            InvalidRequestError: it cannot be right, or its id belongs to another request.
            BudgetExceededError: it would pass ``max_cost_usd``.
            ToAPIsError: what stopped the session while it waited for a slot.

        """
        return await self._job_queue().submit(request, priority=priority)

    async def retry(self, key: str) -> Job:
        """Make an item of this directory again whose task failed, or go on with one that has not ended.

        Raises:
            InvalidRequestError: the journal holds no such item.
            ToAPIsError: as for ``submit()``.

        """
        record = await self.find(key)
        if record is None:
            raise InvalidRequestError.refused((f"there is no item {key!r} in this directory",))
        return await self._job_queue().submit(attrs.evolve(record.request, id=key), retry_failed=True)

    async def find(self, key: str) -> ItemRecord | None:
        """Return what the journal holds of an item, or None; without a journal always None."""
        self._runs.require_loop()
        return (await self._item_index().journal.find([key]))[0]

    async def records(self, state: str | None = None) -> AsyncIterator[ItemRecord]:
        """Walk what the journal holds.

        Args:
            state: ``paid`` for what is paid and not saved, finished tasks first, by expiry, then accepted ones by
                age; or a state of the record: ``intended``, ``open``, ``accepted``, ``finished``, ``saved``,
                ``failed``; None for all.

        Raises:
            InvalidRequestError: there is no such state.

        """
        async for record in self._item_index().journal.items(*states_of(state)):
            yield record

    def set_limits(
        self, *, max_concurrency: int | None = None, max_cost_usd: Decimal | float | str | None = None
    ) -> None:
        """Change limits from now on.

        Args:
            max_concurrency: the most tasks in flight; what is above it is finished. None leaves it.
            max_cost_usd: the cap in USD, on the same sum as at opening: of earlier sessions only what was counted
                because there was a cap then. None leaves it.

        Raises:
            ConfigurationError: a limit is wrong; nothing was changed.

        """
        given = {"max_concurrency": max_concurrency, "max_cost_usd": max_cost_usd}
        wanted = {name: value for name, value in given.items() if value is not None}
        settings, context = attrs.evolve(self.settings, **wanted), self._resources.context  # type: ignore[arg-type]
        if max_concurrency is not None:
            context.slots.bound(settings.max_concurrency)
        if max_cost_usd is not None:
            context.budget.max_cost_usd = settings.max_cost_usd

    def pause(self) -> None:
        """Submit nothing more until ``unpause()``; what is in flight is finished and saved."""
        self._resources.context.slots.pause()

    def unpause(self) -> None:
        """Submit again after ``pause()``."""
        self._resources.context.slots.unpause()

    def spent(self, label: str | None) -> Decimal:
        """Return what the gateway said that this session's ended items with that label cost, in USD.

        Args:
            label: as on their requests; None for those without one.

        """
        return self._resources.tally.spent(label)

    async def remember(self, name: str, text: str) -> None:
        """Keep a small text with the run, such as how it was started."""
        await self._resources.journal.remember(name, text)

    def drain(self) -> None:
        """Send nothing more, for later calls neither, and finish what is paid for; streams then end."""
        self._runs.drain()

    def _item_index(self) -> ItemIndex:
        if not self._open:
            raise ToAPIsError(
                "The session is not open.", hint="Use it inside `async with client.session(…) as session:`."
            )
        return self._resources.item_index

    def _next_input(self) -> int:
        """Number the inputs; without a journal nothing is known of earlier ones, and names go on counting."""
        item_index = self._item_index()
        if not self.settings.journal:
            return 0
        item_index.inputs += 1
        return item_index.inputs - 1

    def _job_queue(self) -> Jobs:
        self._runs.require_loop()
        if self._jobs is None or not self._open:
            mark = input_mark(self._next_input())
            remembers = bool(self.settings.journal)
            self._jobs = Jobs(self._runs, self._item_index(), mark=mark, remembers=remembers)
        return self._jobs
