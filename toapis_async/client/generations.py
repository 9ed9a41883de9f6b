"""The verbs that images and videos share: submit, retrieve, wait, generate, download."""

from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Generic, TypeVar

from toapis_async.client.checking import check
from toapis_async.client.dispatching import Tell
from toapis_async.client.downloading import Downloader
from toapis_async.client.finishing import Finish, checked_verify
from toapis_async.client.gateway import Gateway
from toapis_async.client.interrupting import Interruption, time_limit
from toapis_async.client.orphans import Caller, OrphanTracker
from toapis_async.client.saving import FileTarget
from toapis_async.client.sending import Encoding, submit_with_uploads
from toapis_async.client.single_call import SingleCall
from toapis_async.client.submitting import Submitter
from toapis_async.client.uploads import Uploads
from toapis_async.client.waiting import TaskWait, late_error
from toapis_async.errors import TaskTimeoutError
from toapis_async.policy.files.embedding import Provenance
from toapis_async.policy.files.naming import task_stem
from toapis_async.policy.files.templates import FileNaming, check_template
from toapis_async.policy.waiting.latency import Watch
from toapis_async.storage.files.sinks import Destination, opened
from toapis_async.values.files import FileBytes, SavedFile, Verify
from toapis_async.values.kinds import KINDS
from toapis_async.values.limits import INTERACTIVE
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import GenerationTask, Kind, TaskStatus
from toapis_async.wire.encoding import submission
from toapis_async.wire.failures import task_failed_error

# Of a time limit: the last look begins so much before it, so that its answer still counts.
_LAST_LOOK_SHARE, _LAST_LOOK_SECONDS = 0.1, 1.0

Request = TypeVar("Request", bound=GenerationRequest)


class Generations(Generic[Request]):
    """What ``client.images`` and ``client.videos`` have in common."""

    kind: ClassVar[Kind]

    def __init__(self, gateway: Gateway, *, uploads: Uploads, orphans: OrphanTracker, downloader: Downloader) -> None:
        self._gateway = gateway
        self._uploads = uploads
        self._orphans = orphans
        self._downloader = downloader
        self._submitter = Submitter(
            gateway=gateway, retries=gateway.retries, resume_references=gateway.resume_references
        )

    async def submit(self, request: Request) -> GenerationTask:
        """Submit a request and return the accepted task without waiting for it.

        Local references are uploaded first. If the caller is cancelled during the POST, the submission goes on until
        its outcome is known and ends up with the client's ``on_abandoned``. A reply that is lost is asked for, never
        sent again blindly.

        Args:
            request: what to make; checked against the catalogue before anything is sent.

        Raises:
            InvalidRequestError: it is wrong; nothing was sent, or the gateway refused it.
            SubmissionUnknownError: whether a task exists could not be found out.
            ToAPIsError: refused, or the gateway could not be reached; nothing was accepted.

        """
        with self._gateway.events.call("submit", request=request):
            check(request, self._gateway)
            return await self._submit(self._call(request))

    async def _submit(self, call: SingleCall, encoding: Encoding = submission) -> GenerationTask:
        request = call.caller.request
        work = submit_with_uploads(self._submitter, self._uploads, request, encoding, kind=self.kind, attempts=call)
        return await self._orphans.run(call.caller, work)

    def _call(self, request: GenerationRequest) -> SingleCall:
        run_id = f"{self._gateway.random.getrandbits(64):016x}"
        return SingleCall(gateway=self._gateway, caller=Caller(request=request), run_id=run_id)

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
            timeout_seconds: since now, for all of it; None for 15 minutes (images) or one hour (videos).

        Raises:
            TaskFailedError: the gateway gave it up.
            TaskTimeoutError: we stopped waiting, or the client was closed; it carries the task, which may still
                finish.
            ToAPIsError: the key is refused, or an id could not be looked up.

        """
        known = task
        if isinstance(known, str):
            known = GenerationTask(id=known, kind=self.kind, status=TaskStatus.UNRECOGNISED)
        with self._gateway.events.call("wait", task_id=known.id):
            return await self._wait(known, task, timeout_seconds)

    async def _wait(
        self, known: GenerationTask, task: GenerationTask | str, timeout_seconds: float | None
    ) -> GenerationTask:
        if timeout_seconds is None:
            return _completed(await self._waited(known, task, KINDS[self.kind].patience_seconds))
        done: GenerationTask | None = None
        async with time_limit(timeout_seconds, self._gateway.clock) as limit:
            done = await self._waited(known, task, timeout_seconds, limit)
        if done is None:
            raise late_error(known, timeout_seconds)
        return _completed(done)

    async def _waited(
        self, known: GenerationTask, asked: GenerationTask | str, seconds: float, limit: Interruption | None = None
    ) -> GenerationTask:
        """Wait for a task that was given, as far as it is known; one that is given by an id is looked up first."""
        begun = self._gateway.clock.monotonic()
        with self._orphans.waiting(known, limit=limit) as open_wait:
            if isinstance(asked, str):
                open_wait.task = known = await self.retrieve(asked)
            tell = partial(self._gateway.events.tell, task_id=known.id)
            watch = self._gateway.watch(self.kind, known.model, None)
            return await self._finished(known, watch, self._left(seconds, begun, limit), tell)

    def _left(self, seconds: float, begun: float, limit: Interruption | None) -> float:
        """Give the patience since now: all of it, or what the limit on the whole call has left but for a last look."""
        if limit is None:
            return seconds
        left = max(0.0, seconds - (self._gateway.clock.monotonic() - begun))
        return left - min(_LAST_LOOK_SHARE * left, _LAST_LOOK_SECONDS)

    async def _finished(
        self, task: GenerationTask, watch: Watch, patience_seconds: float, tell: Tell, priority: int = INTERACTIVE
    ) -> GenerationTask:
        gateway = self._gateway
        now = gateway.clock.monotonic()
        with TaskWait(gateway=gateway, task=task, watch=watch, accepted_at=now, tell=tell, priority=priority) as wait:
            return await wait.finished(patience_seconds)

    async def _generate(self, request: Request, timeout_seconds: float | None) -> GenerationTask:
        with self._gateway.events.call("generate", request=request):
            return await self._generated(request, timeout_seconds)

    async def _generated(self, request: Request, timeout_seconds: float | None) -> GenerationTask:
        check(request, self._gateway)
        call = self._call(request)
        if timeout_seconds is None:
            return _completed(await self._made(call, KINDS[self.kind].patience_seconds))
        task: GenerationTask | None = None
        async with time_limit(timeout_seconds, self._gateway.clock) as limit:
            task = await self._made(call, timeout_seconds, limit)
        if task is None:
            raise _limit_error(call, timeout_seconds)
        return _completed(task)

    async def _made(self, call: SingleCall, seconds: float, limit: Interruption | None = None) -> GenerationTask:
        """Submit and wait: for so many seconds since acceptance, or with a limit for so many altogether."""
        request, begun = call.caller.request, self._gateway.clock.monotonic()
        task = await self._submit(call)
        watch = self._gateway.watch(self.kind, request.model, getattr(request, "resolution", None))
        with self._orphans.waiting(task, request, limit):
            return await self._finished(task, watch, self._left(seconds, begun, limit), call.tell, call.priority)

    async def download(
        self,
        task: GenerationTask,
        directory: Destination,
        *,
        name: str | None = None,
        prompt: str = "",
        verify: Verify | None = None,
        embed_metadata: bool = False,
        seed: int | None = None,
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
            prompt: for ``{slug}`` and ``embed_metadata``, since tasks do not carry it.
            verify: ``"decode"`` decodes the pixels of pictures too (extra ``verify``); None for the client's.
            embed_metadata: whether PNG and JPEG files get prompt, model and seed written into them, and nothing else.
                Files that cannot have it, signed ones among them, stay as they are.
            seed: for ``embed_metadata``.

        Returns:
            the files, in the task's order.

        Raises:
            ConfigurationError: ``name`` names what there is not, or what decodes is not installed.
            TaskFailedError: the task failed, so there is nothing to fetch.
            IncompleteDownloadError: some files are saved, others could not be fetched.
            DownloadError: no file could be fetched; the task is paid for, so download again.
            StorageError: a file could not be kept.

        """
        if name is not None:
            check_template(name)
        how_far = checked_verify(verify or self._gateway.verify)
        with self._gateway.events.call("download", task_id=task.id):
            task = await self._ended(task)
            naming = None if name is None else self._naming(name, task, prompt)
            wanted = Provenance(prompt=prompt, model=task.model, seed=seed) if embed_metadata else None
            finish = Finish(verify=how_far, provenance=wanted)
            tell = partial(self._gateway.events.tell, task_id=task.id)
            async with opened(directory) as sink:
                target = FileTarget(sink=sink, stem=task_stem(task.id), naming=naming, finish=finish)
                return await self._downloader.save(task, target, fresh=lambda: self.retrieve(task.id), tell=tell)

    async def read(self, task: GenerationTask, *, verify: Verify | None = None) -> tuple[FileBytes, ...]:
        """Fetch a finished task's files into memory, verified as ``download()`` does, without touching the disk.

        Args:
            task: completed; an unfinished one is waited for.
            verify: as in ``download()``.

        Returns:
            the files, in the task's order.

        Raises:
            ConfigurationError: what decodes is not installed.
            TaskFailedError: the task failed, so there is nothing to fetch.
            DownloadError: a file could not be fetched; the task is paid for, so read again.

        """
        finish = Finish(verify=checked_verify(verify or self._gateway.verify))
        with self._gateway.events.call("read", task_id=task.id):
            task = await self._ended(task)
            tell = partial(self._gateway.events.tell, task_id=task.id)
            return await self._downloader.read(task, fresh=lambda: self.retrieve(task.id), finish=finish, tell=tell)

    async def _ended(self, task: GenerationTask) -> GenerationTask:
        return _completed(task if task.finished else await self.wait(task))

    def _naming(self, template: str, task: GenerationTask, prompt: str) -> FileNaming:
        dated = task.completed_at or task.created_at or datetime.fromtimestamp(self._gateway.clock.now(), UTC)
        date = dated.astimezone(UTC).date().isoformat()
        return FileNaming(template=template, id=task.id, model=task.model, date=date, prompt=prompt)


def _completed(task: GenerationTask) -> GenerationTask:
    if task.status is TaskStatus.FAILED:
        raise task_failed_error(task)
    return task


def _limit_error(call: SingleCall, seconds: float) -> TaskTimeoutError:
    """Make the error for a whole call that took too long."""
    if call.task is not None:
        return late_error(call.task, seconds)
    name = call.caller.client_business_id
    if not call.caller.under_way:
        return TaskTimeoutError(
            f"After {seconds:g} s nothing was accepted yet.", task=None, hint="It costs nothing; submit it again."
        )
    return TaskTimeoutError(
        f"After {seconds:g} s it was not known yet what came of submission {name}.",
        task=None,
        client_business_id=name,
        hint=f"It goes on, may be charged, and ends with on_abandoned. Ask for it: toapis status {name}. Do not submit "
        "it again.",
    )
