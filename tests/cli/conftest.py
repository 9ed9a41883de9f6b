"""The program called in this process, and started as a process of its own."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager

import attrs
import pytest

from toapis_async.cli.program import run_program
from toapis_async.testing import Constant, Scenario, Simulator

QUICK = ("--min-poll-interval", "0.05", "--rate-limit", "none")


@attrs.frozen
class Ended:
    """How a call of the program ended.

    Attributes:
        code: the exit code.
        out, err: what it wrote.

    """

    code: int
    out: str
    err: str

    @property
    def lines(self):
        """The lines of stdout."""
        return self.out.splitlines()

    @property
    def documents(self):
        """The JSON documents of stdout, one per line."""
        return [json.loads(line) for line in self.lines]

    @property
    def document(self):
        """The one JSON document of stdout."""
        return json.loads(self.out)


@pytest.fixture
def quick():
    """Options for a gateway that is quick."""
    return QUICK


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    """Begin without a key and without an address."""
    for name in ("TOAPIS_API_KEY", "TOAPIS_BASE_URL", "TOAPIS_LOG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def toapis(capfd):
    """``await toapis("batch", …)``: the program in a thread, so that a simulator can run in the test's loop."""

    async def call(*arguments):
        capfd.readouterr()
        code = await asyncio.to_thread(run_program, [str(argument) for argument in arguments])
        return Ended(int(code), *capfd.readouterr())

    return call


@pytest.fixture
def gateway(monkeypatch):
    """``async with gateway(faults=…) as sim``: a simulator, with address and key in the environment."""

    @asynccontextmanager
    async def run(scenario=None, **settings):
        scenario = scenario or Scenario(**{"files": "small", "latency": Constant(0.05), **settings})
        async with Simulator(scenario) as sim:
            monkeypatch.setenv("TOAPIS_BASE_URL", sim.base_url)
            monkeypatch.setenv("TOAPIS_API_KEY", sim.api_key)
            yield sim

    return run


@attrs.define
class Started:
    """The program as a process."""

    process: asyncio.subprocess.Process

    def signal(self, number):
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self, stdin=None):
        """Wait for its end."""
        out, err = await asyncio.wait_for(self.process.communicate(stdin), 30)
        return Ended(self.process.returncode, out.decode(), err.decode())

    async def until(self, condition):
        """Wait until something is true, while it runs."""
        while not condition():
            assert self.process.returncode is None, await self.process.stderr.read()
            await asyncio.sleep(0.02)


@pytest.fixture
async def start():
    """``await start("batch", …)``: the program as a process; it is killed if the test leaves it behind."""
    started = []

    async def begin(*arguments, python=(), **more):
        environment = {**os.environ, "PYTHONUNBUFFERED": ""}
        if python:  # whoever measures coverage in there would trip over the switches
            environment = {name: value for name, value in environment.items() if not name.startswith("COVERAGE")}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *python,
            "-m",
            "toapis_async",
            *map(str, arguments),
            env=environment,
            **{
                "stdin": asyncio.subprocess.PIPE,
                "stdout": asyncio.subprocess.PIPE,
                "stderr": asyncio.subprocess.PIPE,
                **more,
            },
        )
        started.append(process)
        return Started(process)

    yield begin
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
def prompts(tmp_path):
    """``prompts(12)``: a file of so many requests with ids; or of the lines given."""

    def write(lines, name="prompts.jsonl", **fields):
        if isinstance(lines, int):
            lines = [json.dumps({"prompt": f"a fox, number {n}", "id": f"fox-{n}", **fields}) for n in range(lines)]
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return path

    return write
