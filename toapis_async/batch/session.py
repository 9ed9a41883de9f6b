"""``GenerationSession``: the batch engine behind ``client.session()``."""

from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakSet

import anyio
from anyio.abc import TaskGroup

from toapis_async.batch.feeding import Feed
from toapis_async.batch.inputs import Inputs, Requests, begun, leftovers, paid_for
from toapis_async.batch.item_index import ItemIndex
from toapis_async.batch.jobs import Job, JobQueue
from toapis_async.batch.outcome_queue import OutcomeQueue
from toapis_async.batch.outcomes import Outcome, Report, Statistics
from toapis_async.batch.resources import SessionResources
from toapis_async.batch.run import Run
from toapis_async.batch.settings import SessionSettings
from toapis_async.batch.stream import OutcomeStream
from toapis_async.errors import ToAPIsError
from toapis_async.values.requests import GenerationRequest

# Outcomes that wait for a slow consumer; when there are more, downloads wait, and then submission.
BUFFERED_OUTCOMES = 16


class GenerationSession:
    """A batch: many requests, one directory. Made by ``client.session()``; open it with ``async with``.

    While it is open no other process can run in the directory. Leaving it waits for jobs that were submitted, stops
    streams that were left early, and closes the journal; leaving it by an exception stops everything. Nothing that
    was paid for is forgotten: a later session in the same directory goes on with it.
    """

    def __init__(self, resources: SessionResources) -> None:
        self._resources = resources
        self._stack = AsyncExitStack()
        self._group: TaskGroup
        self._runs: list[Run] = []
        # Not kept alive here: a stream that nobody holds any more has been left.
        self._streams: WeakSet[OutcomeStream] = WeakSet()
        self._queues: list[OutcomeQueue] = []
        self._job_queue: JobQueue | None = None
        self._resumed = False
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
        """The run in numbers, so far."""
        stopped_by = next((run.stopped_by for run in self._runs if run.stopped_by), None)
        return self._resources.report(stopped_by)

    @property
    def statistics(self) -> Statistics:
        """The session at this moment."""
        return self._resources.statistics(
            late=sum(run.late_count for run in self._runs), saving=sum(run.saving for run in self._runs)
        )

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
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._resources)
            self._group = await anyio.create_task_group().__aenter__()
            self._stack = stack.pop_all()
        self._open = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = False
        async with self._stack:
            for run in self._runs:
                if exc is not None or self._job_queue is None or run is not self._job_queue.run:
                    run.cancel()
            if self._job_queue is not None:
                self._job_queue.no_more()
            try:
                await self._group.__aexit__(None, None, None)
            finally:
                self._close_streams()
                if self._job_queue is not None:
                    self._job_queue.give_up()

    def _close_streams(self) -> None:
        for stream in self._streams:
            stream.close()
        for queue in self._queues:
            queue.shut()
        self._queues.clear()

    def stream(self, requests: Requests) -> OutcomeStream:
        """Make every request, and yield outcomes as items end.

        The input is taken lazily: no further than there are free slots. A slow consumer slows downloads, and those
        submission. What an earlier run in the directory has paid for is finished first, and its outcomes are among
        those yielded.

        Given again, the same requests are the same items: what was paid for is gone on with, what is saved is skipped.

        Args:
            requests: any iterable or async iterable of requests.

        """
        item_index = self._item_index()
        return self._stream(Inputs(requests, item_index, number=self._next_number()))

    def resume(self) -> OutcomeStream:
        """Finish what an earlier run in the directory has begun, without its input; see ``stream()``.

        Requests that it had not taken from its input yet are not known here: give the input to ``stream()`` again
        for those.
        """
        item_index = self._item_index()
        return self._stream(Inputs(begun(item_index), item_index, number=self._next_number()))

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

    async def submit(self, request: GenerationRequest) -> Job:
        """Submit one request as soon as a slot is free, and return its job: ``outcome = await job``.

        Raises:
            ToAPIsError: what stopped the session.

        """
        item_index = self._item_index()
        if self._job_queue is None:
            number = self._next_number()
            queue = self._job_queue = JobQueue(self._new_run())
            inputs = Inputs(queue.requests, item_index, recovered=True, number=number)
            feed = Feed(inputs=inputs, deliver=queue.deliver)
            self._group.start_soon(queue.host, feed)
        return await self._job_queue.submit(request)

    async def remember(self, name: str, text: str) -> None:
        """Keep a small text with the run, such as how it was started."""
        await self._resources.journal.remember(name, text)

    def drain(self) -> None:
        """Send nothing more and finish what is paid for; streams then end."""
        for run in self._runs:
            run.stop(None, drain=True)

    def _item_index(self) -> ItemIndex:
        if not self._open:
            raise ToAPIsError(
                "The session is not open.", hint="Use it inside `async with client.session(…) as session:`."
            )
        return self._resources.item_index

    def _next_number(self) -> int:
        """Number the inputs; without a journal nothing is known of earlier ones, and names go on counting."""
        return len(self._runs) if self.settings.journal else 0

    def _new_run(self) -> Run:
        run = Run(self._resources.context)
        self._runs.append(run)
        return run

    def _stream(self, inputs: Inputs) -> OutcomeStream:
        run = self._new_run()
        first, self._resumed = not self._resumed, True
        item_index = self._resources.item_index

        async def host(outcomes: OutcomeQueue) -> None:
            async def deliver(outcome: Outcome) -> None:
                if not run.cancelled:  # then the reader hears why, not of every item that it struck
                    await outcomes.put(outcome)

            for earlier in self._runs:
                if earlier is not run and earlier.cancelled:
                    await earlier.over.wait()  # then its items can be gone on with
            feed = Feed(
                before=paid_for(item_index) if first else None,
                inputs=inputs,
                after=leftovers(item_index) if first else None,
                deliver=deliver,
            )
            try:
                await run.host(feed)
            finally:
                outcomes.end()

        def begin() -> OutcomeQueue:
            outcomes = OutcomeQueue(BUFFERED_OUTCOMES)
            self._queues.append(outcomes)
            self._group.start_soon(host, outcomes)
            return outcomes

        stream = OutcomeStream(run, begin)
        self._streams.add(stream)
        return stream
