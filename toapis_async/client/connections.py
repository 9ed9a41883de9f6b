"""What a client opens to the outside: the way to the gateway, and the way to file hosts."""

import ssl
from typing import Self

import attrs

from toapis_async.client.file_sources import FileSources, RewriteFileUrl
from toapis_async.client.settings import USER_AGENT, Settings
from toapis_async.clock import Clock
from toapis_async.errors import ConfigurationError
from toapis_async.policy.files.mirrors import host_names
from toapis_async.policy.network.proxies import ProxyRules
from toapis_async.transport.connections.sessions import Network
from toapis_async.transport.files import FileHost
from toapis_async.transport.over_aiohttp import AiohttpTransport, HttpSession


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Connections:
    """Opened with the client, and closed with it.

    Attributes:
        transport: to the gateway, without pacing.
        files: to file hosts, without the key.
        sources: where files lie.

    """

    transport: AiohttpTransport
    files: FileHost
    sources: FileSources

    @classmethod
    def made(
        cls,
        settings: Settings,
        *,
        http_session: HttpSession | None,
        ssl_context: ssl.SSLContext | None,
        rewrite_file_url: RewriteFileUrl | None,
        clock: Clock,
    ) -> Self:
        """Make them; nothing is opened yet.

        Raises:
            ConfigurationError: a setting is of the wrong kind, or there is no way through the proxy.

        """
        if ssl_context is not None and not isinstance(ssl_context, ssl.SSLContext):
            raise ConfigurationError(
                f"ssl_context must be an ssl.SSLContext, not {type(ssl_context).__name__}.",
                hint="ssl.create_default_context(cafile=…) makes one that trusts an authority of your own.",
            )
        if rewrite_file_url is not None and not callable(rewrite_file_url):
            raise ConfigurationError(
                "rewrite_file_url must be a function.", hint="It takes the address of a file, and returns another."
            )
        network = Network(rules=settings.proxies, ssl_context=ssl_context)
        # A lent session goes its owner's ways, unless a proxy was named here.
        straight = http_session is not None and not settings.proxy_named
        return cls(
            transport=AiohttpTransport(
                base_url=settings.base_url,
                api_key=settings.api_key,
                user_agent=USER_AGENT,
                timeout_seconds=settings.timeout_seconds,
                http_session=http_session,
                network=attrs.evolve(network, rules=ProxyRules()) if straight else network,
                headers=settings.headers,
            ),
            files=FileHost(
                base_url=settings.base_url,
                user_agent=USER_AGENT,
                network=network,
                trusted=host_names(settings.file_hosts),
                headers=settings.file_headers,
            ),
            sources=FileSources(
                base_url=settings.base_url, clock=clock, hosts=settings.file_hosts, rewrite=rewrite_file_url
            ),
        )

    async def open(self) -> None:
        """Allow requests."""
        await self.transport.__aenter__()
        await self.files.__aenter__()

    async def aclose(self) -> None:
        """Close what was opened."""
        try:
            await self.files.__aexit__()
        finally:
            await self.transport.aclose()
