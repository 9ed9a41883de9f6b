"""Whoever keeps what the workers of an account share."""

from collections.abc import Callable
from typing import Protocol

import attrs

from toapis_async.policy.pace.sharing.leases import Lease, Report
from toapis_async.policy.pace.sharing.shared_account import Lives, SharedAccount
from toapis_async.values.limits import RateLimits
from toapis_async.wire.shared_account import account_bytes, account_from


@attrs.frozen(kw_only=True)
class Terms:
    """What a worker wants of the account.

    Attributes:
        limits: what to start with where nothing is known.
        fixed: whether they are never to be passed.
        max_in_flight: bound on the unfinished tasks of all workers together; None for none.

    """

    limits: RateLimits
    fixed: bool
    max_in_flight: int | None = None


class LeaseOwner(Protocol):
    """Takes a worker's report and lends it a part of the account: ``SharedAccount.settle``, one report at a time."""

    @property
    def process(self) -> str:
        """How other workers can see whether this one lives; empty where they cannot."""
        ...

    async def exchange(self, report: Report) -> Lease:
        """Hand in a report and get a lease.

        Raises:
            OSError: what is shared cannot be reached now, or not within a second or two.

        """
        ...

    async def aclose(self) -> None:
        """Let go of files and connections."""
        ...


OwnerMaker = Callable[[str, Terms], LeaseOwner]
"""Makes an owner for the account of that name."""


def settled(
    data: bytes | None, report: Report, terms: Terms, *, now: float, lives: Lives | None = None
) -> tuple[bytes, Lease]:
    """Take a report in where the state is kept as bytes.

    Args:
        data: the state; None where there is none.
        report: what a worker says.
        terms: what it wants.
        now: the time of the owner, in seconds that only rise and are the same for every worker.
        lives: see ``SharedAccount.settle``.

    Returns:
        The new state, and what the worker is lent.

    """
    account = account_from(data)
    # Unreadable, too old or for other limits: what was learned is worth less than a clean beginning.
    if account is None or not account.good_for(terms.limits, fixed=terms.fixed, now=now):
        account = SharedAccount.begin(terms.limits, fixed=terms.fixed, now=now)
    lease = account.settle(report, now=now, max_in_flight=terms.max_in_flight, lives=lives)
    return account_bytes(account), lease


def recalled(kept: bytes, *, now: float) -> bytes | None:
    """Go on with a copy of a state that was lost, which may lack the last reports.

    Args:
        kept: the copy.
        now: see ``settled()``.

    Returns:
        The state that can be gone on with; None where the copy cannot be read.

    """
    account = account_from(kept)
    if account is None:
        return None
    account.recall(now)
    return account_bytes(account)
