"""The connections to the gateway, which several transports may share."""

import ssl

import aiohttp

from toapis_async.errors import ConfigurationError
from toapis_async.policy.network.proxies import Proxy
from toapis_async.transport.connections.sessions import (
    Network,
    ProxyArguments,
    Sessions,
    check_proxy_support,
    proxy_arguments,
)
from toapis_async.transport.loop_binding import LoopBinding, check_lent


class ConnectionArguments(ProxyArguments, total=False):
    """Arguments of an aiohttp request."""

    ssl: ssl.SSLContext


class ConnectionPool:
    """Sessions to one address, or one that somebody has lent.

    Attributes:
        proxy: what they go through; None for none.
        arguments: what each request needs besides.

    Args:
        network: how to connect.
        url: where to.
        connections: how many at once.
        lent: a session that is somebody else's; None opens one.

    Raises:
        ConfigurationError: there is no way through the proxy.

    """

    def __init__(self, network: Network, url: str, *, connections: int, lent: aiohttp.ClientSession | None) -> None:
        self.proxy: Proxy | None = network.rules.proxy_for(url)
        self._lent = lent
        self._binding = LoopBinding()
        self._closed = False
        self._sessions = Sessions(network, _session, connections=connections)
        self.arguments: ConnectionArguments = {**proxy_arguments(self.proxy)}  # type: ignore[typeddict-item]
        if lent is None:
            check_proxy_support(self.proxy)
            return
        if network.ssl_context is not None:
            self.arguments["ssl"] = network.ssl_context
        if self.proxy is not None and self.proxy.socks:
            raise ConfigurationError(
                "A lent http_session cannot be led through a SOCKS proxy.",
                hint="Give it a connector that goes there, and pass proxy=None; or lend no session.",
            )

    def open(self) -> None:
        """Allow requests."""
        self._closed = False

    def session(self) -> aiohttp.ClientSession:
        """Return the session to use, opened when it is first needed.

        Raises:
            ConfigurationError: this was closed, or is in use in another event loop.

        """
        if self._closed:
            raise ConfigurationError("The client is closed.", hint="Make calls inside `async with AsyncToAPIs() …`.")
        if self._lent is None:
            return self._sessions.through(self.proxy)
        self._binding.moved()
        check_lent(self._lent)
        return self._lent

    async def aclose(self) -> None:
        """Close what was opened here; nothing is sent any more."""
        self._closed = True
        await self._sessions.aclose()


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
