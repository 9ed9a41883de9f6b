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
    webhook: str | None = None,
    webhook_secret: str | None = None,
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
        webhook: where the first user's tasks are announced, or None.
        webhook_secret: signs those events; None makes one.
        announce: called once it listens, with ``base_url`` and ``api_key`` there to be told.

    Raises:
        ConfigurationError: an unknown scenario, a port that is taken, TLS without ``trustme``, or an address to which
            no webhook goes.

    """
    simulator = Simulator(scenario, host=host, port=port, tls=tls, seed=seed, speed=speed)
    if webhook is not None:
        simulator.set_webhook(webhook, secret=webhook_secret)
    async with simulator:
        announce(simulator)
        await asyncio.Event().wait()


def connection_of(simulator: Simulator) -> dict[str, str]:
    """What another program has to know: ``base_url``, ``api_key``, and ``ca_file`` and ``webhook_secret`` if any."""
    facts = {"base_url": simulator.base_url, "api_key": simulator.api_key}
    if simulator.tls:
        facts["ca_file"] = str(simulator.ca_file)
    if simulator.account.webhook is not None:
        facts["webhook_secret"] = simulator.account.webhook.secret
    return facts
