"""The transport on aiohttp: adds host, key and time limit, and says what a broken exchange means for the request."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Self, TypeAlias

import aiohttp
from multidict import CIMultiDict, istr
from yarl import URL

from toapis_async.errors import APIConnectionError, APITimeoutError, ConfigurationError, Delivery
from toapis_async.policy.network.proxies import Proxy
from toapis_async.transport.connections.failures import connection_failure
from toapis_async.transport.connections.pool import ConnectionPool
from toapis_async.transport.connections.sessions import Network
from toapis_async.transport.header_limits import HEADER_LIMITS
from toapis_async.transport.time_limit import TimeLimit
from toapis_async.values.exchange import HttpReply, HttpRequest
from toapis_async.wire.redacting import redactor_of

HttpSession: TypeAlias = aiohttp.ClientSession

# Above aiohttp's default of 100, which users of other SDKs hit as an unexplained ceiling; below the usual limit of
# 1,024 open files.
MAX_CONNECTIONS = 400
MAX_REPLY_BYTES = 32 * 1024 * 1024
_LARGE_BYTES = 256 * 1024
_REMEMBERED_PATHS = 2048

_CHECK_NETWORK = "Check the network and TOAPIS_BASE_URL; nothing was sent, so nothing was charged."


class AiohttpTransport:
    """Exchanges over one aiohttp session.

    Args:
        base_url: the API base, ending in ``/v1``.
        api_key: sent as a Bearer token with every exchange.
        user_agent: what to call ourselves.
        timeout_seconds: for one whole exchange.
        http_session: a session to use and leave open; None opens one and closes it.
        network: proxies, and what to trust.
        headers: to send besides; ``User-Agent`` goes before ``user_agent``.
        shared: another transport's connections, to use and leave open, in place of ``http_session`` and ``network``.

    Raises:
        ConfigurationError: the lent session cannot go through the proxy.

    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        user_agent: str,
        timeout_seconds: float,
        http_session: aiohttp.ClientSession | None = None,
        network: Network | None = None,
        headers: Mapping[str, str] | None = None,
        shared: ConnectionPool | None = None,
    ) -> None:
        self._base = URL(base_url)
        self._prefix = str(self._base)
        self._redactor = redactor_of((api_key,))
        # In the form that aiohttp copies fastest.
        self._headers: CIMultiDict[str] = CIMultiDict(
            {
                istr("Authorization"): f"Bearer {api_key}",
                istr("User-Agent"): user_agent,
                istr("Accept"): "application/json",
            }
        )
        self._headers.update({istr(name): value for name, value in (headers or {}).items()})
        self._limit = TimeLimit(timeout_seconds)
        self._limit_seconds = timeout_seconds
        # Well before the whole time is over, so that it is known when nothing was sent.
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=0.9 * timeout_seconds, sock_connect=min(15.0, timeout_seconds / 2)
        )
        self._owns_pool = shared is None
        self._pool = shared or ConnectionPool(
            network or Network(), self._prefix, connections=MAX_CONNECTIONS, lent=http_session
        )
        # A task is looked at several times.
        self._url_of = lru_cache(maxsize=_REMEMBERED_PATHS)(lambda path: URL(self._prefix + path, encoded=True))
        self._heads: dict[str | None, CIMultiDict[str]] = {None: self._headers}

    def view(self, *, timeout_seconds: float | None = None, headers: Mapping[str, str] | None = None) -> Self:
        """Return a transport that shares these connections; closing it closes none of them.

        Args:
            timeout_seconds: for one whole exchange; None for the same.
            headers: to send besides.

        """
        return type(self)(
            base_url=self._prefix,
            api_key=self._headers["Authorization"].removeprefix("Bearer "),
            user_agent=self._headers["User-Agent"],
            timeout_seconds=self._limit_seconds if timeout_seconds is None else timeout_seconds,
            headers={**self._headers, **(headers or {})},
            shared=self._pool,
        )

    def __repr__(self) -> str:
        return f"AiohttpTransport({self._prefix!r})"

    async def __aenter__(self) -> Self:
        if self._owns_pool:
            self._pool.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the session if it is ours; nothing is sent any more."""
        self._limit.close()
        if self._owns_pool:
            await self._pool.aclose()

    async def send(self, request: HttpRequest) -> HttpReply:
        """See ``Transport.send``."""
        session = self._pool.session()
        task = self._limit.begin()
        try:
            response = await session.request(
                request.method,
                self._url_of(request.path),
                data=request.body,
                headers=self._headers_for(request.content_type),
                # A redirect would carry the key to a place that nobody named.
                allow_redirects=False,
                timeout=self._timeout,
                # A lent session may be set to raise: then a refusal would look like a broken connection.
                raise_for_status=False,
                **HEADER_LIMITS,
                **self._pool.arguments,
            )
            try:
                body = await _whole_body(response)
            finally:
                response.release()
        except asyncio.CancelledError as error:
            if self._limit.struck(task):
                raise self._too_slow() from error
            raise
        except TimeoutError as error:
            raise self._timed_out(error) from error
        except (aiohttp.ClientError, OSError) as error:
            failure = _broken(error, self._redactor.text(str(error)), self._pool.proxy)
            raise failure from (None if isinstance(error, aiohttp.ClientHttpProxyError) else self._shown(error))
        except (RuntimeError, ValueError) as error:
            raise _unusable(session, error, self._redactor.text(str(error))) from self._shown(error)
        finally:
            self._limit.end(task)
        return await self._without_key(response.status, response.headers, body)

    async def _without_key(self, status: int, headers: Mapping[str, str], body: bytes) -> HttpReply:
        """Strike the key out of a reply, which some gateways repeat, before anything reads it."""
        if len(body) <= _LARGE_BYTES:
            body = self._redactor(body)
        else:
            body = await asyncio.to_thread(self._redactor, body)
        values = "\n".join(headers.values())
        if self._redactor.text(values) is not values:
            headers = CIMultiDict((name, self._redactor.text(value)) for name, value in headers.items())
        return HttpReply(status, headers, body)

    def _shown(self, error: Exception) -> Exception | None:
        """Return the cause, unless it holds the key; aiohttp's own errors keep the headers that were sent."""
        said = repr(error)
        return None if self._redactor.text(said) is not said else error

    def _headers_for(self, content_type: str | None) -> CIMultiDict[str]:
        try:
            return self._heads[content_type]
        except KeyError:
            headers = self._headers.copy()
            headers[istr("Content-Type")] = content_type or ""
            if len(self._heads) < 8:  # multipart boundaries are all different
                self._heads[content_type] = headers
            return headers

    def _timed_out(self, error: TimeoutError) -> APITimeoutError:
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            failure = connection_failure(error, "", self._pool.proxy)
            what, hint = ("Could not connect in time.", "") if failure is None else (failure.what, failure.hint)
            return APITimeoutError(what, delivery=Delivery.NEVER, hint=hint or _CHECK_NETWORK)
        return self._too_slow()

    def _too_slow(self) -> APITimeoutError:
        return APITimeoutError(
            f"No reply within {self._limit_seconds:g} s.",
            delivery=Delivery.UNKNOWN,
            hint="The request may have arrived. Raise timeout= if the gateway is slow.",
        )


async def _whole_body(response: aiohttp.ClientResponse) -> bytes:
    declared = response.content_length
    if declared is not None and declared <= MAX_REPLY_BYTES and "Content-Encoding" not in response.headers:
        return await response.read()
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise aiohttp.ClientPayloadError(f"the reply is longer than {MAX_REPLY_BYTES} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _unusable(session: aiohttp.ClientSession, error: Exception, said: str) -> APIConnectionError | ConfigurationError:
    # A closed session, and credentials of its own that fight with the key, are refused before anything is sent.
    hint = "Pass an http_session that is open, belongs to this event loop and has no auth=."
    if session.closed or isinstance(error, ValueError):
        return ConfigurationError(f"The request could not be sent: {said}.", hint=hint)
    return APIConnectionError(f"The exchange broke: {said}.", delivery=Delivery.UNKNOWN, hint=hint)


def _broken(error: Exception, said: str, proxy: Proxy | None) -> APIConnectionError:
    # The connector raises before a byte of the request is written: name resolution, refusal, TLS.
    failure = connection_failure(error, said, proxy)
    if failure is not None:
        never = APIConnectionError(failure.what, delivery=Delivery.NEVER, hint=failure.hint or _CHECK_NETWORK)
        never.lasting = failure.lasting
        return never
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if isinstance(error, aiohttp.InvalidURL):
        return APIConnectionError(f"Could not connect: {what}", delivery=Delivery.NEVER, hint=_CHECK_NETWORK)
    return APIConnectionError(
        f"The connection broke: {what}",
        delivery=Delivery.UNKNOWN,
        hint="The request may have arrived. Ask the gateway before sending it again.",
    )
