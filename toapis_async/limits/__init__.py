"""One account, many workers: rate limits that several processes keep together."""

from toapis_async.limits.shared_rate_limits import SharedRateLimits

__all__ = ["SharedRateLimits"]
