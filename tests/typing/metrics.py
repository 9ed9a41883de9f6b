"""Figures of a client. Needs: AsyncToAPIs.metrics"""

from toapis_async import AsyncToAPIs


def figures(client: AsyncToAPIs) -> None:
    print(client.metrics())
