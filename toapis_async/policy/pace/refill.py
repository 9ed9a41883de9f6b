"""Which rate the headers mean: a limit without a unit, and how fast ``Remaining`` grows back.

The gateway documents the header names and no units. A limit may count a minute, ten seconds or one
second. Two statuses of ``Remaining`` and the requests served between them say how fast the budget refills; where that
agrees with the limit in one of the units, the rate is known. Where nothing agrees, nothing is believed.
"""

from math import log

import attrs

from toapis_async.policy.pace.rate_limit_status import RateLimitStatus

_UNITS = (60.0, 10.0, 1.0)  # seconds; the three in which the documentation states each tier
_BASELINE = 0.25  # seconds between two statuses, at least: rounding and reordering must not matter
_STALE = 3.0  # seconds; older statuses are dropped
_LEAST_GAIN = 8.0  # requests gained back: a count that is one off is 12 % off
_OTHERS = 50.0  # requests of others on the same account, before a count is taken for something else
_AGREES = 0.25  # natural logarithm: the units lie a factor of 6 apart, so a quarter cannot be mistaken


@attrs.frozen
class Finding:
    """What two statuses say.

    Attributes:
        per_second: the refill rate on which limit and growth agree; None when they contradict each other.
        remaining: requests left at the later one; trustworthy only with a rate.

    """

    per_second: float | None
    remaining: float


@attrs.frozen
class _Anchor:
    at: float
    remaining: float
    served: int
    unheard: int


@attrs.define
class RefillMeter:
    """Watches the statuses of one budget; times are monotonic seconds, given by the caller."""

    _anchor: _Anchor | None = None
    _fullest: float = 0.0
    _sent_at_fullest: int = 0
    _odd: bool = False
    _rates: tuple[float, ...] = ()

    @property
    def counts_requests(self) -> bool:
        """Whether ``Remaining`` has so far fallen by about one per request."""
        return not self._odd

    def next_meaning(self, rate: float, top: float) -> float | None:
        """Give the lowest rate from *rate* to *top* that the limit may mean, or None."""
        if self._odd:
            return None
        return next((meaning for meaning in self._rates if rate <= meaning <= top), None)

    def scarce(self, remaining: float, share: float) -> bool:
        """Tell whether less than this share of the fullest budget seen is left."""
        return remaining < share * self._fullest

    def hear(self, now: float, status: RateLimitStatus, *, served: int, unheard: int) -> Finding | None:
        """Take a status; give a finding, or None when this one says nothing.

        Args:
            now: when it was heard.
            status: what the reply said.
            served: replies heard from requests that the gateway took.
            unheard: requests sent whose reply is still out; the gateway may have counted them or not.

        """
        if status.limit is None or status.remaining is None:
            return None
        here = _Anchor(now, status.remaining, served, unheard)
        self._rates = _meanings(status)
        if self._counts_something_else(here):
            return None
        since = self._anchor
        if since is None or now - since.at > _STALE or unheard < since.unheard / 2:
            self._anchor = here
            return None
        gained = here.remaining - since.remaining + served - since.served
        doubt = abs(unheard - since.unheard)
        if now - since.at < _BASELINE or abs(gained) < _LEAST_GAIN + 2.0 * doubt:
            return None
        self._anchor = here
        if gained < 0.0:
            return Finding(None, here.remaining)  # it falls faster than we send: others share it, or it is no count
        if here.remaining >= self._fullest - 1.0:
            return None  # a full budget hides how fast it refills
        return Finding(_agreeing(self._rates, gained / (now - since.at)), here.remaining)

    def _counts_something_else(self, here: _Anchor) -> bool:
        sent = here.served + here.unheard
        if here.remaining >= self._fullest:
            self._fullest, self._sent_at_fullest = here.remaining, sent
        # One request takes one from a count of requests; twice that, and some for others who share the account.
        self._odd = self._odd or self._fullest - here.remaining > 2.0 * (sent - self._sent_at_fullest) + _OTHERS
        return self._odd


def _meanings(status: RateLimitStatus) -> tuple[float, ...]:
    if status.limit is None:
        return ()
    units = _UNITS if status.window_seconds is None else (status.window_seconds,)
    return tuple(status.limit / unit for unit in units)


def _agreeing(rates: tuple[float, ...], measured: float) -> float | None:
    best = min(rates, key=lambda rate: abs(log(rate / measured)))
    return best if abs(log(best / measured)) < _AGREES else None
