"""Submissions and waits whose caller may go away while money is on the way.

A web request is cancelled, a time limit strikes, the client is closed: a POST that is under way will be charged all
the same, and a task that is waited for is paid already. The client owns both until it is known what came of them, and
hands them over.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Self, TypeAlias

import attrs

from toapis_async.client.interrupting import Interruption
from toapis_async.errors import APIConnectionError, ConfigurationError, Delivery, TaskTimeoutError, ToAPIsError
from toapis_async.shielding import wait_shielded
from toapis_async.transport.loop_binding import LoopBinding
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import GenerationTask

logger: logging.Logger = logging.getLogger("toapis_async")

# Enough to look into after an incident; a hook is the way for whoever needs every one.
REMEMBERED = 1000


@attrs.frozen(kw_only=True)
class AbandonedSubmission:
    """A submission, or a wait, whose caller went away, or whose client was closed.

    Attributes:
        request: what was asked for; None for a wait for a task that was given.
        client_business_id: the reference of its last attempt, to ask the gateway about; None where it is not known.
        task: the accepted task, which is paid for; None where nothing was accepted or it is not known.
        error: why there is no task, or None.

    """

    request: GenerationRequest | None = attrs.field(repr=False)
    client_business_id: str | None
    task: GenerationTask | None
    error: ToAPIsError | None = None


OnAbandoned: TypeAlias = Callable[[AbandonedSubmission], None]


@attrs.define(kw_only=True, eq=False, repr=False)
class Caller:
    """Whoever waits for a submission, and what has been sent for it so far.

    Attributes:
        request: what was asked for.
        wanted: whether somebody still waits.
        client_business_id: the reference of the last attempt; None before the first.
        under_way: whether the gateway may have, or get, the last attempt; otherwise nothing is lost by ending at once.

    """

    request: GenerationRequest
    wanted: bool = True
    client_business_id: str | None = None
    under_way: bool = False


class OrphanTracker:
    """Owns running submissions, knows the waits, and remembers what was abandoned.

    Args:
        on_abandoned: called on the event loop with each abandoned submission once its outcome is known; must not
            block. None only remembers and logs.

    """

    def __init__(self, on_abandoned: OnAbandoned | None = None) -> None:
        self._hook = on_abandoned
        self._binding = LoopBinding()
        self._running: set[asyncio.Task[GenerationTask]] = set()
        self.waits: set[OpenWait] = set()
        self.closed: bool = False
        self.abandoned: deque[AbandonedSubmission] = deque(maxlen=REMEMBERED)

    async def run(self, caller: Caller, work: Coroutine[None, None, GenerationTask]) -> GenerationTask:
        """Run a submission, in a copy of the caller's context.

        If the caller is cancelled while nothing of it can be at the gateway, it ends too; otherwise it goes on and
        ends up with the hook.

        Raises:
            APIConnectionError: the client was closed before its outcome was known.
            ConfigurationError: the client is in use in another event loop; nothing was sent.

        """
        try:
            self.follow_loop()
        except ConfigurationError:
            work.close()
            raise
        # A task of the client's own: a caller's cancellation ends the waiting, and not what may be charged.
        running = asyncio.create_task(work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        try:
            # Waiting for it, unlike awaiting it, does not cancel it together with the caller.
            await asyncio.wait((running,))
        except asyncio.CancelledError:
            caller.wanted = False
            # Nothing is at the gateway and nobody wants it there any more.
            if not caller.under_way:
                running.cancel()
            if running.done():
                self._settle(caller, running)
            else:
                running.add_done_callback(lambda done: self._settle(caller, done))
            raise
        if running.cancelled():
            raise _closed_while_sending(caller)
        return running.result()

    def follow_loop(self) -> None:
        """Forget what an event loop that has stopped can end no more; never stand in two that run."""
        if self._binding.moved():
            self._running.clear()
            self.waits.clear()

    def waiting(
        self, task: GenerationTask, request: GenerationRequest | None = None, limit: Interruption | None = None
    ) -> "OpenWait":
        """Return the context of a wait: cut short from outside, but for *limit*, it hands its task over."""
        return OpenWait(self, task, request, limit)

    def add(self, submission: AbandonedSubmission) -> None:
        """Remember an abandoned submission and tell the hook."""
        self.abandoned.append(submission)
        logger.warning(
            "The caller of a generation went away; task %s, client_business_id %s",
            submission.task.id if submission.task else None,
            submission.client_business_id,
        )
        if self._hook is not None:
            try:
                self._hook(submission)
            except Exception:
                # Raised here, it would take the place of the caller's own cancellation.
                logger.exception("on_abandoned broke")

    def _settle(self, caller: Caller, done: asyncio.Task[GenerationTask]) -> None:
        error = None if done.cancelled() else done.exception()
        # The reference is given with the first attempt.
        if caller.client_business_id is None:
            return  # nothing was ever sent
        task = None if done.cancelled() or error is not None else done.result()
        if error is not None and not isinstance(error, ToAPIsError):
            logger.error("An abandoned submission broke", exc_info=error)
            error = None
        self.add(
            AbandonedSubmission(
                request=caller.request, client_business_id=caller.client_business_id, task=task, error=error
            )
        )

    async def aclose(self, *, patience_seconds: float) -> None:
        """End every wait and hand its task over; wait for what is on its way, then let go of what is only asked about.

        A submission that is answered meanwhile, and whose caller would wait on, is handed over as well.
        """
        self.follow_loop()
        self.closed = True
        # A copy, since a wait that ends takes itself out.
        for wait in tuple(self.waits):
            wait.close()
        try:
            if self._running:
                await asyncio.wait(self._running, timeout=patience_seconds)
        finally:
            for running in self._running:
                running.cancel()
        await wait_shielded(tuple(self._running))


class OpenWait:
    """A wait for a task that is paid for; whatever ends it from outside, the tracker learns of the task.

    Args:
        tracker: whose.
        task: as last seen; may be replaced by a later look.
        request: what was asked for, or None.
        limit: ends the wait with an error that carries the task, so that nothing is handed over; or None.

    Raises:
        TaskTimeoutError: the client is closed; raised where the ``with`` begins or ends, and carries the task.

    """

    def __init__(
        self,
        tracker: OrphanTracker,
        task: GenerationTask,
        request: GenerationRequest | None,
        limit: Interruption | None,
    ) -> None:
        self.task = task
        self._tracker = tracker
        self._request = request
        self._limit = limit
        self._interruption = Interruption()
        self._handed_over = False

    def __enter__(self) -> Self:
        self._tracker.follow_loop()
        if self._tracker.closed:
            self._hand_over()
            raise _closed_while_waiting(self.task)
        self._interruption.__enter__()
        self._tracker.waits.add(self)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._tracker.waits.discard(self)
        self._interruption.__exit__(exc_type, exc, traceback)
        # Handed over in close() already, with what was known of the task by then.
        if self._interruption.struck:
            raise _closed_while_waiting(self.task) from None
        if exc_type is not None and issubclass(exc_type, asyncio.CancelledError) and not self._limited():
            self._hand_over()

    def _limited(self) -> bool:
        return self._limit is not None and self._limit.due

    def close(self) -> None:
        """End the wait because the client is closed."""
        self._hand_over()
        self._interruption.strike()

    def _hand_over(self) -> None:
        if not self._handed_over:
            self._handed_over = True
            self._tracker.add(
                AbandonedSubmission(
                    request=self._request, client_business_id=self.task.client_business_id, task=self.task
                )
            )


def _closed_while_waiting(task: GenerationTask) -> TaskTimeoutError:
    return TaskTimeoutError(
        f"The client was closed while task {task.id} was waited for.",
        task=task,
        hint=f"It goes on and is paid for: wait for it with another client (toapis status {task.id} --wait), do not "
        "submit it again.",
    )


def _closed_while_sending(caller: Caller) -> APIConnectionError:
    if not caller.under_way:
        return APIConnectionError("The client was closed before this was sent.", delivery=Delivery.NEVER)
    return APIConnectionError(
        "The client was closed before it was known what came of this submission.",
        delivery=Delivery.UNKNOWN,
        hint=f"It may have been charged. Ask for it: toapis status {caller.client_business_id}.",
    )
