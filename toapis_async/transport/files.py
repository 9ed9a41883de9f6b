"""The way to the file hosts: its own HTTP session, which has never seen the key."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict
from yarl import URL

from toapis_async.errors import ConfigurationError, DownloadError
from toapis_async.policy.files.addresses import absolute, quoted, refusal
from toapis_async.policy.files.progress import ProgressRule
from toapis_async.policy.network.proxies import Proxy
from toapis_async.transport.connections.failures import connection_failure
from toapis_async.transport.connections.guarded_resolver import GuardedResolver
from toapis_async.transport.connections.sessions import Network, Sessions, proxy_arguments
from toapis_async.transport.file_reply import FETCH_AGAIN, FileReply, bare
from toapis_async.transport.header_limits import HEADER_LIMITS
from toapis_async.transport.progress_timer import ProgressTimer

MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_FETCHED = "It was not asked. If you trust it, fetch it yourself; the address is in task.urls."


class FileHost:
    """Fetches from file hosts. Its sessions are opened when first needed; ``async with`` closes them.

    No key, no cookies, no netrc, no compression asked for; at most three redirects, each checked like the first
    address. Connections to addresses that are not public are not made. Where a proxy turns names into addresses, it
    decides where they lead: then only what the address says by itself can be judged, and a public name that leads
    inside the proxy's network is not noticed.

    Args:
        base_url: of the gateway; decides what besides public https addresses may be fetched.
        user_agent: what to call ourselves.
        headers: to send besides, to every file host; ``User-Agent`` goes before ``user_agent``.
        connections: how many at once; 0 leaves that to whoever asks.
        connect_seconds: how long a connection may take to open.
        progress: how a host has to get on.
        resolver: who asks the network for addresses; None is the system.
        network: proxies, and what to trust.
        trusted: hosts that the user named, which may lie anywhere.

    """

    def __init__(
        self,
        *,
        base_url: str,
        user_agent: str,
        connections: int = 0,
        connect_seconds: float = 15.0,
        progress: ProgressRule | None = None,
        resolver: AbstractResolver | None = None,
        network: Network | None = None,
        trusted: frozenset[str] = frozenset(),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = base_url
        self._network = network or Network()
        self._trusted = trusted
        self._proxies = frozenset((proxy.host, proxy.port) for proxy in self._network.rules.proxies)
        self._headers = CIMultiDict({"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"})
        self._headers.update(headers or {})
        self.progress: ProgressRule = progress or ProgressRule()
        # Reading is bounded by progress: bytes that lead nowhere would satisfy a time limit on silence.
        self._timeout = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=connect_seconds, sock_read=None)
        self._resolver = resolver
        self._sessions = Sessions(self._network, self._session, resolver=self._guard, connections=connections)
        self._closed = False

    async def __aenter__(self) -> Self:
        self._closed = False
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._closed = True
        await self._sessions.aclose()

    def _guard(self) -> GuardedResolver:
        inner = self._resolver or aiohttp.ThreadedResolver()
        return GuardedResolver(inner, base_url=self.base_url, trusted=self._trusted, proxies=self._proxies)

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=self._timeout,
            auto_decompress=False,
            trust_env=False,
        )

    def get(
        self,
        url: str,
        *,
        offset: int = 0,
        validator: str | None = None,
        failures: int = 0,
        on_late: Callable[[], None] = lambda: None,
    ) -> "Fetch":
        """Ask for a file, or for its rest; the reply is there inside ``async with``.

        Args:
            url: as the gateway gave it.
            offset: how many bytes of it are here already.
            validator: ``FileReply.validator`` of the transfer to continue; needed with an offset.
            failures: how many tries have failed so far; each is more patient with the first byte.
            on_late: called once, if the transfer turns out to be slow.

        Raises:
            DownloadError: the address is refused (``http_status`` 0), there is no answer, or the transfer stalled
                (``http_status`` None).

        """
        wanted = {"Range": f"bytes={offset}-", "If-Range": validator or ""} if offset else None
        return Fetch(self, url, wanted, ProgressTimer(self.progress, failures=failures, on_late=on_late))

    async def open(self, url: str, headers: dict[str, str] | None) -> aiohttp.ClientResponse:
        """Ask, and follow redirects; called by ``Fetch``, which closes what it gets."""
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._response(url, headers)
            if response.status not in _REDIRECTS or "Location" not in response.headers:
                return response
            response.close()
            url = urljoin(url, response.headers["Location"].strip(" "))
        raise DownloadError(
            f"More than {MAX_REDIRECTS} redirects.", url=bare(url), http_status=response.status, hint=FETCH_AGAIN
        )

    async def _response(self, url: str, headers: dict[str, str] | None) -> aiohttp.ClientResponse:
        target, proxy = self._checked(url)
        if self._closed:
            raise ConfigurationError("The client is closed.", hint="Download inside `async with AsyncToAPIs() …`.")
        session = self._sessions.through(proxy)
        try:
            return await session.get(
                target, headers=headers, allow_redirects=False, **HEADER_LIMITS, **proxy_arguments(proxy)
            )
        except TimeoutError as error:
            raise DownloadError("The file host did not answer in time.", url=bare(url), hint=FETCH_AGAIN) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _no_answer(error, url, proxy) from _showable(error)

    def _checked(self, url: str) -> tuple[URL, Proxy | None]:
        why: str | None = "it is no valid address"
        with suppress(ValueError):
            url = absolute(url, base_url=self.base_url)
            proxy = self._network.rules.proxy_for(url)
            elsewhere = proxy is not None and proxy.resolves
            why = refusal(url, base_url=self.base_url, trusted=self._trusted, resolved_elsewhere=elsewhere)
            target = URL(quoted(url), encoded=True)
            if (target.host, target.port) in self._proxies:
                why = "it is the proxy's own"
            if why is None:
                return target, proxy
        raise DownloadError(
            f"The file's address was refused: {why or 'it is no valid address'}.",
            url=bare(url),
            http_status=0,
            hint=_NOT_FETCHED,
        )


def _no_answer(error: Exception, url: str, proxy: Proxy | None) -> DownloadError:
    failure = connection_failure(error, str(error), proxy)
    if failure is not None:
        hint = f"{FETCH_AGAIN} {failure.hint}".strip()
        unreached = DownloadError(f"The file host could not be reached. {failure.what}", url=bare(url), hint=hint)
        unreached.lasting = failure.lasting
        return unreached
    if isinstance(error, aiohttp.ClientResponseError):
        return DownloadError("The file host did not speak HTTP.", url=bare(url), hint=FETCH_AGAIN)
    return DownloadError(
        f"The file host could not be reached: {type(error).__name__}: {error}.", url=bare(url), hint=FETCH_AGAIN
    )


def _showable(error: Exception) -> Exception | None:
    """Return the error as a cause; None where its text holds the whole address, with a signature as good as a key."""
    return None if isinstance(error, aiohttp.ClientResponseError) else error


class Fetch:
    """One question to a file host; see ``FileHost.get``."""

    __slots__ = ("_headers", "_host", "_response", "_timer", "_url")

    def __init__(self, host: FileHost, url: str, headers: dict[str, str] | None, timer: ProgressTimer) -> None:
        self._host = host
        self._url = url
        self._headers = headers
        self._timer = timer
        self._response: aiohttp.ClientResponse

    async def __aenter__(self) -> FileReply:
        self._timer.begin()
        try:
            self._response = await self._host.open(self._url, self._headers)
        except BaseException as error:
            self._timer.end()
            if isinstance(error, asyncio.CancelledError) and self._timer.struck():
                raise self._stalled("The file host did not answer in time") from error
            raise
        self._timer.pause()
        return FileReply(self._response, self._timer)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.end()
        # Returns the connection to the pool when the body was read to its end, and closes it otherwise.
        self._response.release()
        if isinstance(exc, asyncio.CancelledError) and self._timer.struck():
            raise self._stalled("The transfer stalled") from exc

    def _stalled(self, what: str) -> DownloadError:
        progress = self._timer.progress
        rule = progress.rule
        bound = f"less than {rule.bytes_per_second:g} bytes/s" if progress.begun else "no byte of the file"
        text = f"{what}: {bound} for {progress.patience:g} s."
        return DownloadError(text, url=bare(self._url), hint=FETCH_AGAIN)
