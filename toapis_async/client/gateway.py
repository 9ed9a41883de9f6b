"""What every call of one client shares: the way to the gateway, and what is known about it."""

import random as random_module
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import attrs

from toapis_async.client.dispatching import EventDispatcher
from toapis_async.client.limits import LimitWatch
from toapis_async.clock import Clock
from toapis_async.policy.money.asking import GracePeriods
from toapis_async.policy.money.retrying import RetryPolicy
from toapis_async.policy.requests.checker import RequestChecker
from toapis_async.policy.requests.validation import Validation
from toapis_async.policy.waiting.latency import LatencyBook, Watch
from toapis_async.policy.waiting.polling import Polling
from toapis_async.ports.completion import CompletionSource
from toapis_async.transport.loop_binding import LoopBinding
from toapis_async.transport.paced_transport import PacedTransport
from toapis_async.transport.port import Transport
from toapis_async.transport.rate_limiter import RateLimiter
from toapis_async.transport.with_retries import ask, ask_once
from toapis_async.values.catalogue import Catalogue
from toapis_async.values.exchange import HttpReply, HttpRequest
from toapis_async.values.files import Verify
from toapis_async.values.limits import INTERACTIVE
from toapis_async.values.tasks import GenerationTask, Kind
from toapis_async.wire.decoding import task_from
from toapis_async.wire.encoding import lookup
from toapis_async.wire.tasks import ids_in

T = TypeVar("T")


@attrs.define(kw_only=True, eq=False, repr=False)
class ClientIdTraits:
    """What the gateway has shown about lookups by ``client_business_id``: whether a miss proves anything.

    Attributes:
        keeps: True once a lookup found a task by one; False once a task that exists was not found by it.
        echoes: whether a reply has echoed one, a hint that lookups work and no proof.
        answered: whether any exchange has had a reply, which tells an outage from a wrong address.
        recent_task: the first accepted submission, to try a lookup on: reference, task id, kind, monotonic seconds.
        earlier_task: a task of an earlier run, to try one on: reference, task id, kind.

    """

    keeps: bool | None = None
    echoes: bool = False
    answered: bool = False
    recent_task: tuple[str, str, Kind, float] | None = None
    earlier_task: tuple[str, str, Kind] | None = None


@attrs.define(kw_only=True, eq=False, repr=False)
class Gateway:
    """The shared parts of a client; resources hold this, never the client itself.

    Attributes:
        transport: paced exchanges, for everything but submissions.
        unpaced: the same door without pacing, for submissions, which take their token before they are written down.
        rate_limiter: who lets requests through.
        clock, random: time and jitter.
        catalogue: what each model accepts and costs.
        validation: what happens to a request that the catalogue calls wrong.
        local: whether the gateway is on this machine, so that its addresses are too.
        polling: when to look.
        latencies: how long tasks take, learned.
        retries: the patience of a single call.
        grace: how long a miss proves nothing after a submission of unknown outcome.
        client_ids: what the gateway has shown about our references.
        events: brings what happens to whoever listens.
        completion: may tell of the end of a task before the next look.
        limits: tells of changes of the pace.
        checker: of requests against the catalogue.
        resume_references: whether a request with a reference of its own is looked for before its first POST.
        verify: how far files are looked into, unless a call says otherwise.
        warned_of: unknown models that the user was warned of; once each.
        loop: which event loop its sessions are in.

    """

    transport: Transport
    unpaced: Transport
    rate_limiter: RateLimiter
    clock: Clock
    random: random_module.Random
    catalogue: Catalogue
    validation: Validation
    local: bool
    polling: Polling
    latencies: LatencyBook
    retries: RetryPolicy
    grace: GracePeriods
    client_ids: ClientIdTraits
    events: EventDispatcher
    completion: CompletionSource
    limits: LimitWatch = attrs.field(init=False)
    checker: RequestChecker = attrs.field(init=False)
    resume_references: bool = False
    verify: Verify = "structure"
    warned_of: set[str] = attrs.field(factory=set)
    loop: LoopBinding = attrs.field(factory=LoopBinding)

    def __attrs_post_init__(self) -> None:
        self.limits = LimitWatch(self.rate_limiter)
        self.checker = RequestChecker(self.catalogue, allow_local=self.local)

    def view(
        self, transport: Transport, *, retries: RetryPolicy | None = None, polling: Polling | None = None
    ) -> "Gateway":
        """Return the same gateway, and everything that is known about it, over another transport.

        Args:
            transport: without pacing.
            retries, polling: None for the same.

        """
        view = attrs.evolve(
            self,
            transport=PacedTransport(transport, self.rate_limiter),
            unpaced=transport,
            retries=retries or self.retries,
            polling=polling or self.polling,
        )
        view.limits = self.limits
        return view

    async def ask(
        self,
        request: HttpRequest,
        read: Callable[[HttpReply], T],
        *,
        asked_for: str,
        retries: RetryPolicy | None = None,
    ) -> T:
        """Send a free request with the client's patience; see ``transport.with_retries.ask``."""
        return await ask(
            self.transport,
            request,
            read,
            asked_for=asked_for,
            retries=retries or self.retries,
            clock=self.clock,
            random=self.random,
        )

    async def look(self, name: str, kind: Kind) -> GenerationTask:
        """Look once at the task of that ``client_business_id``; whoever asks has to judge whose the answer is.

        Raises:
            ToAPIsError: this look failed; the task may be well.

        """
        reply = await ask_once(self.transport, lookup(name, kind=kind), asked_for=f"task {name}", clock=self.clock)
        return task_from(reply, kind=kind, asked=name)

    def looks_at(self, task: GenerationTask, *, priority: int = INTERACTIVE) -> Callable[[], Awaitable[GenerationTask]]:
        """Return what looks at that task once, each time that it is called.

        A look that fails raises ``ToAPIsError`` and says nothing about the task; one that brings another task is
        such a failure.
        """
        request = lookup(task.id, kind=task.kind, priority=priority)
        asked_for = f"task {task.id}"
        read = partial(task_from, kind=task.kind, asked=task.id, ours=ids_in(task))
        seen: tuple[bytes, GenerationTask] | None = None

        async def look() -> GenerationTask:
            nonlocal seen
            reply = await ask_once(self.transport, request, asked_for=asked_for, clock=self.clock)
            # Most looks at a task that goes on bring the same bytes again.
            if seen is None or seen[0] != reply.body:
                seen = reply.body, read(reply)
            return seen[1]

        return look

    async def retrieve(self, task_id: str, kind: Kind, *, retries: RetryPolicy | None = None) -> GenerationTask:
        """Look at a task, by its id or by ``client_business_id``, with the client's patience or another.

        Raises:
            ToAPIsError: it could not be asked for, or there is none.

        """
        return await self.ask(
            lookup(task_id, kind=kind),
            partial(task_from, kind=kind, asked=task_id, ours=frozenset()),
            asked_for=f"task {task_id}",
            retries=retries,
        )

    def watch(self, kind: Kind, model: str | None, resolution: str | None, polling: Polling | None = None) -> Watch:
        """Begin to wait for one task, on what is known of such tasks."""
        return self.latencies.watch(
            f"{kind}|{model or ''}|{resolution or ''}", polling or self.polling, looks=self.rate_limiter.looks_per_task
        )
