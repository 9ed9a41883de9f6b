"""The way to the file hosts: its own HTTP session, which has never seen the key."""

import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Self
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from toapis_async.errors import ConfigurationError, DownloadError, TruncatedError
from toapis_async.policy.files.addresses import absolute, quoted, refusal
from toapis_async.policy.files.transfers import FileVersion, coding_of, parse_content_range
from toapis_async.transport.guarded_resolver import GuardedResolver
from toapis_async.transport.header_limits import HEADER_LIMITS
from toapis_async.transport.inflating import inflated

MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PAID_FOR = "The task is paid for: fetch the file again, do not submit again."
_NOT_FETCHED = "It was not asked. If you trust it, fetch it yourself; the address is in task.urls."


class FileReply:
    """The beginning of a file host's answer; ``chunks`` is the rest.

    Attributes:
        http_status: of the answer.

    """

    __slots__ = ("_response", "http_status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.http_status: int = response.status

    @property
    def url(self) -> str:
        """Where it was found, after redirects and without its query."""
        return _bare(str(self._response.url))

    @property
    def content_type(self) -> str:
        """What the host calls it; empty when it does not say."""
        return self._response.headers.get("Content-Type", "")

    @property
    def declared_length(self) -> int | None:
        """The length of this body in bytes; None where the host does not say, or compresses."""
        return None if self._encoding else self._response.content_length

    @property
    def content_range(self) -> str | None:
        """The header, or None."""
        return self._response.headers.get("Content-Range")

    @property
    def validator(self) -> str | None:
        """What to send with a later range so that it continues this very file, or None."""
        return None if self._encoding else self.version.validator

    @property
    def version(self) -> FileVersion:
        """Which version of the file this is, as far as the host says."""
        headers = self._response.headers
        _, length = parse_content_range(self.content_range)
        return FileVersion(etag=headers.get("ETag"), last_modified=headers.get("Last-Modified"), length=length)

    @property
    def retry_after_seconds(self) -> float | None:
        """How long the host asks to wait, or None."""
        text = self._response.headers.get("Retry-After", "")
        return float(text) if text.isascii() and text.isdigit() else None

    @property
    def _encoding(self) -> str:
        label = self._response.headers.get("Content-Encoding")
        return "" if label is None else coding_of(label)

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes.

        Raises:
            TruncatedError: the transfer broke.
            DownloadError: it stalled.

        """
        encoding = self._encoding
        return inflated(self._chunks(), encoding=encoding, url=self.url) if encoding else self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        content = self._response.content
        while True:
            try:
                chunk = await content.readany()
            except TimeoutError as error:
                raise DownloadError("The transfer stalled.", url=self.url, hint=_PAID_FOR) from error
            except (aiohttp.ClientError, OSError) as error:
                raise TruncatedError(
                    f"The transfer broke: {type(error).__name__}.", url=self.url, hint=_PAID_FOR
                ) from error
            if not chunk:
                return
            yield chunk


class FileHost:
    """Fetches from file hosts. Its session is opened when first needed; ``async with`` closes it.

    No key, no cookies, no netrc, no proxy from the environment, no compression asked for; at most three redirects,
    each checked like the first address.

    Args:
        base_url: of the gateway; decides what besides public https addresses may be fetched.
        user_agent: what to call ourselves.
        connections: how many at once.
        connect_seconds: how long a connection may take to open.
        stall_seconds: how long a host may stay silent.
        resolver: who asks the network for addresses; None is the system.
        ssl_context: what to trust; None is the system's certificates.

    """

    def __init__(
        self,
        *,
        base_url: str,
        user_agent: str,
        connections: int = 32,
        connect_seconds: float = 15.0,
        stall_seconds: float = 30.0,
        resolver: AbstractResolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.base_url = base_url
        self._user_agent = user_agent
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=None, sock_connect=connect_seconds, sock_read=stall_seconds
        )
        self._resolver = resolver
        self._ssl: ssl.SSLContext | bool = True if ssl_context is None else ssl_context
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        self._closed = False
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        resolver = GuardedResolver(self._resolver or aiohttp.ThreadedResolver(), base_url=self.base_url)
        connector = aiohttp.TCPConnector(limit=self._connections, resolver=resolver, ssl=self._ssl, ttl_dns_cache=60)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent, "Accept": "*/*", "Accept-Encoding": "identity"},
            timeout=self._timeout,
            auto_decompress=False,
            trust_env=False,
        )

    def get(self, url: str, *, offset: int = 0, validator: str | None = None) -> "Fetch":
        """Ask for a file, or for its rest; the reply is there inside ``async with``.

        Args:
            url: as the gateway gave it.
            offset: how many bytes of it are here already.
            validator: ``FileReply.validator`` of the transfer to continue; needed with an offset.

        Raises:
            DownloadError: the address is refused (``http_status`` 0), or there is no answer (``http_status`` None).

        """
        wanted = {"Range": f"bytes={offset}-", "If-Range": validator or ""} if offset else None
        return Fetch(self, url, wanted)

    async def open(self, url: str, headers: dict[str, str] | None) -> aiohttp.ClientResponse:
        """Ask, and follow redirects; called by ``Fetch``, which closes what it gets."""
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._response(url, headers)
            if response.status not in _REDIRECTS or "Location" not in response.headers:
                return response
            response.close()
            url = urljoin(url, response.headers["Location"].strip(" "))
        raise DownloadError(
            f"More than {MAX_REDIRECTS} redirects.", url=_bare(url), http_status=response.status, hint=_PAID_FOR
        )

    async def _response(self, url: str, headers: dict[str, str] | None) -> aiohttp.ClientResponse:
        target = self._checked(url)
        if self._closed:
            raise ConfigurationError("The client is closed.", hint="Download inside `async with AsyncToAPIs() …`.")
        session = self._session = self._session or self._opened()
        try:
            return await session.get(target, headers=headers, allow_redirects=False, **HEADER_LIMITS)
        except TimeoutError as error:
            raise DownloadError("The file host did not answer in time.", url=_bare(url), hint=_PAID_FOR) from error
        except aiohttp.ClientResponseError:
            # Its text holds the whole address, and with it a signature that is as good as a key.
            raise DownloadError("The file host did not speak HTTP.", url=_bare(url), hint=_PAID_FOR) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise DownloadError(
                f"The file host could not be reached: {type(error).__name__}: {error}.", url=_bare(url), hint=_PAID_FOR
            ) from error

    def _checked(self, url: str) -> URL:
        why: str | None = "it is no valid address"
        with suppress(ValueError):
            url = absolute(url, base_url=self.base_url)
            why = refusal(url, base_url=self.base_url)
            if why is None:
                return URL(quoted(url), encoded=True)
        why = why or "it is no valid address"
        raise DownloadError(f"The file's address was refused: {why}.", url=_bare(url), http_status=0, hint=_NOT_FETCHED)


class Fetch:
    """One question to a file host; see ``FileHost.get``."""

    __slots__ = ("_headers", "_host", "_response", "_url")

    def __init__(self, host: FileHost, url: str, headers: dict[str, str] | None) -> None:
        self._host = host
        self._url = url
        self._headers = headers
        self._response: aiohttp.ClientResponse

    async def __aenter__(self) -> FileReply:
        self._response = await self._host.open(self._url, self._headers)
        return FileReply(self._response)

    async def __aexit__(self, *exc_info: object) -> None:
        # Returns the connection to the pool when the body was read to its end, and closes it otherwise.
        self._response.release()


def _bare(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]
