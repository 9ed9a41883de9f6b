"""The attempts of one single call: nothing is written down but the last reference, and everything is told."""

from collections.abc import Callable
from typing import Literal

import attrs

from toapis_async.client.gateway import Gateway
from toapis_async.client.limits import limit_of
from toapis_async.client.orphans import Caller
from toapis_async.errors import ToAPIsError
from toapis_async.policy.files.naming import client_business_id, item_key
from toapis_async.ports.events import AttemptBegun, AttemptSettled, Event, HeldUp
from toapis_async.values.limits import INTERACTIVE
from toapis_async.values.tasks import GenerationTask


@attrs.define(kw_only=True, eq=False, repr=False)
class SingleCall:
    """See ``client.submitting.Attempts``.

    Attributes:
        gateway: of the client.
        caller: who waits.
        run_id: makes its references its own.
        attempt: how many were begun.
        task: what was accepted, or None.

    """

    gateway: Gateway
    caller: Caller
    run_id: str
    attempt: int = 0
    task: GenerationTask | None = None

    @property
    def wanted(self) -> bool:
        """See ``Attempts.wanted``."""
        return self.caller.wanted

    @property
    def is_first(self) -> bool:
        """See ``Attempts.is_first``."""
        return self.attempt == 0

    async def begin(self) -> str:
        """See ``Attempts.begin``."""
        self.attempt += 1
        request = self.caller.request
        # A later owner of the job has to find the task by the bare reference, whichever attempt made it.
        number = 1 if self.gateway.resume_references else self.attempt
        name = client_business_id(self.run_id, item_key(request, 0), number, own=request.client_business_id)
        self.caller.client_business_id = name
        self.caller.under_way = True
        self.tell(AttemptBegun, client_business_id=name)
        return name

    def accepted(self, task: GenerationTask) -> None:
        """See ``Attempts.accepted``."""
        self.task = task
        self.tell(AttemptSettled, result="accepted")

    def not_accepted(self, error: ToAPIsError) -> None:
        """See ``Attempts.not_accepted``."""
        self.caller.under_way = False
        self.tell(AttemptSettled, result="not_accepted", error=error)

    @property
    def priority(self) -> int:
        """See ``Attempts.priority``; somebody waits for a single call, unless its request says otherwise."""
        wanted = self.caller.request.priority
        return INTERACTIVE if wanted is None else wanted

    async def ready(self) -> None:
        """See ``Attempts.ready``: single calls bound themselves."""

    def in_doubt(self, error: ToAPIsError) -> None:
        """See ``Attempts.in_doubt``."""
        self.tell(AttemptSettled, result="in_doubt", error=error)

    def held_up(self, error: ToAPIsError) -> float | None:
        """See ``Attempts.held_up``."""
        self.tell(HeldUp, limit=limit_of(error, self.gateway.rate_limiter), error=error)
        return None

    def waits_for(self, limit: Literal["rate", "in_flight"]) -> None:
        """See ``Attempts.waits_for``."""
        self.tell(HeldUp, limit=limit)

    def tell(self, event: Callable[..., Event], /, **facts: object) -> None:
        """Tell whoever listens."""
        self.gateway.events.tell(
            event,
            key=None,
            request=self.caller.request,
            task_id=None if self.task is None else self.task.id,
            attempt=self.attempt or None,
            **facts,
        )
