"""Submissions whose caller may go away before the gateway has answered.

A web request is cancelled, a time limit strikes: the POST is on its way all the same and will be charged. The client
owns it until its outcome is known, and hands over what came of it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TypeAlias

import attrs

from toapis_async.errors import ToAPIsError
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import GenerationTask

logger = logging.getLogger("toapis_async")

# Enough to look into after an incident; a hook is the way for whoever needs every one.
REMEMBERED = 1000


@attrs.frozen(kw_only=True)
class AbandonedSubmission:
    """A submission, or a wait, whose caller went away.

    Attributes:
        request: what was asked for.
        client_business_id: the reference of its last attempt, to ask the gateway about.
        task: the accepted task, which is paid for; None where nothing was accepted or it is not known.
        error: why there is no task, or None.

    """

    request: GenerationRequest = attrs.field(repr=False)
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
    """Owns running submissions and remembers abandoned ones.

    Args:
        on_abandoned: called on the event loop with each abandoned submission once its outcome is known; must not
            block. None only remembers and logs.

    """

    def __init__(self, on_abandoned: OnAbandoned | None = None) -> None:
        self._hook = on_abandoned
        self._running: set[asyncio.Task[GenerationTask]] = set()
        self.abandoned: deque[AbandonedSubmission] = deque(maxlen=REMEMBERED)

    async def run(self, caller: Caller, work: Coroutine[None, None, GenerationTask]) -> GenerationTask:
        """Run a submission; if the caller is cancelled, what is under way goes on and ends up with the hook.

        What is not under way (it stands in line, or waits to try again) ends with its caller.
        """
        running = asyncio.create_task(work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        try:
            # Waiting for it, unlike awaiting it, does not cancel it together with the caller.
            await asyncio.wait((running,))
        except asyncio.CancelledError:
            caller.wanted = False
            if not caller.under_way:
                running.cancel()
            if running.done():
                self._settle(caller, running)
            else:
                running.add_done_callback(lambda done: self._settle(caller, done))
            raise
        return running.result()

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
        """Wait for what is still on its way, then let go of what is only being asked about."""
        try:
            if self._running:
                await asyncio.wait(self._running, timeout=patience_seconds)
        finally:
            for running in self._running:
                running.cancel()
        if self._running:
            await asyncio.wait(self._running)
