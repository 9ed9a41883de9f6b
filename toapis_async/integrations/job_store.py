"""``JobStore``: the jobs of a web application, over all its workers and their restarts."""

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import attrs

from toapis_async.async_client import AsyncToAPIs
from toapis_async.batch.session import GenerationSession
from toapis_async.clock import Clock, SystemClock
from toapis_async.errors import InvalidRequestError, JournalLockedError, ToAPIsError
from toapis_async.integrations.job_changes import JobChanges
from toapis_async.integrations.job_worker import JobWorker
from toapis_async.policy.files.naming import request_digest
from toapis_async.shielding import wait_shielded
from toapis_async.storage.jobs.job_ledger import JobLedger
from toapis_async.storage.jobs.job_removal import remove_ended
from toapis_async.values.jobs import StoredJob
from toapis_async.values.requests import GenerationRequest

OpenSession: TypeAlias = Callable[[AsyncToAPIs, Path], GenerationSession]

_ID = re.compile(r"[A-Za-z0-9_.~-]{1,128}\Z")
_MOST_WORKERS = 10_000
logger: logging.Logger = logging.getLogger("toapis_async")

_REMOVE_SECONDS = 600.0  # between two looks for what is old


class JobStore:
    """Takes requests in and answers how they stand, whichever worker of the application is asked.

    Each worker process has one of its own over the same directory. A request that ``submit()`` has returned for is on
    the disk, and is made once: by the worker that took it, by the one that takes its place, or, when that worker has
    died, by another one within ``adopt_seconds``. See ``docs/how-to/web-app-jobs.md#how-workers-share-a-directory``.

    Args:
        client: open for as long as the store is.
        directory: of all workers, on a local disk of one machine; made if it is missing.
        session: makes the session of a worker's directory; None for ``client.session(directory)``.
        retry_seconds: after which a job that could not be finished (a file host is down, a task is late) is taken up
            again.
        adopt_seconds: how often to look for jobs of workers that have died.
        keep_seconds: after which a job that has ended is removed with its files; its id is not to be used again. What
            is paid for and not saved is never removed. None keeps everything.
        poll_seconds: how often to look how jobs of other workers stand that somebody here waits for.
        clock: for tests.

    """

    def __init__(
        self,
        client: AsyncToAPIs,
        directory: str | Path,
        *,
        session: OpenSession | None = None,
        retry_seconds: float = 60.0,
        keep_seconds: float | None = None,
        adopt_seconds: float = 5.0,
        poll_seconds: float = 0.5,
        clock: Clock | None = None,
    ) -> None:
        self.directory: Path = Path(directory)
        self._client = client
        self._open_session: OpenSession = session or AsyncToAPIs.session
        self._retry_seconds = retry_seconds
        self._keep_seconds = keep_seconds
        self._adopt_seconds = adopt_seconds
        self._poll_seconds = poll_seconds
        self._clock = clock or SystemClock()
        self._ledger = JobLedger(self.directory, clock=self._clock)
        self._changes = JobChanges()
        self._workers: dict[str, JobWorker] = {}
        self._own: JobWorker
        self._tending: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Open the store, and go on with what was left in the directory that this worker takes.

        Raises:
            ToAPIsError: the directory or its journal cannot be used.

        """
        await self._ledger.__aenter__()
        try:
            self._own = await self._first_free()
        except BaseException:
            await self._ledger.aclose()
            raise
        tending = [self._adopt(), self._look_at_others()]
        if self._keep_seconds is not None:
            tending.append(self._remove_old(self._keep_seconds))
        self._tending = [asyncio.create_task(one) for one in tending]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Park everything within a moment: no task is waited for, and the next process goes on with all of it."""
        tending, self._tending = self._tending, []
        for task in tending:
            task.cancel()
        await wait_shielded(tending)
        closing = [asyncio.create_task(worker.aclose()) for worker in self._workers.values()]
        self._workers.clear()
        try:
            await wait_shielded(closing)
        finally:
            self._changes.close()
            await self._ledger.aclose()
        for closed in closing:
            closed.result()

    async def submit(self, request: GenerationRequest, *, id: str | None = None) -> StoredJob:  # noqa: A002  # its name
        """Write a job down and return it; it is made as soon as there is a slot. An id that is known joins its job.

        Args:
            request: what to make. Its own ``id`` is not used.
            id: unique in the store, such as an ``Idempotency-Key``: the same id and request again is the same job,
                whichever worker is asked. Give it a prefix for each tenant. None makes one that cannot be guessed.

        Raises:
            InvalidRequestError: the request cannot be right, the id has other characters than letters, digits and
                ``_.~-``, or belongs to another request; nothing was written down.
            JournalError: it could not be written down.

        """
        if id is not None and _ID.match(id) is None:
            raise InvalidRequestError.refused(("an id has 1 to 128 letters, digits, or any of _.~-",))
        self._client.check(request)
        now = self._clock.now()
        wanted = StoredJob(
            id=id or secrets.token_urlsafe(18),
            worker=self._own.name,
            state="queued",
            request=request,
            created_at=now,
            changed_at=now,
        )
        job = await self._ledger.add(wanted)
        if request_digest(job.request) != request_digest(request):
            raise InvalidRequestError.refused((f"id {job.id!r} belongs to another request",))
        if job is wanted:
            self._own.make(job.id, request)
        return job

    async def find(self, job_id: str) -> StoredJob | None:
        """Return a job of any worker as it stands, or None where there is none with that id."""
        job = await self._ledger.find(job_id)
        worker = None if job is None else self._workers.get(job.worker)
        if job is None or worker is None or (task_id := worker.task_id(job_id)) is None:
            return job
        return attrs.evolve(job, result=attrs.evolve(job.result, task_id=task_id))

    async def cancel(self, job_id: str) -> StoredJob | None:
        """Cancel a job of any worker that still stands in line, and return it as it stands then; None without one.

        Its state says whether it is ``cancelled``: what is being made, or has ended, stays what it is, since it may
        be paid for.
        """
        if await self._ledger.cancel(job_id):
            self._changes.changed(job_id)
        return await self.find(job_id)

    async def wait(self, job_id: str, *, timeout_seconds: float | None = None) -> StoredJob | None:
        """Return a job once it has ended, or as it stands when the time is up; None where there is none."""
        deadline = None if timeout_seconds is None else self._clock.monotonic() + timeout_seconds
        job = await self.find(job_id)
        while job is not None and not job.ended and not self._changes.closed:
            left = None if deadline is None else deadline - self._clock.monotonic()
            if left is not None and left <= 0:
                return job
            job = await self._next(job, left)
        return job

    async def follow(self, job_id: str, *, pulse_seconds: float | None = None) -> AsyncIterator[StoredJob]:
        """Yield a job at once and whenever its state has changed, until it has ended or the store is closed.

        Args:
            job_id: an unknown one yields nothing.
            pulse_seconds: yield it again after so long without a change; None never does.

        """
        job = await self.find(job_id)
        while job is not None:
            yield job
            if job.ended or self._changes.closed:
                return
            job = await self._next(job, pulse_seconds)

    async def _next(self, last: StoredJob, seconds: float | None) -> StoredJob | None:
        """Return a job once its state is another one than it was, or the time is up, or the store is closed."""
        with self._changes.of(last.id) as change:
            in_time, job = True, await self.find(last.id)
            while in_time and job is not None and job.state == last.state:
                change.seen(job.state)
                in_time = await change.wait(seconds)
                if self._changes.closed:
                    break
                job = await self.find(last.id)
        return job

    async def _first_free(self) -> JobWorker:
        for number in range(_MOST_WORKERS):
            worker = await self._take(f"worker-{number}")
            if worker is not None:
                return worker
        raise ToAPIsError(f"{self.directory} has {_MOST_WORKERS} workers, and all of them are running.")

    async def _take(self, name: str) -> JobWorker | None:
        """Take a worker's directory, and up what was left in it; None while its worker lives."""
        session = self._open_session(self._client, self.directory / name)
        try:
            await session.__aenter__()
        except JournalLockedError:
            return None
        worker = JobWorker(
            name, session, self._ledger, changed=self._changes.changed, retry_seconds=self._retry_seconds
        )
        self._workers[name] = worker
        for job_id in await self._ledger.unended(name):
            worker.make(job_id)
        return worker

    async def _adopt(self) -> None:
        """Take up what workers have left that died, and let go of their directories when it has ended."""
        while True:
            with _tried_again("Jobs of workers that have ended cannot be taken up"):
                for name in await self._ledger.workers() - self._workers.keys():
                    await self._take(name)
            for name, worker in list(self._workers.items()):
                if worker is not self._own and worker.idle and name not in await self._ledger.workers():
                    del self._workers[name]
                    await worker.aclose()
            await self._clock.sleep(self._adopt_seconds)

    async def _remove_old(self, keep_seconds: float) -> None:
        while True:
            with _tried_again("Old jobs cannot be removed"):
                await remove_ended(self._ledger, self.directory, before=self._clock.now() - keep_seconds)
            await self._clock.sleep(min(_REMOVE_SECONDS, max(1.0, keep_seconds)))

    async def _look_at_others(self) -> None:
        while True:
            await self._clock.sleep(self._poll_seconds)
            watched = [job_id for job_id in self._changes.watched if not self._is_here(job_id)]
            if watched:
                with _tried_again("Jobs of other workers cannot be looked at"):
                    for job_id, state in (await self._ledger.states(watched)).items():
                        self._changes.stands(job_id, state)

    def _is_here(self, job_id: str) -> bool:
        return any(job_id in worker for worker in self._workers.values())


@contextmanager
def _tried_again(what: str) -> Iterator[None]:
    """Log what the disk refuses for now: it is no reason to stop tending the rest."""
    try:
        yield
    except ToAPIsError as error:
        logger.warning("%s, and it is tried again later: %s", what, error)
