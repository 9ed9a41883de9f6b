"""Requests submitted to a session one by one, each with an outcome to await."""

import asyncio
from collections import deque
from collections.abc import Generator

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from toapis_async.batch.feeding import Feed
from toapis_async.batch.outcomes import Outcome
from toapis_async.batch.run import Run
from toapis_async.errors import ToAPIsError
from toapis_async.values.requests import GenerationRequest


class Job:
    """One submitted request of a session: ``outcome = await job``.

    Attributes:
        request: what was submitted.

    """

    def __init__(self, request: GenerationRequest) -> None:
        self.request = request
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def __await__(self) -> Generator[object, None, Outcome]:
        # Whoever stops waiting does not take the outcome from others who wait.
        return asyncio.shield(self._outcome).__await__()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._outcome.done()

    def end(self, outcome: Outcome) -> None:
        """End it; called by the session."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    def give_up(self, error: Exception) -> None:
        """End it with an error; called by the session."""
        if not self._outcome.done():
            self._outcome.set_exception(error)
            self._outcome.exception()  # marked as seen: nobody has to await a job


class JobQueue:
    """Takes requests in and gives their outcomes to their jobs.

    Args:
        run: what makes them.

    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._ended_by: Exception | None = None
        self._open: dict[int, deque[Job]] = {}
        self._requests: MemoryObjectSendStream[GenerationRequest]
        self.requests: MemoryObjectReceiveStream[GenerationRequest]
        # Without a buffer a request is handed over only once a slot is free.
        self._requests, self.requests = anyio.create_memory_object_stream[GenerationRequest](0)

    async def submit(self, request: GenerationRequest) -> Job:
        """Hand a request over once a slot is free.

        Raises:
            ToAPIsError: what stopped the run.

        """
        job = Job(request)
        self._open.setdefault(id(request), deque()).append(job)
        try:
            await self._requests.send(request)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            self._take_back(job)
            raise self._reason() from error
        except BaseException:
            # Cancelled; the request may be taken all the same, and then its outcome goes to nobody.
            self._take_back(job)
            raise
        return job

    def _take_back(self, job: Job) -> None:
        jobs = self._open.get(id(job.request))
        if jobs and job in jobs:
            jobs.remove(job)
            if not jobs:
                del self._open[id(job.request)]

    async def deliver(self, outcome: Outcome) -> None:
        """Give an outcome to its job."""
        if jobs := self._open.get(id(outcome.item.request)):
            job = jobs[0]
            self._take_back(job)
            job.end(outcome)

    async def host(self, feed: Feed) -> None:
        """Run until no more requests come and all have ended; whatever ends it ends every open job."""
        try:
            await self.run.host(feed)
        finally:
            self.give_up()

    def no_more(self) -> None:
        """Take no more requests in."""
        self._requests.close()

    def give_up(self) -> None:
        """End every job that has no outcome."""
        self.requests.close()
        reason = self._reason()
        for jobs in self._open.values():
            for job in jobs:
                job.give_up(reason)
        self._open.clear()

    def _reason(self) -> Exception:
        self._ended_by = self._ended_by or self.run.take_error() or self.run.stopped_by
        return self._ended_by or ToAPIsError(
            "The session ended before this request did.",
            hint="What was accepted is in the journal: open a session in the same directory and resume() it.",
        )
