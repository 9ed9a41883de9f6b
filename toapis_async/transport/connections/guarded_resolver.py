"""Name resolution that never leads inside: forbidden addresses are dropped before a connection is made."""

import socket
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

from toapis_async.policy.files.addresses import address_allowed


class GuardedResolver(AbstractResolver):
    """Another resolver's answers, less those that ``policy.files.addresses`` forbids.

    Args:
        inner: who asks the network; it stays the caller's to close.
        base_url: of the gateway; what it names itself is trusted.
        trusted: further hosts that the user named.
        proxies: hosts and ports of proxies, which mostly lie inside.

    """

    def __init__(
        self,
        inner: AbstractResolver,
        *,
        base_url: str,
        trusted: frozenset[str] = frozenset(),
        proxies: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        self._inner = inner
        self._base_url = base_url
        self._trusted = trusted
        self._proxies = proxies

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name.

        Raises:
            OSError: it has no address, or none that may be connected to.

        """
        found = await self._inner.resolve(host, port, family)
        if (host, port) in self._proxies:
            return found
        judge = partial(address_allowed, host=host, base_url=self._base_url, trusted=self._trusted)
        allowed = [one for one in found if judge(one["host"])]
        if found and not allowed:
            raise OSError(None, f"{host} resolves to {found[0]['host']}, which is not a public address")
        return allowed

    async def close(self) -> None:
        """Do nothing: the inner resolver is the caller's."""
