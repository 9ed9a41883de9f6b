"""Workers of one account, and its gateway, in virtual time."""

from random import Random

import pytest

from toapis_async.clock import SystemClock
from toapis_async.limits.leased_bucket import LeasedBucket
from toapis_async.policy.pace.rate_limit_status import RateLimitStatus
from toapis_async.policy.pace.sharing.leases import BudgetReport, Report
from toapis_async.policy.pace.sharing.shared_account import SharedAccount
from toapis_async.values.limits import RateLimits


class Steps(SystemClock):
    """Time that a test moves."""

    def __init__(self):
        self.time = 0.0

    def monotonic(self):
        return self.time


class Worker:
    """One that submits as much as it may, up to so many per second."""

    def __init__(self, name, town, wanted):
        self.name, self.wanted, self.town = name, wanted, town
        self.bucket = LeasedBucket(per_second=5.0, clock=town.clock, due=self.hurry)
        self.line, self.arrived, self.bulk = 0, 0.0, True
        self.accepted, self.refused, self.due_at, self.alive = [], 0, town.clock.time, True

    def hurry(self):
        self.due_at = min(self.due_at, self.town.clock.time + 0.02)

    def report(self):
        now = self.town.clock.time
        line = (0, self.line) if self.bulk else (self.line, 0)
        said = self.bucket.report(now, line)
        report = Report(worker=self.name, at=now, process=self.name, submit=said, query=BudgetReport())
        lease = self.town.account.settle(report, now=now, max_in_flight=None, lives=self.town.lives)
        self.bucket.leased(lease.submit, said, now)
        self.due_at = now + lease.report_seconds

    def step(self, seconds):
        now = self.town.clock.time
        self.arrived += seconds * self.wanted
        self.line = min(50, self.line + int(self.arrived))
        self.arrived -= int(self.arrived)
        if now >= self.due_at:
            self.report()
        while self.line and self.bucket.take(now) == 0.0:
            self.line -= 1
            status = self.town.status()
            if self.town.serves():
                self.accepted.append(now)
                self.bucket.on_success(now, status)
            else:
                self.refused += 1
                self.line += 1
                self.bucket.on_refused(now, None)


class Town:
    """A gateway with a token bucket, and the workers of one account."""

    def __init__(self, *, per_second=50.0, burst=50.0, headers=False, fixed=False, seed=0):
        self.clock, self.headers = Steps(), headers
        self.per_second, self.burst, self.tokens = per_second, burst, burst
        limits = RateLimits(submit_per_second=5.0, submit_burst=50, query_per_second=50.0, query_burst=500)
        if fixed:
            limits = RateLimits(
                submit_per_second=per_second, submit_burst=burst, query_per_second=50.0, query_burst=500
            )
        self.account = SharedAccount.begin(limits, fixed=fixed, now=0.0)
        self.workers, self.random, self.dead = [], Random(seed), set()

    def lives(self, process):
        return process not in self.dead

    def status(self):
        if not self.headers:
            return None
        return RateLimitStatus(limit=self.burst, remaining=max(0.0, self.tokens - 1.0) // 1.0)

    def serves(self):
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True

    def join(self, wanted=1000.0):
        worker = Worker(f"worker {len(self.workers)}", self, wanted)
        self.workers.append(worker)
        worker.report()
        return worker

    def kill(self, worker, *, seen=True):
        worker.alive = False
        if seen:
            self.dead.add(worker.name)

    def run(self, seconds, step=0.005):
        end = self.clock.time + seconds
        while self.clock.time < end:
            self.clock.time += step
            self.tokens = min(self.burst, self.tokens + step * self.per_second)
            alive = [worker for worker in self.workers if worker.alive]
            for worker in self.random.sample(alive, len(alive)):
                worker.step(step)

    def accepted(self, since, until=None):
        until = self.clock.time if until is None else until
        return [sum(since <= at < until for at in worker.accepted) for worker in self.workers]


@pytest.fixture
def town():
    """Make a gateway; its workers join one by one."""
    return Town
