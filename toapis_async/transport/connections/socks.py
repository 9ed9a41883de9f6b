"""Connections through a SOCKS 5 proxy. Needs the extra ``socks``."""

import asyncio
import socket
import ssl
from typing import cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
from python_socks.async_.asyncio import Proxy as SocksProxy

from toapis_async.policy.network.proxies import Proxy


class SocksConnector(aiohttp.TCPConnector):
    """aiohttp's connector, but for how a socket comes about.

    Args:
        proxy: SOCKS 5.
        resolver: turns names into addresses where the proxy is not to do it.
        limit: how many connections at once; 0 for no limit.
        ssl: what to trust.

    """

    def __init__(self, proxy: Proxy, *, resolver: AbstractResolver, limit: int, ssl: ssl.SSLContext | bool) -> None:
        super().__init__(limit=limit, ssl=ssl, resolver=_AsNamed() if proxy.resolves else resolver, ttl_dns_cache=60)
        self._socks = proxy

    async def _wrap_create_connection(  # type: ignore[override]  # aiohttp's own has arguments that it passes on
        self,
        *args: object,
        addr_infos: list[tuple[object, object, object, object, tuple[str, int]]],
        req: aiohttp.ClientRequest,
        timeout: aiohttp.ClientTimeout,
        client_error: type[Exception] = aiohttp.ClientConnectorError,
        **kwargs: object,
    ) -> tuple[asyncio.Transport, aiohttp.client_proto.ResponseHandler]:
        key = req.connection_key
        host, port = addr_infos[0][4][:2]
        try:
            async with asyncio.timeout(timeout.sock_connect):
                connected = await self._socket(host, port)
                try:
                    made = await self._loop.create_connection(*args, **kwargs, sock=connected)  # type: ignore[call-overload]
                except BaseException:
                    connected.close()
                    raise
        except (ProxyTimeoutError, TimeoutError) as error:
            raise aiohttp.ConnectionTimeoutError("No connection through the proxy in time") from error
        except (ProxyConnectionError, ProxyError) as error:
            raise aiohttp.ClientProxyConnectionError(key, OSError(None, str(error))) from error
        except ssl.CertificateError as error:
            raise aiohttp.ClientConnectorCertificateError(key, error) from error
        except ssl.SSLError as error:
            raise aiohttp.ClientConnectorSSLError(key, error) from error
        except OSError as error:
            raise aiohttp.ClientProxyConnectionError(key, error) from error
        return cast("tuple[asyncio.Transport, aiohttp.client_proto.ResponseHandler]", made)

    async def _socket(self, host: str, port: int) -> socket.socket:
        proxy = self._socks
        socks = SocksProxy(
            ProxyType.SOCKS5, proxy.host, proxy.port, username=proxy.user, password=proxy.password, rdns=proxy.resolves
        )
        return await socks.connect(dest_host=host, dest_port=port)


class _AsNamed(AbstractResolver):
    """Leaves names to the proxy."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=host, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass
