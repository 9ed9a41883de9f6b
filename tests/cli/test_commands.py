"""The commands without a file of prompts: balance, models, simulate, demo; and the program itself."""

import asyncio
import hashlib
import json
import shlex
import signal
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import aiohttp
import click
import pytest

from toapis_async import AsyncToAPIs, packaged_catalogue
from toapis_async.cli import program as program_module
from toapis_async.cli.program import program
from toapis_async.testing import SCENARIOS, Constant

COMMANDS = program.list_commands(None)


@pytest.mark.parametrize("name", COMMANDS)
async def test_every_command_has_help_with_an_example(toapis, name):
    """The help says what a command does, and shows it."""
    ended = await toapis(name, "--help")

    assert ended.code == 0
    assert f"toapis {name}" in ended.out.partition("Example")[2]
    assert max(map(len, ended.lines)) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name):
    """No option is left unexplained."""
    for option in program.get_command(None, name).params:
        assert isinstance(option, click.Argument) or option.help, option.name


async def test_the_program(toapis):
    """Without a command it shows them all; a mistyped one is guessed."""
    alone, version, mistyped = await toapis(), await toapis("--version"), await toapis("genrate")

    assert all(f"  {name} " in alone.err for name in COMMANDS)
    assert version.out.startswith("toapis 0.")
    assert (mistyped.code, "did you mean 'generate'?" in mistyped.err) == (2, True)


async def test_what_should_not_happen(toapis, monkeypatch):
    """A defect is told in a sentence with how to report it; the traceback is for those who ask."""

    def broken(_):
        raise RuntimeError("a \x1b[31mdefect")

    monkeypatch.setattr("toapis_async.cli.commands.models._show_table", broken)
    short = await toapis("models")
    monkeypatch.setenv("TOAPIS_LOG", "debug")
    long = await toapis("models")

    assert (short.code, long.code) == (1, 1)
    assert "Traceback" not in short.err
    assert "TOAPIS_LOG=debug" in short.err
    assert "\x1b" not in short.err
    assert "Traceback" in long.err


def test_without_the_extra():
    """Where click is missing the program says what to install."""
    code = "import sys; sys.modules['click'] = None; from toapis_async.cli.main import main; main()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert "pip install 'toapis-async[cli]'" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("package", "arguments", "extra"),
    [("rich", ("models",), "cli"), ("PIL", ("report", "."), "report")],
)
def test_the_missing_extra_is_named(package, arguments, extra):
    """Where a package is missing, what needs it says which extra has it."""
    code = f"import sys; sys.modules[{package!r}] = None; from toapis_async.cli.main import main; main()"
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert f"pip install 'toapis-async[{extra}]'" in ended.stderr


def test_the_console_script_is_the_program():
    """The name in pyproject.toml leads to the same function as ``python -m``."""
    scripts = tomllib.loads((Path(program_module.__file__).parents[2] / "pyproject.toml").read_text())["project"]

    assert scripts["scripts"]["toapis"] == "toapis_async.cli.main:main"


async def test_balance(toapis, gateway):
    """What is left and what was used, for people and for programs."""
    async with gateway(balance_usd="2.5"):
        people, machine = await toapis("balance"), await toapis("balance", "--user", "--json")

    assert "left  2.50 USD = 500 credits" in people.out
    assert machine.document["remaining_usd"] == 2.5
    assert machine.document["unlimited"] is False


async def test_an_unlimited_balance(toapis, gateway):
    """No quota is said to be none."""
    async with gateway(balance_usd=None):
        assert "left  unlimited" in (await toapis("balance")).out


async def test_no_gateway_there(toapis, monkeypatch):
    """Where nobody listens the error says so; it may be tried again later."""
    monkeypatch.setenv("TOAPIS_API_KEY", "sk-test-test")
    monkeypatch.setattr("toapis_async.cli.settings.AsyncToAPIs", partial(AsyncToAPIs, max_retries=0))
    ended = await toapis("balance", "--base-url", "http://127.0.0.1:9")

    assert ended.code == 5
    assert "Error: " in ended.err
    assert "Traceback" not in ended.err


async def test_models_as_a_table(toapis):
    """Each model has a line, and filters leave out what does not fit."""
    everything = await toapis("models")
    some = await toapis("models", "--kind", "image", "--resolution", "4K", "--family", "nano-banana", "--priced")
    none = await toapis("models", "--family", "no such thing")

    assert all(model.id in everything.out for model in packaged_catalogue())
    assert "gemini-2.5-flash-image-preview" in some.out
    assert "sora" not in some.out
    assert "No model" in none.err


async def test_models_as_json(toapis):
    """Programs get the same facts; unknown prices are null."""
    ended = await toapis("models", "--json", "--size", "21:9", "--references", "10", "--channel", "plain")

    found = {one["id"]: one for one in ended.document}
    assert found["gemini-2.5-flash-image-preview"]["price_per_output_usd"] == 0.012
    assert all(one["max_references"] >= 10 for one in found.values())
    assert any(one["price"] is None for one in found.values())


@pytest.mark.parametrize("model", list(packaged_catalogue()), ids=lambda model: model.id)
async def test_everything_about_one_model(toapis, model):
    """Every model can be shown, and every variant of its family is named with what speaks for it."""
    people, machine = await toapis("models", model.id), await toapis("models", model.id, "--json")

    assert (people.code, machine.code) == (0, 0)
    assert people.lines[0].strip() == model.id
    siblings = [one.id for one in packaged_catalogue() if (one.family, one.kind) == (model.family, model.kind)]
    if len(siblings) > 1:
        assert "Which variant to choose" in people.out
        assert [words.partition(":")[0] for words in machine.document["variants"]] == siblings


async def test_a_model_that_is_not_known(toapis):
    """The closest known name is guessed, and it is said that others pass too."""
    ended = await toapis("models", "nano-bananna")

    assert ended.code == 2
    assert "did you mean 'nano-banana'?" in ended.err
    assert "without checks" in ended.err


async def test_models_that_the_gateway_lists(toapis, gateway):
    """--available asks the gateway."""
    async with gateway():
        ended = await toapis("models", "--available", "--json")

    assert ended.code == 0, ended.err
    assert "gemini-2.5-flash-image-preview" in {one["id"] for one in ended.document}


async def test_demo(toapis, tmp_path, monkeypatch):
    """Without a key: at least twelve images of several ratios, and a manifest whose checksums are right; again too."""
    out = tmp_path / "out"
    for _ in range(2):
        ended = await toapis("demo", "-o", out)

        assert ended.code == 0, ended.err
        assert "What next" in ended.err
        lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
        assert len(lines) >= 12
        files = [file for line in lines for file in line["files"]]
        assert len({round(file["width"] / file["height"], 1) for file in files}) >= 5
        for file in files:
            assert hashlib.sha256((out / file["path"]).read_bytes()).hexdigest() == file["sha256"]
        monkeypatch.setattr("toapis_async.cli.commands.demo._LATENCY", Constant(0.05))


async def test_a_demo_is_no_real_run(toapis, gateway, prompts, tmp_path, monkeypatch):
    """What was made up is not resumed, and does not mix with what is real."""
    monkeypatch.setattr("toapis_async.cli.commands.demo._LATENCY", Constant(0.05))
    await toapis("demo", "-o", tmp_path / "out")
    async with gateway() as sim:
        resumed = await toapis("resume", tmp_path / "out")
        added = await toapis("batch", prompts(1), "-o", tmp_path / "out", "--json")

        assert (resumed.code, "toapis demo" in resumed.err) == (2, True)
        assert (added.code, "holds a demo" in added.document["error"]["message"]) == (2, True)
        assert sim.books.posts == 0


async def test_the_demo_leaves_a_real_run_alone(toapis, gateway, prompts, quick, tmp_path):
    """A directory with a real run in it is refused."""
    async with gateway():
        await toapis("batch", prompts(1), "-o", tmp_path / "out", *quick)
    ended = await toapis("demo", "-o", tmp_path / "out")

    assert ended.code == 2
    assert "holds a real run" in ended.err


async def test_simulate(toapis, start, quick, tmp_path, monkeypatch):
    """It says where it is, other commands work against it, and stopping it is its normal end."""
    process = await start("simulate", "--scenario", "instant", "--json", "--seed", "7")
    place = json.loads(await asyncio.wait_for(process.process.stdout.readline(), 20))
    monkeypatch.setenv("TOAPIS_API_KEY", place["api_key"])
    made = await toapis("generate", "a fox", "-o", tmp_path, "--base-url", place["base_url"], *quick)
    async with aiohttp.ClientSession() as session, session.get(f"{place['base_url']}/__admin/books") as reply:
        books = await reply.json()
    process.signal(signal.SIGINT)
    ended = await process.ended()

    assert made.code == 0, made.err
    assert books["accepted"] == 1
    assert (ended.code, ended.err.count("Traceback")) == (0, 0)


async def test_a_scenario_of_ones_own(start, tmp_path):
    """A TOML file is a scenario, and what is printed can be given to a shell."""
    path = tmp_path / "mine.toml"
    path.write_text('latency = 0.1\nfiles = "small"\n')
    process = await start("simulate", "--scenario", path)
    first = (await asyncio.wait_for(process.process.stdout.readline(), 20)).decode()
    second = (await asyncio.wait_for(process.process.stdout.readline(), 20)).decode()
    process.signal(signal.SIGTERM)

    assert first.startswith("export TOAPIS_BASE_URL=http://127.0.0.1:")
    assert second.startswith("export TOAPIS_API_KEY=sk-")
    assert (await process.ended()).code == 0


async def test_simulate_with_a_webhook(start, toapis):
    """The secret is among what can be given to a shell, quoted; an address that cannot be is a wrong call."""
    options = ("--webhook", "http://127.0.0.1:9/hook", "--webhook-secret", "it's mine", "--speed", "5")
    process = await start("simulate", *options)
    lines = [(await asyncio.wait_for(process.process.stdout.readline(), 20)).decode() for _ in range(3)]
    process.signal(signal.SIGTERM)
    wrong = await toapis("simulate", "--webhook", "http://hooks.example/")

    assert shlex.split(lines[2]) == ["export", "TOAPIS_WEBHOOK_SECRET=it's mine"]
    assert (await process.ended()).code == 0
    assert (wrong.code, "https address" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [("bad-dya", "did you mean 'bad-day'?"), ("gone.toml", "cannot be read"), ("odd.toml", "latenzy")],
)
async def test_scenarios_that_are_none(toapis, tmp_path, monkeypatch, scenario, sentence):
    """A mistake in the scenario is told."""
    monkeypatch.chdir(tmp_path)
    Path("odd.toml").write_text("latenzy = 3\n")
    ended = await toapis("simulate", "--scenario", scenario)

    assert ended.code == 2
    assert sentence in ended.err


async def test_the_scenarios_are_listed(toapis):
    """Each named scenario is told with what it is for."""
    ended, machine = await toapis("simulate", "--list"), await toapis("simulate", "--list", "--json")

    assert {line.split()[0] for line in ended.lines} == set(SCENARIOS)
    assert set(machine.document) == set(SCENARIOS)
