"""From a request to an accepted task: at most one charge, whatever happens on the way.

One attempt is one POST with its own ``client_business_id``. What is known after it decides what happens next; see
``policy.money.delivery``. Nothing is ever sent again while an earlier attempt may have been accepted.
"""

from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

import anyio
import attrs

from toapis_async.client.asking import find_submission, unknown_error
from toapis_async.client.earlier_submissions import EarlierSubmissions
from toapis_async.client.first_submissions import FirstSubmissions
from toapis_async.client.gateway import Gateway
from toapis_async.errors import (
    APIConnectionError,
    APIStatusError,
    InvalidRequestError,
    ToAPIsError,
)
from toapis_async.policy.money.asking import Verdict, grace_seconds
from toapis_async.policy.money.delivery import Knowledge, knowledge_of
from toapis_async.policy.money.retrying import RetryPolicy, may_send_again, retry_seconds
from toapis_async.ports.events import Event
from toapis_async.values.exchange import HttpRequest, Purpose
from toapis_async.values.tasks import GenerationTask, Kind, TaskStatus
from toapis_async.wire.decoding import task_from
from toapis_async.wire.failures import error_from
from toapis_async.wire.json_objects import unreadable

OnUnknown: TypeAlias = Literal["report", "resubmit"]
Encode: TypeAlias = Callable[[str], HttpRequest]

# A gateway that loses every reply would keep one item busy for ever; after so many it has failed, with nothing charged.
MOST_DOUBTS = 8


class NotSentError(ToAPIsError):
    """The caller went away before anything was sent. Never reaches a user."""


class Attempts(Protocol):
    """Where a submission's attempts are named and written down."""

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits for the result; otherwise no further attempt is made."""
        ...

    @property
    def is_first(self) -> bool:
        """Whether no attempt of it is known here yet."""
        ...

    @property
    def priority(self) -> int:
        """Where they stand in the line of the rate limiter: 0 interactive, 1 bulk."""
        ...

    async def ready(self) -> None:
        """Wait until one more task may be in flight."""
        ...

    async def begin(self) -> str:
        """Write down that the next attempt is about to be sent; return its fresh ``client_business_id``.

        From here to ``accepted()``, ``not_accepted()`` or ``in_doubt()`` nothing may interrupt: whoever owns the task
        holds its cancellation back.
        """
        ...

    def accepted(self, task: GenerationTask) -> None:
        """Write down that the gateway has it."""
        ...

    def not_accepted(self, error: ToAPIsError) -> None:
        """Write down that this attempt has made no task, and why."""
        ...

    def in_doubt(self, error: ToAPIsError) -> None:
        """Hear that the gateway may have it, since the exchange broke."""
        ...

    def held_up(self, error: ToAPIsError) -> float | None:
        """Hear that the gateway asked to come back later, or could not be reached.

        Returns:
            how long to wait, in seconds, or None to leave that to the retry policy.

        """
        ...

    def waits_for(self, limit: Literal["rate", "in_flight"]) -> None:
        """Hear that it has to wait for its turn under a limit that we keep to."""
        ...

    def tell(self, event: Callable[..., Event], /, **facts: object) -> None:
        """Tell whoever listens of something else that happened meanwhile."""
        ...


@attrs.define(kw_only=True)
class Submitter:
    """Submits, again and again if that is safe.

    Attributes:
        gateway: the client's shared parts.
        retries: how patient to be with refusals for now.
        on_unknown: what to do where it cannot be found out whether a task exists.
        one_ahead: whether the first submission goes alone until it is answered, so that a key that is refused costs
            one refusal and not one for each that was ready.
        resume_references: whether a request with a ``client_business_id`` of its own may have been sent before: its
            task is then looked for before its first POST, and every attempt keeps the reference.

    """

    gateway: Gateway
    retries: RetryPolicy
    on_unknown: OnUnknown = "report"
    one_ahead: bool = False
    resume_references: bool = False
    _first: anyio.Event | None = attrs.field(default=None, init=False, repr=False)
    _earlier: EarlierSubmissions = attrs.field(
        init=False,
        repr=False,
        default=attrs.Factory(lambda self: EarlierSubmissions(gateway=self.gateway), takes_self=True),
    )
    _unanswered: FirstSubmissions = attrs.field(
        init=False,
        repr=False,
        default=attrs.Factory(lambda self: FirstSubmissions(gateway=self.gateway), takes_self=True),
    )

    async def resume(self, reference: str | None, kind: Kind, attempts: Attempts) -> GenerationTask | None:
        """Return the task that an earlier owner of the job has submitted under the user's own reference, or None.

        Raises:
            SubmissionUnknownError: whether there is one could not be found out.

        """
        if not self.resume_references or reference is None or not attempts.is_first:
            return None
        task = await self._earlier.find(reference, kind, resubmit=self.on_unknown == "resubmit")
        if task is not None:
            await attempts.ready()
            await attempts.begin()
            attempts.accepted(task)
        return task

    async def submit(self, encode: Encode, kind: Kind, attempts: Attempts) -> GenerationTask:
        """Return the accepted task.

        Args:
            encode: makes the POST for a given ``client_business_id``; all references are addresses by now.
            kind: of task.
            attempts: where each attempt is written down.

        Raises:
            ToAPIsError: refused for good, or for longer than the patience lasts; nothing was accepted.
            SubmissionUnknownError: it cannot be found out whether a task exists.

        """
        clock = self.gateway.clock
        start = clock.monotonic()
        retries = doubts = 0
        while True:
            await attempts.ready()
            try:
                result = await self._attempt(encode, kind, attempts, await self._turn(attempts))
            finally:
                self._unanswered.ended(attempts)
                self._let_others_follow()
            if isinstance(result, GenerationTask):
                return result
            if not may_send_again(knowledge_of(result)):
                # It was unknown, and asking has proved that nothing came of it.
                doubts += 1
                if doubts > MOST_DOUBTS:
                    raise result
                continue
            # An answer, even a refusal, shows that the gateway is there: patience with silence begins anew.
            if not isinstance(result, APIConnectionError):
                start = clock.monotonic()
            delay = attempts.held_up(result)
            if delay is None:
                delay = self._delay(result, retries, clock.monotonic() - start)
            if delay is None:
                raise result
            retries += 1
            # Nobody waits any more: go round at once, where the next turn ends it with "not sent".
            if attempts.wanted:
                await clock.sleep(delay)

    async def _turn(self, attempts: Attempts) -> str:
        """Wait until an attempt may be sent; return its ``client_business_id``."""
        limiter = self.gateway.rate_limiter
        if not limiter.take_at_once(Purpose.SUBMIT, attempts.priority):
            attempts.waits_for("rate")
            await limiter.acquire(Purpose.SUBMIT, attempts.priority)
        try:
            await self._let_one_ahead(attempts)
            return await self._begin(attempts)
        except BaseException:
            limiter.give_back(Purpose.SUBMIT)
            raise

    async def _begin(self, attempts: Attempts) -> str:
        if not attempts.wanted:
            raise NotSentError("Nobody waits for this submission any more; it was not sent.")
        return await attempts.begin()

    async def _let_one_ahead(self, attempts: Attempts) -> None:
        if not self.one_ahead or self.gateway.client_ids.recent_task is not None:
            return
        if self._first is None:
            self._first = anyio.Event()
        elif not self._first.is_set():
            await self._first.wait()
        # After the first: while no reply at all could be read, each further submission may be paid for nothing.
        await self._unanswered.admit(attempts)

    def ended(self, reference: str | None) -> None:
        """Hear that the submission of a request with that reference of the user's has ended, in whatever way."""
        if reference is not None:
            self._earlier.ended(reference)

    def _let_others_follow(self) -> None:
        if self._first is not None:
            self._first.set()

    def _delay(self, failure: ToAPIsError, retries: int, elapsed_seconds: float) -> float | None:
        policy = self.retries
        if failure.lasting and (policy.max_retries is not None or not self.gateway.client_ids.answered):
            return None  # a long run rides out what comes over it; everybody else is told at once
        if not self.gateway.client_ids.answered:
            # Most likely a wrong address or no network at all: say so soon.
            policy = RetryPolicy(max_retries=min(2, 2 if policy.max_retries is None else policy.max_retries))
        return retry_seconds(
            policy,
            retries=retries,
            elapsed_seconds=elapsed_seconds,
            retry_after_seconds=getattr(failure, "retry_after_seconds", None),
            random=self.gateway.random,
        )

    async def _attempt(
        self, encode: Encode, kind: Kind, attempts: Attempts, client_business_id: str
    ) -> GenerationTask | ToAPIsError:
        """Make one attempt: the task, or the error after which another attempt is safe."""
        try:
            task = await self._post(encode, client_business_id, kind, attempts)
        except ToAPIsError as error:
            # Its traceback holds this frame, and this frame would hold it: a circle for each refusal.
            failure = error.with_traceback(None)
        else:
            self._learn(task, client_business_id)
            attempts.accepted(task)
            return task
        knowledge = knowledge_of(failure)
        if knowledge in {Knowledge.NEVER_DELIVERED, Knowledge.REFUSED_FOR_NOW, Knowledge.REFUSED}:
            attempts.not_accepted(failure)
        elif knowledge is Knowledge.UNKNOWN:
            attempts.in_doubt(failure)
        if knowledge is Knowledge.REFUSED:
            raise failure
        # A refusal that names a task is an acceptance; settle() believes it without asking.
        if knowledge in {Knowledge.UNKNOWN, Knowledge.ACCEPTED}:
            return await self.settle(
                failure, client_business_id, kind, attempts, resubmit=self.on_unknown == "resubmit"
            )
        return failure

    async def _post(self, encode: Encode, client_business_id: str, kind: Kind, attempts: Attempts) -> GenerationTask:
        try:
            return await self._exchange(encode, client_business_id, kind)
        finally:
            self.gateway.limits.tell_change(attempts.tell)

    async def _exchange(self, encode: Encode, client_business_id: str, kind: Kind) -> GenerationTask:
        try:
            # Unpaced: its turn was taken before the intent was written, so that no time passes between intent and POST.
            reply = await self.gateway.unpaced.send(encode(client_business_id))
        except BaseException:
            self.gateway.rate_limiter.heard(Purpose.SUBMIT, None, {})
            raise
        finally:
            self._let_others_follow()
        self.gateway.client_ids.answered = True
        if 200 <= reply.http_status < 300:
            self.gateway.rate_limiter.heard(Purpose.SUBMIT, reply.http_status, reply.headers, None)
            task = task_from(reply, kind=kind)
            if self.gateway.client_ids.echoes and task.client_business_id not in {None, client_business_id}:
                # An answer to another submission, such as a stored one: ours may have been charged as well.
                raise unreadable(reply, promised="the task of this submission")
            return task
        error = error_from(reply, asked_for="the submission", now=self.gateway.clock.now())
        self.gateway.rate_limiter.heard(
            Purpose.SUBMIT, reply.http_status, reply.headers, getattr(error, "retry_after_seconds", None)
        )
        raise error

    def _learn(self, task: GenerationTask, client_business_id: str) -> None:
        traits = self.gateway.client_ids
        # That the reference comes back does not prove that a lookup by it works; only a lookup does.
        if task.client_business_id == client_business_id:
            traits.echoes = True
        if traits.recent_task is None:
            traits.recent_task = (client_business_id, task.id, task.kind, self.gateway.clock.monotonic())

    async def settle(
        self,
        failure: ToAPIsError,
        client_business_id: str,
        kind: Kind,
        attempts: Attempts,
        *,
        resubmit: bool = False,
    ) -> GenerationTask | ToAPIsError:
        """Find out what became of an attempt: its task, or the failure once nothing can have come of it.

        Raises:
            SubmissionUnknownError: neither could be shown.

        """
        if isinstance(failure, APIStatusError | InvalidRequestError) and failure.task_id:
            task = GenerationTask(id=failure.task_id, kind=kind, status=TaskStatus.UNRECOGNISED)
            attempts.accepted(task)
            return task
        found = await find_submission(
            self.gateway,
            client_business_id,
            kind,
            grace_seconds=grace_seconds(failure, self.gateway.grace),
        )
        if isinstance(found, GenerationTask):
            attempts.accepted(found)
            return found
        if not self.gateway.client_ids.answered:
            self._unanswered.given_up += 1
        if found is Verdict.NOT_ACCEPTED or (resubmit and attempts.wanted):
            attempts.not_accepted(failure)
            return failure
        raise unknown_error(failure, client_business_id) from failure
