"""Limits that processes share. Needs: toapis_async.limits.SharedRateLimits"""

from toapis_async import AsyncToAPIs
from toapis_async.limits import SharedRateLimits

AsyncToAPIs(rate_limits=SharedRateLimits.on_this_machine())
AsyncToAPIs(rate_limits=SharedRateLimits.redis("redis://127.0.0.1"))
AsyncToAPIs(rate_limits=SharedRateLimits.ray("toapis"))
