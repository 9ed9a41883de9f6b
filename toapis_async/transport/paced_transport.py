"""Exchanges that wait for their turn."""

from collections.abc import Mapping

from toapis_async.transport.port import Transport
from toapis_async.transport.rate_limiter import RateLimiter
from toapis_async.values.exchange import HttpReply, HttpRequest


class PacedTransport:
    """A transport whose requests wait until the rate limiter lets them through.

    Args:
        inner: what sends them.
        rate_limiter: who lets them through, and hears what came back.

    """

    __slots__ = ("_inner", "_rate_limiter")

    def __init__(self, inner: Transport, rate_limiter: RateLimiter) -> None:
        self._inner = inner
        self._rate_limiter = rate_limiter

    async def send(self, request: HttpRequest) -> HttpReply:
        """See ``Transport.send``."""
        limiter, purpose = self._rate_limiter, request.purpose
        if not limiter.take_at_once(purpose, request.priority):
            await limiter.acquire(purpose, request.priority)
        status: int | None = None
        headers: Mapping[str, str] = {}
        try:
            reply = await self._inner.send(request)
            status, headers = reply.http_status, reply.headers
        finally:
            limiter.heard(purpose, status, headers)
        return reply
