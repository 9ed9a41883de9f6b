"""A worker's part of a limit that several share."""

from collections import deque
from collections.abc import Callable
from math import inf

from toapis_async.clock import Clock
from toapis_async.policy.pace.adaptive_rate import RateChange
from toapis_async.policy.pace.pacing import Bucket
from toapis_async.policy.pace.rate_limit_status import RateLimitStatus
from toapis_async.policy.pace.sharing.leases import LEASE_SECONDS, BudgetLease, BudgetReport, Happening, Heard

_LONGEST_WAIT = 0.05  # seconds; a new lease may have come by then
_ASK_AGAIN = 0.02  # seconds; while a report is on its way
_UNANSWERED = 0.01  # seconds; while as many requests are out as may be
_LATE = 0.25  # seconds by which the event loop may be late without losing a token
_CAUTION = 0.8  # of the last known part of the rate, while the others cannot be heard
_UNKNOWN_PART = 0.25  # of the rate, where no part was ever known
_SLOWEST = 0.1  # requests per second
_CHANGES = 200  # kept


class LeasedBucket:
    """Tokens that were lent; stands where a ``Bucket`` does.

    What happens to a token is noted for the next report. While the shared state is out of reach the lease runs out,
    and then an ordinary ``Bucket`` takes over, which never passes the last known part of the rate.

    Args:
        per_second: what the whole account may do, until more is known.
        clock: the time.
        due: called when a report should not wait.

    """

    def __init__(self, *, per_second: float, clock: Clock, due: Callable[[], None]) -> None:
        self._clock = clock
        self._due = due
        self._account_per_second = per_second
        self._known, self._counted = False, True
        self._part = _UNKNOWN_PART * per_second
        self._alone: Bucket | None = None
        self._tokens = self._per_second = 0.0
        self._updated, self._until, self._paused_until = clock.monotonic(), -inf, -inf
        self._short = self._frozen = self._announced = False
        self._out, self._window = 0, 0.0
        self._first, self._heard = 0, list[Heard]()
        self.history: deque[RateChange] = deque(maxlen=_CHANGES)

    @property
    def per_second(self) -> float:
        """What the whole account may do; this worker's own part while the others cannot be heard."""
        return self._account_per_second if self._alone is None else self._alone.per_second

    @property
    def known(self) -> bool:
        """See ``Bucket.known``."""
        return self._known

    @property
    def counted(self) -> bool:
        """See ``Bucket.counted``."""
        return self._counted

    @property
    def alone(self) -> bool:
        """Whether the others cannot be heard."""
        return self._alone is not None

    @property
    def busy(self) -> bool:
        """Whether there is something to report, or soon will be."""
        return bool(self._out or self._heard)

    def expired(self, now: float) -> bool:
        """Tell whether there is no lease now."""
        return now >= self._until

    def take(self, now: float) -> float:
        """See ``Bucket.take``."""
        if self._alone is not None:
            return self._alone.take(now)
        if now < self._paused_until:
            return min(_LONGEST_WAIT, self._paused_until - now)
        if self._frozen or self.expired(now):
            self._due()
            return _ASK_AGAIN
        self._refill(now)
        # Few may be out at first, one more with each good answer: a limit lower than thought refuses few.
        if self._out + 1 > self._window:
            self._short = True
            self._ask_for_more()
            return _UNANSWERED
        enough = self._tokens >= 1.0 - 1e-9
        self._short = not enough
        self._ask_for_more()
        if not enough:
            return min(_LONGEST_WAIT, (1.0 - self._tokens) / self._per_second) if self._per_second else _LONGEST_WAIT
        self._tokens -= 1.0
        self._out += 1
        self._note(now, Happening.SENT)
        return 0.0

    def _ask_for_more(self) -> None:
        """Report that there is something to do, if the last report said that there is nothing."""
        if not self._announced:
            self._announced = True
            self._due()

    def give_back(self) -> None:
        """See ``Bucket.give_back``."""
        if self._alone is not None:
            self._alone.give_back()
        elif self._out:
            self._tokens += 1.0
            self._out -= 1
            self._note(self._clock.monotonic(), Happening.UNSENT)

    def on_success(self, now: float, status: RateLimitStatus | None = None) -> None:
        """See ``Bucket.on_success``."""
        if self._alone is not None:
            self._alone.on_success(now, status)
        else:
            self._window += 1.0
            self._answered(Heard(now, Happening.SERVED, status))

    def on_refused(self, now: float, retry_after_seconds: float | None = None) -> None:
        """See ``Bucket.on_refused``; nothing more goes until the shared state has heard it."""
        if self._alone is not None:
            self._alone.on_refused(now, retry_after_seconds)
            return
        self._answered(Heard(now, Happening.REFUSED, None, retry_after_seconds))
        self._frozen = True
        self._due()

    def on_no_answer(self) -> None:
        """See ``Bucket.on_no_answer``."""
        if self._alone is not None:
            self._alone.on_no_answer()
        else:
            self._answered(Heard(self._clock.monotonic(), Happening.SILENT))

    def report(self, now: float, line: tuple[int, int]) -> BudgetReport:
        """Say what is held and what happened.

        Args:
            now: the time.
            line: interactive and bulk requests that wait.

        """
        self._refill(now)
        self._announced = bool(any(line) or self._out or self._heard)
        return BudgetReport(
            held=self._tokens, interactive=line[0], bulk=line[1], first=self._first, heard=tuple(self._heard)
        )

    def leased(self, lease: BudgetLease, report: BudgetReport, asked_at: float) -> None:
        """Take what was lent in answer to a report that was made at that time."""
        self._alone = None
        # What happened while the report was on its way is still to be told, and comes off the new lease.
        self._first += len(report.heard)
        del self._heard[: len(report.heard)]
        self._window = lease.window
        since = [event.what for event in self._heard]
        self._tokens = lease.tokens - since.count(Happening.SENT) + since.count(Happening.UNSENT)
        self._frozen = Happening.REFUSED in since
        self._per_second, self._updated = lease.per_second, asked_at
        # From when it was asked for: the owner counts from later, so here it ends first and no token is in two hands.
        self._until = asked_at + LEASE_SECONDS
        now = self._clock.monotonic()
        self._paused_until = now + lease.paused_seconds if lease.paused_seconds else -inf
        self._known, self._counted = lease.known, lease.counted
        # A part lent to an idle worker is small and says nothing about what it would get in need.
        if any((report.interactive, report.bulk)):
            self._part = lease.per_second
        if lease.account_per_second != self._account_per_second:
            self._account_per_second = lease.account_per_second
            self.history.append(RateChange(now, self._account_per_second, "shared"))

    def go_alone(self, now: float) -> None:
        """Go on without the others, at what was ours when they were last heard."""
        # Below its part: the others may have been given some of it meanwhile.
        part = max(_SLOWEST, _CAUTION * self._part)
        self._alone = Bucket(per_second=part, burst=1.0, ceiling=part, now=now)
        self._first, self._out, self._until, self._tokens, self._per_second = 0, 0, -inf, 0.0, 0.0
        self._heard.clear()

    def _answered(self, heard: Heard) -> None:
        # One that was sent while the others could not be heard is nothing to them.
        if self._out:
            self._out -= 1
            self._heard.append(heard)

    def _note(self, now: float, what: Happening) -> None:
        self._heard.append(Heard(now, what))

    def _refill(self, now: float) -> None:
        gained = (now - self._updated) * self._per_second
        self._updated = now
        # Whoever is idle keeps one token; whoever waits loses none while the event loop is late.
        full = 1.0 + _LATE * self._per_second if self._short else 1.0
        self._tokens = max(self._tokens, min(full, self._tokens + gained))
