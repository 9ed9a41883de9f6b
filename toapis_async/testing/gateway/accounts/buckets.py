"""The account's two token buckets and the headers that tell of them."""

import math

import attrs

from toapis_async.testing.scenario.settings import RateHeaders
from toapis_async.values.limits import RateLimits


@attrs.define
class Bucket:
    """A token bucket; what it refuses costs nothing.

    Attributes:
        category: the word of ``X-RateLimit-Category``.
        per_second: the refill.
        burst: its size.

    """

    category: str
    per_second: float
    burst: float
    _tokens: float = attrs.field(init=False)
    _filled_at: float | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin full."""
        self._tokens = self.burst

    def take(self, now: float) -> bool:
        """Take one token; False when there is none."""
        if self._filled_at is not None:
            self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.per_second)
        self._filled_at = now
        # The sum of many small refills may miss a whole token by a rounding error.
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens -= 1
        return True

    @property
    def wait(self) -> float:
        """Seconds until there is a token."""
        return max(0.0, (1 - self._tokens) / self.per_second)

    def headers(self, form: RateHeaders, epoch: float) -> dict[str, str]:
        """What the bucket says of itself."""
        scale = 60 * self.per_second / self.burst if form.limit == "minute" else 1.0
        full = (self.burst - self._tokens) / self.per_second
        reset = epoch + full if form.reset == "epoch" else full
        return {
            "X-RateLimit-Limit": str(round(self.burst * scale)),
            "X-RateLimit-Remaining": str(math.floor(self._tokens * scale)),
            "X-RateLimit-Reset": str(math.ceil(reset)),
            "X-RateLimit-Category": self.category,
        }


def buckets(limits: RateLimits | None) -> tuple[Bucket | None, Bucket | None]:
    """The submit and the query bucket of an account."""
    if limits is None:
        return None, None
    return (
        Bucket("async_submit", limits.submit_per_second, limits.submit_burst),
        Bucket("async_query", limits.query_per_second, limits.query_burst),
    )
