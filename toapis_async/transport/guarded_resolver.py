"""Name resolution that never leads inside: forbidden addresses are dropped before a connection is made."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from toapis_async.policy.files.addresses import address_allowed


class GuardedResolver(AbstractResolver):
    """Another resolver's answers, less those that ``policy.files.addresses`` forbids.

    Args:
        inner: who asks the network; it stays the caller's to close.
        base_url: of the gateway; what it names itself is trusted.

    """

    def __init__(self, inner: AbstractResolver, *, base_url: str) -> None:
        self._inner = inner
        self._base_url = base_url

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name.

        Raises:
            OSError: it has no address, or none that may be connected to.

        """
        found = await self._inner.resolve(host, port, family)
        allowed = [one for one in found if address_allowed(one["host"], host=host, base_url=self._base_url)]
        if found and not allowed:
            raise OSError(None, f"{host} resolves to {found[0]['host']}, which is not a public address")
        return allowed

    async def close(self) -> None:
        """Do nothing: the inner resolver is the caller's."""
