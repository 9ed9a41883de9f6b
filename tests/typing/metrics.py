"""Figures of a client. Needs: AsyncToAPIs.metrics"""

from typing import assert_type

from toapis_async import AsyncToAPIs, Metrics


def figures(client: AsyncToAPIs) -> None:
    metrics = client.metrics()
    assert_type(metrics, Metrics)
    assert_type(metrics.in_flight, int)
