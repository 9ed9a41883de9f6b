"""Names that lead inside resolve to nothing."""

import socket

import pytest
from aiohttp.abc import AbstractResolver

from toapis_async.transport.connections.guarded_resolver import GuardedResolver


class Answers(AbstractResolver):
    """A resolver that gives the same addresses for every name."""

    def __init__(self, *ips):
        self.ips = ips

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [
            {"hostname": host, "host": ip, "port": port, "family": family, "proto": 0, "flags": 0} for ip in self.ips
        ]

    async def close(self):
        raise AssertionError("the inner resolver is not ours to close")


async def test_only_public_addresses_are_left():
    """One bad address among good ones is never connected to."""
    resolver = GuardedResolver(Answers("10.0.0.1", "8.8.8.8", "::1"), base_url="https://toapis.com/v1")

    assert [found["host"] for found in await resolver.resolve("files.toapis.com", 443)] == ["8.8.8.8"]
    await resolver.close()


async def test_a_name_with_only_inner_addresses_fails():
    """The error names what the name resolved to."""
    resolver = GuardedResolver(Answers("169.254.169.254"), base_url="https://toapis.com/v1")

    with pytest.raises(OSError, match=r"evil\.example resolves to 169\.254\.169\.254"):
        await resolver.resolve("evil.example")


async def test_a_name_without_addresses_stays_empty():
    """Nothing found is nothing refused."""
    assert await GuardedResolver(Answers(), base_url="https://toapis.com/v1").resolve("x.example") == []
