"""One worker's directory: the session that owns it, and the jobs that are made in it."""

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context, copy_context
from itertools import compress
from typing import TypeAlias

import attrs

from toapis_async.batch.outcomes import Failed, Outcome, Saved
from toapis_async.batch.runs.job import Job
from toapis_async.batch.session import GenerationSession
from toapis_async.errors import InvalidRequestError, ToAPIsError
from toapis_async.shielding import wait_shielded
from toapis_async.storage.jobs.job_ledger import JobLedger
from toapis_async.values.jobs import StoredResult, StoredState
from toapis_async.values.limits import BULK, INTERACTIVE
from toapis_async.values.requests import GenerationRequest

logger: logging.Logger = logging.getLogger("toapis_async")

Changed: TypeAlias = Callable[[str], None]

# Each is on the disk as under way before it is submitted; together they cost one wait for the disk.
_CLAIMED_AT_ONCE = 8


@attrs.frozen
class _Queued:
    job_id: str
    request: GenerationRequest | None
    context: Context


class JobWorker:
    """Makes jobs in one directory, in the order in which they come; those of priority 0 go before the others.

    Args:
        name: of the directory.
        session: open in it.
        ledger: of all workers.
        changed: hears the id of each job that stands otherwise than before.
        retry_seconds: after which an unfinished job is taken up again.

    """

    def __init__(
        self, name: str, session: GenerationSession, ledger: JobLedger, *, changed: Changed, retry_seconds: float
    ) -> None:
        self.name = name
        self.session = session
        self._ledger = ledger
        self._changed = changed
        self._retry_seconds = retry_seconds
        self._lines: dict[int, asyncio.Queue[_Queued]] = {INTERACTIVE: asyncio.Queue(), BULK: asyncio.Queue()}
        self._jobs: dict[str, Job | None] = {}
        self._retries: dict[str, asyncio.TimerHandle] = {}
        self._ends: set[asyncio.Task[None]] = set()
        self._feeds = [asyncio.create_task(self._feed(priority)) for priority in self._lines]

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._jobs

    @property
    def idle(self) -> bool:
        """Whether it has nothing to do."""
        return not self._jobs

    def task_id(self, job_id: str) -> str | None:
        """Return the gateway's task of a job under way, once there is one."""
        job = self._jobs.get(job_id)
        return None if job is None else job.task_id

    def make(self, job_id: str, request: GenerationRequest | None = None) -> None:
        """Make a job of the ledger as soon as there is a slot, or go on with it; once at a time.

        Args:
            job_id: of this worker.
            request: as it is in the ledger; None to read it there when it is its turn.

        """
        if job_id not in self._jobs:
            self._jobs[job_id] = None
            priority = BULK if request is None or request.priority is None else request.priority
            # Whoever traces finds the job below the web request that asked for it.
            self._lines[INTERACTIVE if priority < BULK else BULK].put_nowait(_Queued(job_id, request, copy_context()))

    async def _feed(self, priority: int) -> None:
        line = self._lines[priority]
        while True:
            some = [await line.get()]
            while len(some) < _CLAIMED_AT_ONCE and not line.empty():
                some.append(line.get_nowait())
            claimed = await asyncio.gather(*[self._ledger.claim(queued.job_id) for queued in some])
            for queued, ours in zip(some, claimed, strict=True):
                self._changed(queued.job_id)
                if not ours:  # cancelled while it stood in line
                    del self._jobs[queued.job_id]
            for queued in compress(some, claimed):
                await self._make(queued, priority)

    async def _make(self, queued: _Queued, priority: int) -> None:
        """Submit a job that cannot be cancelled any more."""
        try:
            job = await self._submitted(queued, priority)
        except Exception as error:
            if not isinstance(error, ToAPIsError):
                logger.exception("A job could not be submitted, and is tried again later")
            self._refused(queued.job_id, error)
        else:
            self._jobs[queued.job_id] = job
            ending = asyncio.create_task(self._end(queued.job_id, job))
            self._ends.add(ending)
            ending.add_done_callback(self._ends.discard)

    async def _submitted(self, queued: _Queued, priority: int) -> Job:
        request = queued.request or await self._request(queued.job_id)
        submitting = self.session.submit(attrs.evolve(request, id=queued.job_id), priority=priority)
        return await asyncio.get_running_loop().create_task(submitting, context=queued.context)

    async def _request(self, job_id: str) -> GenerationRequest:
        job = await self._ledger.find(job_id)
        if job is None:
            raise InvalidRequestError.refused((f"job {job_id!r} has gone",))
        return job.request

    def _refused(self, job_id: str, error: Exception) -> None:
        state: StoredState = "failed" if isinstance(error, InvalidRequestError) else "unfinished"
        self._ended(job_id, state, _result(error, None))

    async def _end(self, job_id: str, job: Job) -> None:
        try:
            outcome = await job
        except ToAPIsError as error:
            if self._feeds:  # else the session was parked, and the ledger says rightly that the job is under way
                self._ended(job_id, "unfinished", _result(error, job.task_id))
        else:
            self._ended(job_id, _state(outcome), _result_of(outcome, job))

    def _ended(self, job_id: str, state: StoredState, result: StoredResult) -> None:
        del self._jobs[job_id]
        self._note(job_id, state, result)
        if state == "unfinished" and self._feeds:
            again = asyncio.get_running_loop().call_later(self._retry_seconds, self._again, job_id)
            self._retries[job_id] = again

    def _again(self, job_id: str) -> None:
        self._retries.pop(job_id, None)
        self.make(job_id)

    def _note(self, job_id: str, state: StoredState, result: StoredResult) -> None:
        self._ledger.note(job_id, state, result)
        self._changed(job_id)

    async def aclose(self) -> None:
        """Park the session: send nothing more, and leave what is under way to whoever opens the directory next."""
        feeds, self._feeds = self._feeds, []
        for retry in self._retries.values():
            retry.cancel()
        for feed in feeds:
            feed.cancel()
        try:
            await self.session.park()
        finally:
            await wait_shielded([*feeds, *self._ends])


def _state(outcome: Outcome) -> StoredState:
    match outcome:
        case Saved():
            return "saved"
        case Failed():
            return "failed"
        case _:
            return "unfinished"


def _result(error: Exception, task_id: str | None) -> StoredResult:
    return StoredResult(task_id=task_id, error_type=type(error).__name__, error_message=str(error))


def _result_of(outcome: Outcome, job: Job) -> StoredResult:
    if outcome.error is not None:
        return _result(outcome.error, job.task_id)
    cost = None if outcome.cost is None else str(outcome.cost)
    return StoredResult(task_id=job.task_id, files=outcome.files, cost_usd=cost)
