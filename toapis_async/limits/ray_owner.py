"""Shares an account among the actors and drivers of a Ray cluster, through an actor of its own."""

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

from toapis_async.clock import Clock, SystemClock
from toapis_async.errors import ConfigurationError
from toapis_async.limits.lease_owner import Terms, recalled, settled
from toapis_async.policy.pace.sharing.leases import LEASE_SECONDS, Lease, Report

if TYPE_CHECKING:
    from ray.actor import ActorHandle

_NAMESPACE = "toapis_async"
_IDLE_SECONDS = 60.0
_LOOK_SECONDS = 5.0


class LimitsActor:
    """Keeps the shared state of one account; its process ends by itself once nobody reports any more.

    Its time is the wall clock's, so that another machine can go on with a copy of the state.

    Args:
        idle_seconds: for how long nobody reports before it ends.
        clock: for tests.

    """

    def __init__(self, idle_seconds: float = _IDLE_SECONDS, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._idle_seconds = idle_seconds
        self._state: bytes | None = None
        self._began_at = self._heard_at = self._clock.now()
        self._may_recall = True
        self._watch: asyncio.Task[None] | None = None

    async def exchange(self, report: Report, terms: Terms, kept: bytes | None) -> tuple[Lease, bytes]:
        """Take a report in.

        Args:
            report: what a worker says.
            terms: what it wants.
            kept: its copy of the state that an earlier actor had; None where it has met none, or this one before.

        Returns:
            What the worker is lent, and a copy of the state.

        """
        if self._watch is None:
            self._watch = asyncio.create_task(self._end_when_idle(), name="toapis-limits-idle")
            self._began_at = self._clock.now()
        now = self._heard_at = self._clock.now()
        # A newcomer may be here before those who remember; later what is known here is better than any copy.
        if kept is not None and self._may_recall and now - self._began_at <= LEASE_SECONDS:
            self._state, self._may_recall = recalled(kept, now=now) or self._state, False
        self._state, lease = settled(self._state, report, terms, now=now)
        return lease, self._state

    async def _end_when_idle(self) -> None:
        import ray  # noqa: PLC0415 - an extra

        while self._clock.now() - self._heard_at < self._idle_seconds:
            await self._clock.sleep(min(_LOOK_SECONDS, self._idle_seconds))
        ray.kill(ray.get_runtime_context().current_actor)


class RayOwner:
    """A ``LeaseOwner``: asks the account's actor, which whoever comes first starts, and again when it has died.

    Args:
        name: of the actor, to which a digest of the account is added.
        account: its name.
        terms: what this worker wants.
        idle_seconds: see ``LimitsActor``.

    Raises:
        ConfigurationError: this process belongs to no cluster.

    """

    process = ""

    def __init__(self, name: str, account: str, terms: Terms, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        import ray  # noqa: PLC0415 - an extra

        # Without this check the first call would start a cluster of its own, shared with nobody.
        if not ray.is_initialized():
            raise ConfigurationError(
                "SharedRateLimits.ray() is used in a process that belongs to no Ray cluster.",
                hint="Call ray.init() first, or make the client inside a Ray actor.",
            )
        self._name = f"{name}-{sha256(account.encode()).hexdigest()[:32]}"
        self._terms = terms
        self._idle_seconds = idle_seconds
        self._actor: ActorHandle | None = None
        self._finding: asyncio.Task[ActorHandle] | None = None
        self._kept: bytes | None = None

    async def exchange(self, report: Report) -> Lease:
        """See ``LeaseOwner.exchange``."""
        from ray.exceptions import RayError  # noqa: PLC0415 - an extra

        lease: Lease
        try:
            actor = self._actor or await self._found()
            kept = self._kept if self._actor is None else None
            lease, self._kept = await actor.exchange.remote(report, self._terms, kept)
        except RayError as error:
            self._actor = None
            raise ConnectionError("The actor that keeps the shared limits cannot be reached.") from error
        self._actor = actor
        return lease

    async def aclose(self) -> None:
        """See ``LeaseOwner.aclose``; the actor stays for others, and ends by itself when there are none."""
        if self._finding is not None:
            self._finding.cancel()
            await asyncio.wait([self._finding])
            if not self._finding.cancelled():
                self._finding.exception()  # whoever asked for the actor has heard of it

    async def _found(self) -> "ActorHandle":
        """Get the actor, alive; a start that takes longer than an exchange may is waited for by the next one."""
        if self._finding is None:
            self._finding = asyncio.create_task(self._find(), name="toapis-limits-actor")
        try:
            return await asyncio.shield(self._finding)
        finally:
            if self._finding.done():
                self._finding = None

    async def _find(self) -> "ActorHandle":
        actor = await asyncio.to_thread(self._get_or_start)
        await actor.__ray_ready__.remote()
        return actor

    def _get_or_start(self) -> "ActorHandle":
        import ray  # noqa: PLC0415 - an extra

        if not ray.is_initialized():
            raise ConnectionError("This process has left its Ray cluster.")
        kind = ray.remote(LimitsActor)
        options = {"name": self._name, "namespace": _NAMESPACE, "lifetime": "detached", "get_if_exists": True}
        return kind.options(**options, num_cpus=0, max_restarts=0).remote(self._idle_seconds)
