"""What the account may do per second, as documented per tier."""

from typing import Literal, TypeAlias

import attrs

INTERACTIVE = 0
"""Priority of a request that somebody waits for: it goes before bulk ones."""

BULK = 1
"""Priority of one request among many; any larger number means the same."""


@attrs.frozen(kw_only=True)
class RateLimits:
    """Two token buckets, per user, all keys together.

    Attributes:
        submit_per_second, query_per_second: refill rates, above zero.
        submit_burst, query_burst: bucket sizes, at least one.

    """

    submit_per_second: float
    submit_burst: float
    query_per_second: float
    query_burst: float


TIERS: dict[str, RateLimits] = {
    "default": RateLimits(submit_per_second=5.0, submit_burst=50, query_per_second=50.0, query_burst=500),
    "vip": RateLimits(submit_per_second=1000 / 60, submit_burst=167, query_per_second=10000 / 60, query_burst=1667),
    "svip": RateLimits(submit_per_second=2000 / 60, submit_burst=334, query_per_second=500.0, query_burst=5000),
}
"""The documented groups of accounts."""

RateLimitSetting: TypeAlias = Literal["auto", "default", "vip", "svip"] | RateLimits | None
