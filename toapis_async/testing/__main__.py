"""``python -m toapis_async.testing``: the simulator in its own process, for tests of other programs."""

import argparse
import asyncio
import json
import signal
import sys
from contextlib import suppress
from pathlib import Path

from toapis_async.errors import ConfigurationError
from toapis_async.testing.scenario.library import SCENARIOS, scenario_named
from toapis_async.testing.scenario.settings import Scenario
from toapis_async.testing.scenario.toml_form import scenario_from_toml
from toapis_async.testing.serving import connection_of, serve
from toapis_async.testing.simulator import Simulator


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; the first line of the output says where, as JSON."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_until_stopped(options, _scenario(options.scenario)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m toapis_async.testing", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--scenario", default="calm", help="a TOML file, or one of " + ", ".join(SCENARIOS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    parser.add_argument("--webhook", metavar="URL", help="where finished tasks are announced")
    parser.add_argument("--webhook-secret", metavar="S", help="signs the events; made when it is left out")
    parser.add_argument("--tls", action="store_true", help="speak https with a certificate made for the occasion")
    return parser


def _scenario(name: str) -> Scenario:
    path = Path(name)
    return scenario_from_toml(path.read_text("utf-8")) if path.suffix == ".toml" else scenario_named(name)


async def _until_stopped(options: argparse.Namespace, scenario: Scenario) -> None:
    serving = asyncio.current_task()
    if serving is not None:
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    await serve(
        host=options.host,
        port=options.port,
        scenario=scenario,
        tls=options.tls,
        seed=options.seed,
        speed=options.speed,
        webhook=options.webhook,
        webhook_secret=options.webhook_secret,
        announce=_announce,
    )


def _announce(simulator: Simulator) -> None:
    sys.stdout.write(json.dumps(connection_of(simulator)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
