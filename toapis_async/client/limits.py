"""Which limit holds a submission up, and when one has changed."""

import random as random_module
from collections.abc import Callable
from typing import Literal, TypeAlias, cast

from toapis_async.clock import Clock
from toapis_async.errors import ConfigurationError, RateLimitError, ToAPIsError
from toapis_async.policy.pace.inflight import Cause, Refusal
from toapis_async.ports.events import LimitChanged
from toapis_async.transport.pacing import Pacer
from toapis_async.transport.rate_limiter import AccountLimits, RateLimiter
from toapis_async.values.exchange import Purpose
from toapis_async.values.limits import TIERS, RateLimits, RateLimitSetting

Limit: TypeAlias = Literal["rate", "in_flight", "gateway"]

# A rate that is sought moves a little all the time; less than this share of it is not worth telling.
_WORTH_TELLING = 0.1


def refusal_of(error: RateLimitError, rate_limiter: RateLimiter) -> Refusal:
    """Put together what is known about a 429 to the latest submission."""
    return Refusal(
        message=error.message,
        status=rate_limiter.last_status(Purpose.SUBMIT),
        retry_after_seconds=error.retry_after_seconds,
    )


def limit_of(error: ToAPIsError, rate_limiter: RateLimiter) -> Limit:
    """Give the limit that an error is about; a 429 that does not say which is about the rate."""
    if not isinstance(error, RateLimitError):
        return "gateway"
    return "in_flight" if refusal_of(error, rate_limiter).cause is Cause.CONCURRENCY else "rate"


class LimitWatch:
    """Knows the rates that were told last.

    Args:
        rate_limiter: whose rates.

    """

    __slots__ = ("_rate_limiter", "_told")

    def __init__(self, rate_limiter: RateLimiter) -> None:
        self._rate_limiter = rate_limiter
        self._told = self._rates()

    def _rates(self) -> dict[str, float | None]:
        limiter = self._rate_limiter
        return {"submit_per_second": limiter.submit_rate, "query_per_second": limiter.query_rate}

    def tell_change(self, tell: Callable[..., None]) -> None:
        """Tell ``LimitChanged`` of each rate that has moved by a tenth since it was last told."""
        for limit, after in self._rates().items():
            before = self._told[limit]
            if before is None or after is None or abs(after - before) < _WORTH_TELLING * before:
                continue
            self._told[limit] = after
            why = (
                "the gateway refused, or its headers allow less" if after < before else "the gateway took what was sent"
            )
            tell(LimitChanged, limit=limit, before=before, after=after, why=why)


def tell_in_flight(tell: Callable[..., None], before: int, after: int) -> None:
    """Tell ``LimitChanged`` if the bound on unfinished tasks has moved."""
    if after != before:
        why = "the gateway refused more" if after < before else "the gateway took more"
        tell(LimitChanged, limit="in_flight", before=float(before), after=float(after), why=why)


def rate_limiter_of(
    rate_limits: RateLimitSetting | RateLimiter, clock: Clock, random: random_module.Random, *, account: str
) -> RateLimiter:
    """Return the rate limiter that a setting means.

    Raises:
        ConfigurationError: it means none.

    """
    known = ("auto", *TIERS)
    if rate_limits is None or isinstance(rate_limits, RateLimits) or rate_limits in known:
        return Pacer(rate_limits, clock=clock, random=random)
    if not callable(getattr(rate_limits, "acquire", None)):
        raise ConfigurationError(
            f"rate_limits must be one of {', '.join(map(repr, known))}, RateLimits(…), a RateLimiter or None, "
            f"not {rate_limits!r}.",
            hint="'auto' finds the account's limit by itself.",
        )
    limiter = cast("RateLimiter | AccountLimits", rate_limits)
    return limiter.for_account(account) if isinstance(limiter, AccountLimits) else limiter
