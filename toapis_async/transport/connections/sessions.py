"""How connections are made: straight, through an HTTP proxy, or through a SOCKS proxy; and what is trusted."""

import ssl
from base64 import b64encode
from collections.abc import Callable
from importlib.util import find_spec
from typing import TypedDict

import aiohttp
import attrs
from aiohttp.abc import AbstractResolver

from toapis_async.errors import ConfigurationError
from toapis_async.policy.network.proxies import Proxy, ProxyRules
from toapis_async.transport.loop_binding import LoopBinding, let_go


class ProxyArguments(TypedDict, total=False):
    """Arguments of an aiohttp request."""

    proxy: str
    proxy_headers: dict[str, str]


@attrs.frozen(kw_only=True)
class Network:
    """What every connection of a client has in common.

    Attributes:
        rules: which proxy is for what.
        ssl_context: what to trust; None is the system's certificates.

    """

    rules: ProxyRules = attrs.field(factory=ProxyRules)
    ssl_context: ssl.SSLContext | None = attrs.field(default=None, repr=False)

    @property
    def verification(self) -> ssl.SSLContext | bool:
        """The same as aiohttp has it."""
        return True if self.ssl_context is None else self.ssl_context


def proxy_arguments(proxy: Proxy | None) -> ProxyArguments:
    """Return what a request needs to go through an HTTP proxy; nothing for others."""
    if proxy is None or proxy.socks:
        return {}
    arguments: ProxyArguments = {"proxy": proxy.url}
    if proxy.user is not None:
        # aiohttp turns it into Proxy-Authorization, of the tunnel or of the request.
        credentials = b64encode(f"{proxy.user}:{proxy.password or ''}".encode()).decode("ascii")
        arguments["proxy_headers"] = {"Authorization": f"Basic {credentials}"}
    return arguments


def check_proxy_support(proxy: Proxy | None) -> None:
    """Refuse a SOCKS proxy where nothing here speaks SOCKS.

    Raises:
        ConfigurationError: the extra ``socks`` is missing.

    """
    if proxy is not None and proxy.socks and find_spec("python_socks") is None:
        raise ConfigurationError(
            f"The proxy {proxy.url} speaks SOCKS, and the package for that is missing.",
            hint="pip install 'toapis-async[socks]', or go without: NO_PROXY, or proxy=None.",
        )


class Sessions:
    """aiohttp sessions, opened when they are first needed: one for everything, and one for each SOCKS proxy.

    Args:
        network: how to connect.
        make: opens a session on a connector.
        resolver: makes what turns names into addresses; called once for each session.
        connections: how many at once in each; 0 for no limit.

    """

    def __init__(
        self,
        network: Network,
        make: Callable[[aiohttp.TCPConnector], aiohttp.ClientSession],
        *,
        resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver,
        connections: int = 0,
    ) -> None:
        self._network = network
        self._make = make
        self._resolver = resolver
        self._connections = connections
        self._binding = LoopBinding()
        self._opened: dict[Proxy | None, aiohttp.ClientSession] = {}

    def through(self, proxy: Proxy | None) -> aiohttp.ClientSession:
        """Return the session for connections through that proxy.

        Raises:
            ConfigurationError: it is one that cannot be spoken to, or these are in use in another event loop.

        """
        if self._binding.moved():
            while self._opened:
                let_go(self._opened.popitem()[1])
        key = proxy if proxy is not None and proxy.socks else None
        session = self._opened.get(key)
        if session is None:
            session = self._opened[key] = self._make(self._connector(key))
        return session

    def _connector(self, socks: Proxy | None) -> aiohttp.TCPConnector:
        check_proxy_support(socks)
        if socks is None:
            return aiohttp.TCPConnector(
                limit=self._connections,
                limit_per_host=0,
                resolver=self._resolver(),
                ssl=self._network.verification,
                ttl_dns_cache=60,
            )
        from toapis_async.transport.connections.socks import SocksConnector  # noqa: PLC0415 - only the extra has what it needs

        return SocksConnector(socks, resolver=self._resolver(), limit=self._connections, ssl=self._network.verification)

    async def aclose(self) -> None:
        """Close them all."""
        while self._opened:
            _, session = self._opened.popitem()
            await session.close()
