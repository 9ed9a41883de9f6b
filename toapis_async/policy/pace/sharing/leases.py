"""What a worker reports of itself, and what it is lent. Times are the worker's own monotonic seconds."""

from enum import Enum

import attrs

from toapis_async.policy.pace.rate_limit_status import RateLimitStatus

LEASE_SECONDS = 3.0
"""For how long a lease holds; a worker that is not heard of for so long has lost it."""


class Happening(Enum):
    """What can become of a token."""

    SENT = "sent"
    UNSENT = "unsent"
    SERVED = "served"
    REFUSED = "refused"
    SILENT = "silent"


@attrs.frozen
class Heard:
    """Something that happened to a request.

    Attributes:
        at: when.
        what: see ``Happening``.
        status: what the reply said about the limit; None when it said nothing.
        retry_after_seconds: how long the gateway asked to wait; None when it did not.

    """

    at: float
    what: Happening
    status: RateLimitStatus | None = None
    retry_after_seconds: float | None = None


@attrs.frozen(kw_only=True)
class BudgetReport:
    """One worker's view of one limit.

    Attributes:
        held: tokens that it has and has not spent.
        interactive, bulk: requests in its line, by class.
        first: number of the first of ``heard``, counted from the worker's beginning: a report that is sent again
            counts once.
        heard: what happened since the last report that was answered.

    """

    held: float = 0.0
    interactive: int = 0
    bulk: int = 0
    first: int = 0
    heard: tuple[Heard, ...] = ()


@attrs.frozen(kw_only=True)
class Report:
    """What a worker says of itself.

    Attributes:
        worker: its name, which no other has.
        at: its clock, as it wrote this.
        process: how others can see whether it lives; empty where only its reports tell.
        submit, query: see ``BudgetReport``.
        in_flight, tasks_waiting: tasks that it has at the gateway, and tasks that would like to be.
        leaving: whether it is its last report: it keeps nothing.

    """

    worker: str
    at: float
    process: str = ""
    submit: BudgetReport = BudgetReport()
    query: BudgetReport = BudgetReport()
    in_flight: int = 0
    tasks_waiting: int = 0
    leaving: bool = False


@attrs.frozen(kw_only=True)
class BudgetLease:
    """What a worker may spend of one limit until its lease ends.

    Attributes:
        tokens: what it has now, in place of what it held.
        per_second: what it gains.
        window: how many requests of it may be out; one more after each good answer.
        account_per_second: what the whole account gains.
        paused_seconds: for how long nothing may go.
        known, counted: see ``policy.pace.pacing.Bucket``.

    """

    tokens: float
    per_second: float
    window: float
    account_per_second: float
    paused_seconds: float = 0.0
    known: bool = False
    counted: bool = True


@attrs.frozen(kw_only=True)
class Lease:
    """The answer to a report.

    Attributes:
        submit, query: see ``BudgetLease``.
        tasks: how many tasks the worker may have at the gateway; None for no shared bound.
        report_seconds: when to report again, while there is something to do.
        workers: how many share the account.

    """

    submit: BudgetLease
    query: BudgetLease
    tasks: int | None
    report_seconds: float
    workers: int
