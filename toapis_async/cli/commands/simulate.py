"""``toapis simulate``."""

import shlex
from pathlib import Path

import click

from toapis_async.cli.options import json_option
from toapis_async.cli.stopping import Stopper, run
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.errors import ConfigurationError
from toapis_async.testing.scenario.library import SCENARIOS, scenario_named
from toapis_async.testing.scenario.settings import Scenario
from toapis_async.testing.scenario.toml_form import scenario_from_toml
from toapis_async.testing.serving import connection_of, serve
from toapis_async.testing.simulator import Simulator

_VARIABLES = {
    "base_url": "TOAPIS_BASE_URL",
    "api_key": "TOAPIS_API_KEY",
    "ca_file": "SSL_CERT_FILE",
    "webhook_secret": "TOAPIS_WEBHOOK_SECRET",
}


@click.command(
    short_help="Run the gateway in miniature on this machine.",
    epilog="""\b
Examples:
  toapis simulate
  toapis simulate --port 8080 --scenario bad-day
  toapis simulate --scenario my-scenario.toml --tls
  toapis simulate --webhook http://127.0.0.1:8000/toapis --speed 10
  toapis simulate --list""",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.  [0]")
@click.option(
    "--scenario", default="calm", metavar="NAME|FILE.toml", help="What the gateway is like; see --list.  [calm]"
)
@click.option("--seed", type=int, default=0, help="Decides every chance.  [0]")
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    help="How many of its seconds pass in one of the machine's.  [1]",
)
@click.option("--webhook", metavar="URL", help="Announce finished tasks there, signed and repeated until taken.")
@click.option(
    "--webhook-secret",
    metavar="S",
    envvar="TOAPIS_WEBHOOK_SECRET",
    help="Signs the events; made and printed when it is left out.  [TOAPIS_WEBHOOK_SECRET]",
)
@click.option("--tls", is_flag=True, help="Speak https, with a certificate made for the occasion (needs trustme).")
@click.option("--list", "list_scenarios", is_flag=True, help="Name the scenarios and leave.")
@json_option
def simulate(
    host: str,
    port: int,
    scenario: str,
    seed: int,
    speed: float,
    webhook: str | None,
    webhook_secret: str | None,
    tls: bool,
    list_scenarios: bool,
    as_json: bool,
) -> int:
    """Run the gateway in miniature on this machine, until Ctrl-C.

    Nothing leaves the machine, but for webhooks that you ask for, and nothing costs anything.
    Prints the base URL and a key to use.
    """
    terminal = Terminal(as_json=as_json)
    if list_scenarios:
        _list(terminal)
        return 0
    chosen = _scenario(scenario)

    def announce(simulator: Simulator) -> None:
        _announce(simulator, terminal)

    async def work(stopper: Stopper) -> int:
        stopper.polite = True
        await serve(
            host=host,
            port=port,
            scenario=chosen,
            tls=tls,
            seed=seed,
            speed=speed,
            webhook=webhook,
            webhook_secret=webhook_secret,
            announce=announce,
        )
        return 0

    return run(work)


def _scenario(name: str) -> Scenario:
    path = Path(name)
    if path.suffix != ".toml":
        return scenario_named(name)
    try:
        return scenario_from_toml(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The scenario {name} cannot be read: {getattr(error, 'strerror', None) or error}.",
            hint="Give a TOML file, or a name: toapis simulate --list",
        ) from error


def _list(terminal: Terminal) -> None:
    if terminal.as_json:
        terminal.result_json({name: scenario.summary for name, scenario in SCENARIOS.items()}, pretty=True)
        return
    for name, scenario in SCENARIOS.items():
        terminal.result(f"{name:<20}{scenario.summary}")


def _announce(simulator: Simulator, terminal: Terminal) -> None:
    connection = connection_of(simulator)
    if terminal.as_json:
        terminal.result_json(connection)
        return
    for name, value in connection.items():
        terminal.result(f"export {_VARIABLES[name]}={shlex.quote(value)}")
    summary = simulator.scenario.summary
    terminal.say(
        f"The simulator listens ({simulator.scenario.name}{': ' + summary if summary else ''}). "
        "Set these in another terminal and use toapis there. Ctrl-C ends it."
    )
