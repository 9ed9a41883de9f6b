"""Who lets requests through, as the floors above see it."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from toapis_async.policy.pace.rate_limit_status import RateLimitStatus
from toapis_async.values.exchange import Purpose
from toapis_async.values.limits import INTERACTIVE


class RateLimiter(Protocol):
    """Holds requests back to what the account allows; everything in one client shares it.

    Each request: ``take_at_once()``, or else ``acquire()``; then exactly one of ``heard()``, when it was sent, and
    ``give_back()``, when it was not. Requests for the account (``Purpose.ACCOUNT``) are never held back.

    One limiter may serve several clients of one process. It is used on one event loop.
    """

    @property
    def submit_rate(self) -> float | None:
        """Submissions per second that are let through now; None for unlimited."""
        ...

    @property
    def query_rate(self) -> float | None:
        """Status queries per second that are let through now; None for unlimited."""
        ...

    def looks_per_task(self) -> float | None:
        """Give how many status queries per submitted task the limits allow in the long run; None for no bound."""
        ...

    def last_status(self, purpose: Purpose) -> RateLimitStatus | None:
        """Give what the latest reply for this purpose said about its limit; None when it said nothing."""
        ...

    def take_at_once(self, purpose: Purpose, priority: int = INTERACTIVE) -> bool:
        """Tell whether this request may go already, and count it if so; else ``acquire()`` has to be awaited."""
        ...

    async def acquire(self, purpose: Purpose, priority: int = INTERACTIVE) -> None:
        """Wait until this request may go; whoever is cancelled leaves the line at once and costs no token.

        Args:
            purpose: which of the account's budgets it spends.
            priority: 0 for interactive requests, which go first, 1 or more for bulk, which never starves.

        """
        ...

    def give_back(self, purpose: Purpose) -> None:
        """Hear that a request that was let through was not sent after all."""
        ...

    def heard(
        self,
        purpose: Purpose,
        http_status: int | None,
        headers: Mapping[str, str],
        retry_after_seconds: float | None = None,
    ) -> None:
        """Learn from the reply to a request that was let through.

        Args:
            purpose: as it was let through.
            http_status: of the reply; None when none came.
            headers: of the reply.
            retry_after_seconds: how long the gateway asked to wait, where the caller knows; None leaves that to the
                headers.

        """
        ...

    async def open(self) -> None:
        """Get ready: connect to what is shared. Harmless when repeated; ``acquire()`` does it where nobody has.

        Raises:
            ToAPIsError: what is shared cannot be reached.

        """
        ...

    async def aclose(self) -> None:
        """Hand back what was leased and not used, and let go of connections; the next ``open()`` begins anew."""
        ...


@runtime_checkable
class AccountLimits(Protocol):
    """A limiter that serves several accounts: each client asks it for its own account's."""

    def for_account(self, account: str) -> RateLimiter:
        """Give the limiter of an account.

        Args:
            account: a name that is the same in every process with the same address and key, and tells neither.

        """
        ...


class TaskHolder(Protocol):
    """Something that has tasks in flight, such as a session."""

    @property
    def in_use(self) -> int:
        """Places that it has taken."""
        ...

    @property
    def waiting(self) -> int:
        """Places that it would like to have besides."""
        ...

    def call_up(self) -> None:
        """Hear that there may be more places."""
        ...


class TaskPlaces(Protocol):
    """Bounds the tasks in flight of all holders together."""

    def join(self, holder: TaskHolder) -> None:
        """Count a holder in for as long as it exists."""
        ...

    def free(self) -> bool:
        """Tell whether one more task may be begun now; who asks in vain is called up later."""
        ...


@runtime_checkable
class BoundsTasks(Protocol):
    """A limiter that also bounds tasks in flight."""

    @property
    def places(self) -> TaskPlaces | None:
        """The bound; None for none."""
        ...
