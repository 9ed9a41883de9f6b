"""Whole runs of the library against the simulator on a real socket, judged by the simulator's books and by the disk.

``TOAPIS_JOURNEY_PROMPTS`` and ``TOAPIS_JOURNEY_KILLS`` scale the runs; the defaults suit the ordinary test run.
"""

import asyncio
import hashlib
import importlib.util
import io
import json
import os
import sys
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest
from toapis_async.testing import Scenario, Simulator

ONE_RUN = Path(__file__).with_name("one_run.py")
PROMPTS = int(os.environ.get("TOAPIS_JOURNEY_PROMPTS", "80"))
KILLS = int(os.environ.get("TOAPIS_JOURNEY_KILLS", "2"))

_spec = importlib.util.spec_from_file_location("toapis_one_run", ONE_RUN)
one_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(one_run)


def pytest_collection_modifyitems(items):
    """Give runs of full size the time that they take."""
    for item in items:
        if PROMPTS > 200 and "journeys" in item.path.parts:
            item.add_marker(pytest.mark.timeout(1800))


class Journey:
    """A simulator, an output directory, and runs of the library between them.

    Attributes:
        sim: with its books.
        directory: where the files go.
        count: of prompts.
        speed: how many seconds of the library's clock pass in one; the simulator's own clock is not hurried, so lags
            and latencies of a scenario have to be given in hurried seconds.

    """

    def __init__(self, sim, directory, *, count, speed):
        self.sim, self.directory, self.count, self.speed = sim, directory, count, speed
        self.clock = one_run.HurriedClock(speed)

    @property
    def prompts(self):
        return [one_run.prompt(number) for number in range(self.count)]

    def requests(self, count=None):
        return list(one_run.requests(self.count if count is None else count))

    def client(self, **settings):
        """A client of the library for this simulator."""
        return AsyncToAPIs(
            **{
                "api_key": self.sim.api_key,
                "base_url": self.sim.base_url,
                "rate_limits": None,
                "polling": FixedPolling(5.0),
                "timeout": 20.0,
                "clock": self.clock,
                "random": Random(1),
                **settings,
            }
        )

    async def run(self, requests=None, *, client=None, resume=False, **session):
        """One run to its end; the outcomes by class name, and the report."""
        outcomes = []
        async with self.client(**(client or {})) as opened, opened.session(self.directory, **session) as running:
            stream = running.resume() if resume else running.stream(self.requests() if requests is None else requests)
            async for outcome in stream:
                outcomes.append(outcome)
        return outcomes, running.report

    async def start(self, **options):
        """The same in a process of its own."""
        told = {
            "base_url": self.sim.base_url,
            "directory": str(self.directory),
            "prompts": self.count,
            "speed": self.speed,
            **options,
        }
        return await self._process(str(ONE_RUN), json.dumps(told))

    async def command(self, *words):
        """The ``toapis`` program."""
        return await self._process("-m", "toapis_async", *words)

    async def _process(self, *words):
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            env={**os.environ, "TOAPIS_API_KEY": self.sim.api_key},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def start_and_finish(self, **options):
        """The same to its end; what it printed."""
        process = await self.start(**options)
        printed, complaints = await process.communicate()
        assert process.returncode == 0, complaints.decode()
        return json.loads(printed)

    def manifest(self):
        """The lines of the manifest by key; a key twice fails."""
        lines = [json.loads(line) for line in (self.directory / "manifest.jsonl").read_text("utf-8").splitlines()]
        by_key = {line["id"]: line for line in lines}
        assert len(by_key) == len(lines), "a key has two lines"
        return by_key

    def assert_charged_once(self, prompts=None):
        """Every prompt was accepted and charged exactly once."""
        books = self.sim.books
        charges = Counter({prompt: entry.net_charges for prompt, entry in books.by_prompt.items() if entry.accepted})
        accepted = Counter({prompt: entry.accepted for prompt, entry in books.by_prompt.items() if entry.accepted})
        expected = Counter(self.prompts if prompts is None else prompts)
        assert expected == charges
        assert expected == accepted

    async def fetched(self):
        """Every paid file was fetched to its last byte; the books hear of a slow one a moment after its reader."""
        async with asyncio.timeout(120):
            while self.sim.books.never_downloaded:
                await asyncio.sleep(0.02)

    def assert_never_charged_twice(self):
        """No prompt was accepted more than once."""
        assert {
            prompt: entry.accepted for prompt, entry in self.sim.books.by_prompt.items() if entry.accepted > 1
        } == {}

    def assert_on_disk(self, prompts=None):
        """The manifest says that every prompt is saved, its files are what it says, and nothing else lies there."""
        lines = self.manifest()
        expected = Counter(self.prompts if prompts is None else prompts)
        assert expected == Counter(line["prompt"] for line in lines.values())
        assert {"saved": len(lines)} == Counter(line["status"] for line in lines.values())
        self.assert_files(lines.values())

    def assert_files(self, lines):
        """Every file of these lines opens and has the checksum that they give; no other file lies there."""
        named = set()
        for line in lines:
            assert line["files"] or line["status"] != "saved"
            for file in line["files"]:
                content = (self.directory / file["path"]).read_bytes()
                assert file["sha256"] == hashlib.sha256(content).hexdigest()
                assert file["bytes"] == len(content)
                with Image.open(io.BytesIO(content)) as image:
                    image.load()
                    assert (file["width"], file["height"]) == image.size
                assert file["path"] not in named
                named.add(file["path"])
        assert named == {path.name for path in self.directory.iterdir()} - {"manifest.jsonl", ".toapis"}
        private = {path.name for path in (self.directory / ".toapis").iterdir()}
        assert private <= {"journal.sqlite3", "lock", "owner.json"}, private


@pytest.fixture
def journey(tmp_path):
    """``async with journey(scenario, …) as going``: a simulator with small files, and an output directory."""

    @asynccontextmanager
    async def go(scenario=None, *, count=PROMPTS, speed=40.0, seed=0, name="out", **settings):
        scenario = scenario or Scenario(**{"files": "small", **settings})
        async with Simulator(scenario, seed=seed) as sim:
            yield Journey(sim, tmp_path / name, count=count, speed=speed)

    return go


@pytest.fixture
def kills():
    """How often a run is killed."""
    return KILLS


@pytest.fixture
def prompt_count():
    """How many prompts a run has."""
    return PROMPTS


@pytest.fixture
def hurried_clock():
    """The class of clocks on which waiting takes a fraction of the time."""
    return one_run.HurriedClock


@pytest.fixture
def one_prompt():
    """Requests by number."""
    return lambda number: ImageRequest(prompt=one_run.prompt(number))


@pytest.fixture
def counted():
    """Count outcomes by class name."""
    return lambda outcomes: Counter(type(outcome).__name__ for outcome in outcomes)


@pytest.fixture
def at_once():
    """Make several journeys at a time, since they mostly wait; failures tell which of them they are about."""

    async def go(named):
        results = await asyncio.gather(*named.values(), return_exceptions=True)
        errors = {name: error for name, error in zip(named, results, strict=True) if error is not None}
        for name, error in errors.items():
            error.add_note(f"in the journey {name!r}")
        if errors:
            raise BaseExceptionGroup(f"journeys: {', '.join(errors)}", list(errors.values()))

    return go
