"""Everything that the workers of one account share, and what a report does to it."""

from collections.abc import Callable

import attrs

from toapis_async.policy.pace.pacing import Bucket
from toapis_async.policy.pace.sharing.fair_shares import whole_shares
from toapis_async.policy.pace.sharing.leases import LEASE_SECONDS, Lease, Report
from toapis_async.policy.pace.sharing.shared_budget import SharedBudget
from toapis_async.values.limits import RateLimits

_REPORT_SECONDS = 0.1
_REPORTS_PER_SECOND = 100.0  # of all workers together; more workers report less often
_LONGEST_REPORT = 1.0  # seconds; well below the length of a lease
_FORGET_SECONDS = 3600.0  # what was learned so long ago, with nobody there since, is learned again

Lives = Callable[[str], bool]
"""Whether a worker may still live, by the ``process`` that it reported."""


@attrs.define(kw_only=True)
class Worker:
    """One that shares the account.

    Attributes:
        at: when it reported last, in the owner's seconds.
        process: see ``Report.process``.
        in_flight, tasks_waiting: see ``Report``.
        tasks: how many it may have at the gateway.

    """

    at: float
    process: str = ""
    in_flight: int = 0
    tasks_waiting: int = 0
    tasks: int = 0


@attrs.define(kw_only=True)
class SharedAccount:
    """The shared state.

    Attributes:
        limits, fixed: what it began with.
        submit, query: the two limits.
        workers: by name.

    """

    limits: RateLimits
    fixed: bool
    submit: SharedBudget
    query: SharedBudget
    workers: dict[str, Worker] = attrs.field(factory=dict)

    @classmethod
    def begin(cls, limits: RateLimits, *, fixed: bool, now: float) -> "SharedAccount":
        """Make the state that nobody has reported to.

        Args:
            limits: what to start with.
            fixed: whether they are never to be passed, or a mere beginning.
            now: the owner's time.

        """
        submit, query = (
            SharedBudget(bucket=Bucket(per_second=rate, burst=burst, ceiling=rate if fixed else None, now=now), at=now)
            for rate, burst in (
                (limits.submit_per_second, limits.submit_burst),
                (limits.query_per_second, limits.query_burst),
            )
        )
        return cls(limits=limits, fixed=fixed, submit=submit, query=query)

    def good_for(self, limits: RateLimits, *, fixed: bool, now: float) -> bool:
        """Tell whether one who wants these limits may go on with it.

        Not when it was kept too long, or by a clock that was set back since. Those who are there keep theirs.
        """
        if not -1.0 <= now - self.submit.at <= _FORGET_SECONDS:
            return False
        there = any(now - worker.at <= LEASE_SECONDS for worker in self.workers.values())
        return there or (self.limits, self.fixed) == (limits, fixed)

    def settle(self, report: Report, *, now: float, max_in_flight: int | None, lives: Lives | None = None) -> Lease:
        """Take a report in, and lend anew.

        Args:
            report: what a worker says.
            now: the owner's time.
            max_in_flight: bound on the tasks of all together; None for none.
            lives: tells sooner than silence does that a worker is gone; None where nothing can.

        """
        now = max(now, self.submit.at)  # never back, whatever a server's clock does
        for name, worker in list(self.workers.items()):
            if name != report.worker and not self._alive(worker, now, lives):
                self._remove(name, now, used_seconds=self._report_seconds)
        worker = self.workers.setdefault(report.worker, Worker(at=now))
        worker.at, worker.process = now, report.process
        worker.in_flight, worker.tasks_waiting = report.in_flight, report.tasks_waiting
        ahead = now - report.at
        lease = Lease(
            submit=self.submit.settle(report.worker, report.submit, now=now, ahead=ahead),
            query=self.query.settle(report.worker, report.query, now=now, ahead=ahead),
            tasks=None if max_in_flight is None else self._tasks_for(report.worker, max_in_flight),
            report_seconds=self._report_seconds,
            workers=len(self.workers),
        )
        if report.leaving:
            self._remove(report.worker, now, used_seconds=0.0)
        return lease

    def recall(self, now: float) -> None:
        """Make a copy of a lost state safe to go on with: what was learned holds, and there is nothing left to lend.

        What workers have spent since the copy is not known, so each joins anew, and what it then says that it has
        sent or holds is taken from what the account gains from now on.

        Args:
            now: the owner's time.

        """
        now = max(now, self.submit.at)
        for name in list(self.workers):
            self._remove(name, now, used_seconds=LEASE_SECONDS)
        for budget in (self.submit, self.query):
            budget.lend_nothing(now)

    @property
    def _report_seconds(self) -> float:
        return min(_LONGEST_REPORT, max(_REPORT_SECONDS, len(self.workers) / _REPORTS_PER_SECOND))

    def _alive(self, worker: Worker, now: float, lives: Lives | None) -> bool:
        return now - worker.at <= LEASE_SECONDS and (lives is None or not worker.process or lives(worker.process))

    def _remove(self, name: str, now: float, *, used_seconds: float) -> None:
        del self.workers[name]
        self.submit.forget(name, now=now, used_seconds=used_seconds)
        self.query.forget(name, now=now, used_seconds=used_seconds)

    def _tasks_for(self, name: str, max_in_flight: int) -> int:
        """Lend places for tasks: a fair part of all, as soon as the others have given back what is above theirs."""
        wanted = {other: worker.in_flight + worker.tasks_waiting for other, worker in self.workers.items()}
        worker = self.workers[name]
        taken = sum(max(other.tasks, other.in_flight) for other in self.workers.values() if other is not worker)
        fair = whole_shares(max_in_flight, wanted)[name]
        worker.tasks = max(worker.in_flight, min(fair, max_in_flight - taken))
        return worker.tasks
