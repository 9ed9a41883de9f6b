"""One limit of an account that several workers spend.

The rate is that of one ``Bucket``, which hears everything that happened to anyone, in the order in which it happened.
Each worker is lent a part of the rate, and tokens that were left over. What it does not use comes back with its next
report; so in the long run all together spend what the bucket gains. See ``docs/flow.md#one-account-many-workers``.
"""

from collections.abc import Mapping
from math import ceil, floor, inf

import attrs

from toapis_async.policy.pace.pacing import Bucket
from toapis_async.policy.pace.priority import BULK_SHARE
from toapis_async.policy.pace.rate_limit_status import RateLimitStatus
from toapis_async.policy.pace.sharing.fair_shares import fair_shares
from toapis_async.policy.pace.sharing.leases import BudgetLease, BudgetReport, Happening, Heard

_IN_ORDER = 0.5  # seconds that the others' reports are waited for, so that events are heard in their order
_DRAIN = 0.5  # seconds in which a line should be served: a line of ten asks for twenty per second
_HEADROOM = 1.25  # of what a worker has sent lately: it can grow
_REPAY = 1.0  # seconds in which overspent tokens are saved again
_LEFT_PER_WORKER = 1.0  # tokens at the gateway; when it has fewer we go a little slower
_ON_LOAN = 0.1  # seconds between two reports, in which a part of the rate is spent unheard
_SLOWER = 0.05  # of a token per reply
_LEAST = 0.25  # of the rate, however many were overspent


@attrs.define(kw_only=True)
class Claim:
    """What one worker was lent.

    Attributes:
        at: when it reported last.
        held: tokens lent then, and not known to be spent.
        gained: tokens lent since, by the second.
        per_second: its part of the rate.
        interactive, bulk: its line.
        outstanding: requests of it that are out.
        window: how many of it may be out.
        pace: requests that it sent per second, lately.
        heard: how many of its events are known.

    """

    at: float
    held: float = 0.0
    gained: float = 0.0
    per_second: float = 0.0
    interactive: int = 0
    bulk: int = 0
    outstanding: int = 0
    window: float = 0.0
    pace: float = 0.0
    heard: int = 0

    @property
    def line(self) -> int:
        """Requests that wait there."""
        return self.interactive + self.bulk

    @property
    def urgent(self) -> float:
        """Tokens per second that it would use for interactive requests; the next one finds a token there."""
        reserve = max(0.0, 1.0 - self.held) if not self.line else 0.0
        return (self.interactive + reserve) / _DRAIN

    @property
    def demand(self) -> float:
        """Tokens per second that it would use."""
        return max(self.urgent, self.line / _DRAIN + _HEADROOM * self.pace)


@attrs.frozen
class Pending:
    """An event that waits for the others' reports.

    Attributes:
        heard: what happened, at the owner's time.
        leased_at: when the worker had got the lease under which it happened.

    """

    heard: Heard
    leased_at: float


@attrs.define(kw_only=True)
class SharedBudget:
    """See above; times are the owner's monotonic seconds.

    Attributes:
        bucket: rate, pauses and tokens that nobody was lent.
        at: the latest report.
        claims: by worker.
        pending: what was reported and waits for the others' reports.
        cut_at: when the rate was cut last, as every lease before that did not know.

    """

    bucket: Bucket
    at: float
    claims: dict[str, Claim] = attrs.field(factory=dict)
    pending: list[Pending] = attrs.field(factory=list)
    cut_at: float = -inf

    def settle(self, worker: str, report: BudgetReport, *, now: float, ahead: float) -> BudgetLease:
        """Take a report in, and lend anew.

        Args:
            worker: whose it is.
            report: what it says.
            now: the owner's time.
            ahead: seconds to add to a time in the report to make it the owner's.

        """
        self._flow(now)
        claim = self.claims.setdefault(worker, Claim(at=now))
        news = report.heard[max(0, claim.heard - report.first) :]
        sent = sum((event.what is Happening.SENT) - (event.what is Happening.UNSENT) for event in news)
        answered = sum(event.what not in {Happening.SENT, Happening.UNSENT} for event in news)
        elapsed = now - claim.at
        self.bucket.repay(claim.held + claim.gained - sent - report.held)
        if elapsed > 0.0:
            fresh = min(1.0, elapsed / _DRAIN)
            claim.pace += fresh * (max(0, sent) / elapsed - claim.pace)
        claim.heard = report.first + len(report.heard)
        leased_at, claim.at, claim.held, claim.gained = claim.at, now, report.held, 0.0
        claim.interactive, claim.bulk = report.interactive, report.bulk
        claim.outstanding = max(0, claim.outstanding + sent - answered)
        self.pending += [Pending(attrs.evolve(event, at=event.at + ahead), leased_at) for event in news]
        self._listen(now)
        return self._lend(worker, claim, now)

    def forget(self, worker: str, *, now: float, used_seconds: float) -> None:
        """Take back what a worker was lent.

        Args:
            worker: who is gone.
            now: the owner's time.
            used_seconds: for how long after its last report it may have gone on.

        """
        self._flow(now)
        claim = self.claims.pop(worker, None)
        if claim is None:
            return
        self.bucket.repay(max(0.0, claim.gained - claim.per_second * used_seconds))
        if not used_seconds:
            self.bucket.repay(claim.held)
        self._listen(now)
        for _ in range(claim.outstanding):
            self.bucket.on_no_answer()

    def lend_nothing(self, now: float) -> None:
        """Count what there is as spent, and what workers may spend of forgotten leases until they report again."""
        self.bucket.lend(max(0.0, self.bucket.spare(now)) + _ON_LOAN * self.bucket.per_second)

    def _flow(self, now: float) -> None:
        """Count what was lent by the second as gone."""
        elapsed = max(0.0, now - self.at)
        for claim in self.claims.values():
            gain = claim.per_second * elapsed
            if not claim.line:  # whoever is idle keeps one token, and reports when it begins
                gain = min(gain, max(0.0, 1.0 - claim.held - claim.gained))
            claim.gained += gain
            self.bucket.lend(gain)
        self.at = max(self.at, now)

    def _listen(self, now: float) -> None:
        """Let the bucket hear, in order, whatever happened before the oldest report of those who are busy.

        A refusal does not wait: whatever the others send until they know of it is known to be belated.
        """
        busy = [claim.at for claim in self.claims.values() if claim.line or claim.outstanding]
        until = max(now - _IN_ORDER, min(busy, default=now))
        if any(event.heard.what is Happening.REFUSED for event in self.pending):
            until = inf
        self.pending.sort(key=lambda event: event.heard.at)
        ready = sum(event.heard.at <= until for event in self.pending)
        for event in self.pending[:ready]:
            self._hear(event, now)
        del self.pending[:ready]

    def _hear(self, event: Pending, now: float) -> None:
        at, heard = min(event.heard.at, now), event.heard
        match heard.what:
            case Happening.SENT:
                self.bucket.on_sent(at, belated=event.leased_at < self.cut_at)
            case Happening.UNSENT:
                self.bucket.on_unsent()
            case Happening.SERVED:
                self._served(at, heard.status)
            case Happening.REFUSED:
                before = self.bucket.per_second
                self.bucket.on_refused(at, heard.retry_after_seconds)
                if self.bucket.per_second < before:
                    self.cut_at = now
            case Happening.SILENT:
                self.bucket.on_no_answer()

    def _served(self, at: float, status: RateLimitStatus | None) -> None:
        before = self.bucket.spare(at)
        self.bucket.on_success(at, status)
        found = self.bucket.spare(at) - before
        if found > 0.0:
            # What the gateway has left is partly lent already.
            self.bucket.lend(
                min(found, sum(claim.held + claim.per_second * _ON_LOAN for claim in self.claims.values()))
            )
        left = None if status is None else status.remaining
        if left is not None and left < _LEFT_PER_WORKER * len(self.claims):
            self.bucket.lend(_SLOWER)  # several are less even than one

    def _lend(self, worker: str, claim: Claim, now: float) -> BudgetLease:
        paused = self.bucket.paused_until - now
        if paused > 0.0:
            self.bucket.repay(claim.held)
            claim.held = claim.per_second = claim.window = 0.0
            return self._lease(claim, paused)
        wanted = max(1.0, claim.line)
        kept = min(claim.held, wanted)
        self.bucket.repay(claim.held - kept)
        others = sum(other.held for name, other in self.claims.items() if name != worker)
        spare = self.bucket.spare(now)
        full = max(0.0, self.bucket.burst - others - kept)
        if spare > full:
            self.bucket.lend(spare - full)
            spare = full
        rate = max(_LEAST * self.bucket.per_second, self.bucket.per_second + min(0.0, spare) / _REPAY)
        claim.per_second = shares_of(rate, self.claims)[worker]
        askers = sum(bool(other.line) for other in self.claims.values()) if claim.line else len(self.claims)
        claim.window = self._window_for(claim, askers, now)
        lump = max(0.0, min(wanted - kept, spare / len(self.claims)))
        self.bucket.lend(lump)
        claim.held = kept + lump
        return self._lease(claim, 0.0)

    def _window_for(self, claim: Claim, askers: int, now: float) -> float:
        """Give a part of the requests that may go before an answer is heard; while few may, whoever asks first."""
        left = self.bucket.window(now)
        if left == inf:
            return inf
        left -= sum(max(0.0, other.window - other.outstanding) for other in self.claims.values() if other is not claim)
        part = max(0.0, left) / askers
        return claim.outstanding + (ceil(part) if claim.line else floor(part))

    def _lease(self, claim: Claim, paused: float) -> BudgetLease:
        return BudgetLease(
            tokens=claim.held,
            window=claim.window,
            per_second=claim.per_second,
            account_per_second=self.bucket.per_second,
            paused_seconds=paused,
            known=self.bucket.known,
            counted=self.bucket.counted,
        )


def shares_of(rate: float, claims: Mapping[str, Claim]) -> dict[str, float]:
    """Divide a rate: interactive requests first, as far as bulk keeps its part, then all that is wanted, then the rest.

    Args:
        rate: requests per second.
        claims: by worker.

    """
    bulk = any(claim.bulk for claim in claims.values())
    urgent = fair_shares(rate * (1.0 - BULK_SHARE * bulk), {name: claim.urgent for name, claim in claims.items()})
    left = rate - sum(urgent.values())
    more = fair_shares(left, {name: claim.demand - urgent[name] for name, claim in claims.items()})
    over = max(0.0, left - sum(more.values())) / len(claims)
    return {name: urgent[name] + more[name] + over for name in claims}
