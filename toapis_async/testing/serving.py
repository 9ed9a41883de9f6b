"""Running the simulator until somebody stops it: ``toapis simulate`` and ``python -m toapis_async.testing``."""

import asyncio
from collections.abc import Callable

from toapis_async.testing.scenario.settings import Scenario
from toapis_async.testing.simulator import Simulator


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    scenario: Scenario | str = "calm",
    tls: bool = False,
    seed: int = 0,
    speed: float = 1.0,
    announce: Callable[[Simulator], None],
) -> None:
    """Serve until cancelled.

    Args:
        host: the address to listen on.
        port: 0 takes a free one.
        scenario: a name of ``SCENARIOS`` or a value.
        tls: whether to speak https.
        seed: decides every chance.
        speed: how many of the simulator's seconds pass in one of the machine's.
        announce: called once it listens, with ``base_url`` and ``api_key`` there to be told.

    Raises:
        ConfigurationError: an unknown scenario, a port that is taken, or TLS without ``trustme``.

    """
    async with Simulator(scenario, host=host, port=port, tls=tls, seed=seed, speed=speed) as simulator:
        announce(simulator)
        await asyncio.Event().wait()
