"""``toapis demo``."""

import shlex
import shutil
from pathlib import Path

import attrs
import click

from toapis_async.async_client import AsyncToAPIs
from toapis_async.cli.options import json_option, output_option, quiet_option
from toapis_async.cli.runs.engine import Engine
from toapis_async.cli.runs.expectation import Expectation
from toapis_async.cli.runs.invocation import NOTE, Memory, recalled
from toapis_async.cli.runs.next_steps import Invocation
from toapis_async.cli.runs.output_place import probe
from toapis_async.cli.stopping import Stopper, run
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.errors import ConfigurationError
from toapis_async.policy.waiting.polling import LearnedPolling
from toapis_async.storage.journal.sqlite_journal import PRIVATE_DIRECTORY, journal_path
from toapis_async.testing.scenario.latency import LogNormal
from toapis_async.testing.scenario.library import SCENARIOS
from toapis_async.testing.simulator import Simulator
from toapis_async.values.requests import ImageRequest

_LATENCY = LogNormal(1.2, 0.4)
_SUBJECTS = (
    ("a red fox in fresh snow", "1:1"),
    ("a lighthouse at the edge of the world", "16:9"),
    ("a portrait of an old sailor", "9:16"),
    ("a bowl of ramen, steam rising", "4:3"),
    ("a paper boat in a puddle", "3:4"),
    ("a night train crossing a viaduct", "21:9"),
    ("a cat asleep on a piano", "1:1"),
    ("a desert road after rain", "16:9"),
    ("a tall bookshelf with a ladder", "9:16"),
    ("a greenhouse in winter", "4:3"),
    ("a balloon over a vineyard", "3:4"),
    ("a harbour at dawn, seen from the hill", "21:9"),
    ("a blue door in a white wall", "1:1"),
    ("two astronauts playing chess", "16:9"),
    ("a waterfall in a mossy gorge", "9:16"),
    ("a market stall full of lemons", "4:3"),
)


@click.command(
    short_help="A small batch without a key.",
    epilog="""\b
Example:
  toapis demo -o out""",
)
@output_option
@json_option
@quiet_option
def demo(directory: str, as_json: bool, quiet: bool) -> int:  # click passes by name
    """Make a small batch against a gateway that is simulated on this machine.

    Needs no key and costs nothing. The pictures are drawn here; everything else is what a real run does.
    """
    terminal = Terminal(as_json=as_json, quiet=quiet)
    place = Path(directory)

    async def work(stopper: Stopper) -> int:
        probe(place)
        await _make_room(place)
        scenario = attrs.evolve(SCENARIOS["calm"], latency=_LATENCY)
        async with Simulator(scenario) as simulator:
            terminal.say(
                f"A simulated gateway listens at {simulator.base_url}; {len(_SUBJECTS)} prompts are sent to it."
            )
            code = await _make(simulator, place, terminal, stopper)
        if code == 0:
            _say_what_next(directory, terminal)
        return code

    return run(work)


async def _make(simulator: Simulator, place: Path, terminal: Terminal, stopper: Stopper) -> int:
    requests = [
        ImageRequest(prompt, size=size, id=f"{number:02d}-{size.replace(':', 'x')}")
        for number, (prompt, size) in enumerate(_SUBJECTS, 1)
    ]
    again = shlex.join(["toapis", "demo", "-o", str(place)])
    engine = Engine(
        terminal=terminal,
        stopper=stopper,
        invocation=Invocation(directory=str(place), resume=again, resumable=False),
        expectation=Expectation(total=len(requests)),
    )
    async with (
        AsyncToAPIs(
            api_key=simulator.api_key, base_url=simulator.base_url, polling=LearnedPolling(min_interval=0.25)
        ) as client,
        client.session(place, max_concurrency=6, on_event=engine.watch.hear) as session,
    ):
        await session.remember(NOTE, Memory(base_url=client.base_url, demo=True).to_text())
        return await engine.run(session, requests)


async def _make_room(place: Path) -> None:
    """Refuse a directory with a real run in it; forget an earlier demo, whose gateway is gone.

    Raises:
        ConfigurationError: there is a real run.

    """
    if not journal_path(place).exists():
        return
    memory = await recalled(place)
    if memory is None or not memory.demo:
        raise ConfigurationError(
            f"{place} holds a real run; the demo does not touch it.",
            hint="Choose another directory: toapis demo -o demo",
        )
    shutil.rmtree(place / PRIVATE_DIRECTORY)
    (place / "manifest.jsonl").unlink(missing_ok=True)


def _say_what_next(directory: str, terminal: Terminal) -> None:
    shown = shlex.quote(directory)
    terminal.say(
        f"""
What next:
  toapis report {shown}
      writes {shown}/index.html, a gallery of these images
  toapis models
      what the gateway offers, and what it costs
  export TOAPIS_API_KEY=…
      your key; then the same for real:
  toapis generate "a red fox in the snow" --size 16:9 -o images
  toapis batch prompts.jsonl -o images"""
    )
