"""The verbs that images and videos share: submit, retrieve, wait, generate, download."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Generic, TypeVar

import attrs

from toapis_async.client.checking import check
from toapis_async.client.downloading import Downloader
from toapis_async.client.gateway import Gateway
from toapis_async.client.orphans import AbandonedSubmission, Caller, OrphanTracker
from toapis_async.client.saving import FileTarget
from toapis_async.client.submitting import Encode, Submitter
from toapis_async.client.uploads import Uploads
from toapis_async.client.waiting import Finish, wait_until_finished
from toapis_async.errors import InvalidRequestError, ToAPIsError
from toapis_async.policy.files.naming import client_business_id, item_key, task_stem
from toapis_async.policy.files.templates import FileNaming, check_template
from toapis_async.policy.waiting.latency import Watch
from toapis_async.storage.files.sinks import Destination, opened
from toapis_async.values.catalogue import Catalogue
from toapis_async.values.exchange import HttpRequest
from toapis_async.values.files import FileBytes, SavedFile
from toapis_async.values.kinds import KINDS
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import GenerationTask, Kind, TaskStatus
from toapis_async.wire.encoding import submission
from toapis_async.wire.failures import task_failed_error

_LONGEST_ANSWER_SECONDS = 1.0

Request = TypeVar("Request", bound=GenerationRequest)


@attrs.define(kw_only=True, eq=False, repr=False)
class SingleCall:
    """The attempts of one single call; nothing is written down but the last reference."""

    caller: Caller
    run_id: str
    attempt: int = 0

    @property
    def wanted(self) -> bool:
        """See ``Attempts.wanted``."""
        return self.caller.wanted

    async def begin(self) -> str:
        """See ``Attempts.begin``."""
        self.attempt += 1
        request = self.caller.request
        name = client_business_id(self.run_id, item_key(request, 0), self.attempt, own=request.client_business_id)
        self.caller.client_business_id = name
        self.caller.under_way = True
        return name

    def accepted(self, task: GenerationTask) -> None:
        """See ``Attempts.accepted``."""

    def not_accepted(self, error: ToAPIsError) -> None:
        """See ``Attempts.not_accepted``."""
        self.caller.under_way = False

    async def ready(self) -> None:
        """See ``Attempts.ready``: single calls bound themselves."""

    def in_doubt(self, error: ToAPIsError) -> None:
        """See ``Attempts.in_doubt``."""

    def held_up(self, error: ToAPIsError) -> float | None:
        """See ``Attempts.held_up``."""
        return None


class Generations(Generic[Request]):
    """What ``client.images`` and ``client.videos`` have in common."""

    kind: ClassVar[Kind]

    def __init__(self, gateway: Gateway, *, uploads: Uploads, orphans: OrphanTracker, downloader: Downloader) -> None:
        self._gateway = gateway
        self._uploads = uploads
        self._orphans = orphans
        self._downloader = downloader
        self._submitter = Submitter(gateway=gateway, retries=gateway.retries)

    async def submit(self, request: Request) -> GenerationTask:
        """Submit a request and return the accepted task without waiting for it.

        Local references are uploaded first. If the caller is cancelled, the submission goes on until its outcome is
        known and ends up with the client's ``on_abandoned``. A reply that is lost is asked for, never sent again
        blindly (gateway docs: create task; contract §5).

        Args:
            request: what to make; checked against the catalogue before anything is sent.

        Raises:
            InvalidRequestError: it is wrong; nothing was sent, or the gateway refused it.
            SubmissionUnknownError: whether a task exists could not be found out.
            ToAPIsError: refused, or the gateway could not be reached; nothing was accepted.

        """
        check(request, self._gateway)
        ready = await self._uploads.resolve(request)
        attempts = self._attempts(request)
        return await self._orphans.run(attempts.caller, self._send(request, ready, attempts))

    async def _send(self, request: Request, ready: GenerationRequest, attempts: SingleCall) -> GenerationTask:
        catalogue = self._gateway.catalogue
        try:
            return await self._submitter.submit(partial(_encode, ready, catalogue), self.kind, attempts)
        except InvalidRequestError as error:
            if not self._uploads.lost(error, request, ready):
                raise
        ready = await self._uploads.resolve(request)
        return await self._submitter.submit(partial(_encode, ready, catalogue), self.kind, attempts)

    async def _submit(self, request: GenerationRequest, encode: Encode) -> GenerationTask:
        attempts = self._attempts(request)
        return await self._orphans.run(attempts.caller, self._submitter.submit(encode, self.kind, attempts))

    def _attempts(self, request: GenerationRequest) -> SingleCall:
        return SingleCall(caller=Caller(request=request), run_id=f"{self._gateway.random.getrandbits(64):016x}")

    async def retrieve(self, task_id: str) -> GenerationTask:
        """Return a task as it stands now.

        Args:
            task_id: the gateway's id, or the ``client_business_id`` that it was submitted with.

        Raises:
            NotFoundError: the gateway has none under that id.
            ToAPIsError: it could not be asked.

        """
        return await self._gateway.retrieve(task_id, self.kind)

    async def wait(self, task: GenerationTask | str, *, timeout_seconds: float | None = None) -> GenerationTask:
        """Wait until a task is finished and return it, completed.

        Args:
            task: as returned by ``submit()``, or its id.
            timeout_seconds: since now; None for 15 minutes (images) or one hour (videos).

        Raises:
            TaskFailedError: the gateway gave it up.
            TaskTimeoutError: we stopped waiting; it carries the task, which may still finish.
            ToAPIsError: the key is refused, or an id could not be looked up.

        """
        if isinstance(task, str):
            task = await self.retrieve(task)
        return await self._wait(task, self._gateway.watch(self.kind, task.model, None), timeout_seconds)

    async def _wait(self, task: GenerationTask, watch: Watch, timeout_seconds: float | None) -> GenerationTask:
        gateway, clock = self._gateway, self._gateway.clock
        try:
            finish = await wait_until_finished(
                gateway.looks_at(task.id, self.kind),
                task,
                accepted_at=clock.monotonic(),
                plan=watch,
                patience_seconds=KINDS[self.kind].patience_seconds if timeout_seconds is None else timeout_seconds,
                clock=clock,
                random=gateway.random,
            )
            learn(watch, finish)
        finally:
            watch.gone()
        if finish.task.status is TaskStatus.FAILED:
            raise task_failed_error(finish.task)
        return finish.task

    async def _generate(self, request: Request, timeout_seconds: float | None) -> GenerationTask:
        task = await self.submit(request)
        try:
            return await self._wait(
                task,
                self._gateway.watch(self.kind, request.model, getattr(request, "resolution", None)),
                timeout_seconds,
            )
        except asyncio.CancelledError:
            self._orphans.add(
                AbandonedSubmission(request=request, client_business_id=task.client_business_id, task=task)
            )
            raise

    async def download(
        self, task: GenerationTask, directory: Destination, *, name: str | None = None, prompt: str = ""
    ) -> tuple[SavedFile, ...]:
        """Save a finished task's files, verified, under names made from its id.

        Each file is written under a temporary name, checked, synced and renamed. The key is never sent to a file
        host. A dead link leads to a fresh look at the task. A file that is there already and is another one is never
        replaced: ours becomes ``…~copy.png``.

        Args:
            task: completed; an unfinished one is waited for.
            directory: made if it is missing; or a ``Sink`` that is open.
            name: what the files are called, before number and extension: ``{id}``, ``{index}`` (from 1), ``{model}``,
                ``{size}`` (pixels), ``{date}`` (of the task, UTC), ``{slug}`` (first words of the prompt). What is
                not known is ``unknown``, and what some file system does not take becomes a dash. None for ``{id}``.
            prompt: for ``{slug}``, since tasks do not carry it.

        Returns:
            the files, in the task's order.

        Raises:
            ConfigurationError: ``name`` names what there is not.
            TaskFailedError: the task failed, so there is nothing to fetch.
            IncompleteDownloadError: some files are saved, others could not be fetched.
            DownloadError: no file could be fetched; the task is paid for, so download again.
            StorageError: a file could not be kept.

        """
        if name is not None:
            check_template(name)
        task = await self._completed(task)
        naming = None if name is None else self._naming(name, task, prompt)
        tell = partial(self._gateway.events.tell, task_id=task.id)
        async with opened(directory) as sink:
            target = FileTarget(sink=sink, stem=task_stem(task.id), naming=naming)
            return await self._downloader.save(task, target, fresh=lambda: self.retrieve(task.id), tell=tell)

    async def read(self, task: GenerationTask) -> tuple[FileBytes, ...]:
        """Fetch a finished task's files into memory, verified as ``download()`` does, without touching the disk.

        Args:
            task: completed; an unfinished one is waited for.

        Returns:
            the files, in the task's order.

        Raises:
            TaskFailedError: the task failed, so there is nothing to fetch.
            DownloadError: a file could not be fetched; the task is paid for, so read again.

        """
        task = await self._completed(task)
        tell = partial(self._gateway.events.tell, task_id=task.id)
        return await self._downloader.read(task, fresh=lambda: self.retrieve(task.id), tell=tell)

    async def _completed(self, task: GenerationTask) -> GenerationTask:
        if not task.finished:
            task = await self.wait(task)
        if task.status is TaskStatus.FAILED:
            raise task_failed_error(task)
        return task

    def _naming(self, template: str, task: GenerationTask, prompt: str) -> FileNaming:
        dated = task.completed_at or task.created_at or datetime.fromtimestamp(self._gateway.clock.now(), UTC)
        date = dated.astimezone(UTC).date().isoformat()
        return FileNaming(template=template, id=task.id, model=task.model, date=date, prompt=prompt)


def _encode(request: GenerationRequest, catalogue: Catalogue, client_business_id: str) -> HttpRequest:
    return submission(request, catalogue=catalogue, client_business_id=client_business_id)


def learn(watch: Watch, finish: Finish) -> None:
    """Add a finished wait to what is known about latencies."""
    task = finish.task
    if not task.completed or finish.looks == 0:
        return
    after, by = finish.after_seconds, finish.by_seconds
    if task.created_at and task.completed_at:
        # The gateway dates to the second: the truth lies within one second of the difference. It may have dated the
        # beginning before its answer came, from which we count. Dates that contradict the looks are not believed.
        took = (task.completed_at - task.created_at).total_seconds()
        low, high = max(after, took - 1.0 - _LONGEST_ANSWER_SECONDS), min(by, took + 1.0)
        if low < high:
            after, by = low, high
    if by > after:
        watch.finished(after, by)
