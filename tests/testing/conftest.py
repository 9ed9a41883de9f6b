"""The simulator and a plain aiohttp client for it; nothing of the library's own client."""

import asyncio
import io
import json
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from toapis_async.testing.scenario.settings import Scenario
from toapis_async.testing.simulator import Simulator

SAMPLES = Path(__file__).parents[1] / "samples"


class Caller:
    """Calls with the key, and without where told so."""

    def __init__(self, sim, session):
        self.sim, self.session = sim, session

    async def call(self, method, path, *, key=True, **more):
        """Status, headers and body of one call; JSON is decoded."""
        headers = {**({"Authorization": f"Bearer {self.sim.api_key}"} if key else {}), **more.pop("headers", {})}
        url = path if path.startswith("http") else f"{self.sim.base_url}{path}"
        async with self.session.request(method, url, headers=headers, **more) as reply:
            body = await reply.read()
            if reply.content_type == "application/json":
                body = json.loads(body)
            return reply.status, reply.headers, body

    async def submit(self, prompt="a fox", path="/v1/images/generations", **fields):
        """The document of an accepted submission."""
        body = {"model": "gemini-2.5-flash-image-preview", "prompt": prompt, **fields}
        status, _, document = await self.call("POST", path, json=body)
        assert status == 200, document
        return document

    async def look(self, name, kind="images"):
        """The document of a status query."""
        status, _, document = await self.call("GET", f"/v1/{kind}/generations/{name}")
        assert status == 200, document
        return document

    async def made(self, prompt="a fox", **fields):
        """The document of a completed image task."""
        task = await self.submit(prompt, **fields)
        self.sim.clock.advance(5)
        return await self.look(task["id"])


@pytest.fixture
def running():
    """``async with running(faults=…) as (sim, caller)``: a simulator with small files, and a client."""

    @asynccontextmanager
    async def run(scenario=None, *, seed=0, **settings):
        scenario = scenario or Scenario(**{"files": "small", **settings})
        async with Simulator(scenario, seed=seed) as sim, aiohttp.ClientSession() as session:
            yield sim, Caller(sim, session)

    return run


@pytest.fixture
def sample():
    """One of the recorded reply bodies, by name."""

    def read(name):
        return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))

    return read


@pytest.fixture
def form():
    """A multipart form with a file."""

    def make(content, name="file"):
        data = aiohttp.FormData()
        data.add_field(name, io.BytesIO(content), filename="reference.bin")
        data.add_field("purpose", "generation")
        return data

    return make


class Received:
    """Webhook deliveries as they came in."""

    def __init__(self):
        self.url, self.statuses, self._queue = "", [], asyncio.Queue()

    async def take(self, request):
        """Keep a delivery, and answer with the next of ``statuses``."""
        await self._queue.put(Delivery(request.path, dict(request.headers), await request.read()))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 204, headers={"Location": "/elsewhere"})

    def taken(self):
        """Those that came and were not asked for yet."""
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]

    async def next(self):
        """The next delivery."""
        async with asyncio.timeout(120):
            return await self._queue.get()


class Delivery:
    """One webhook."""

    def __init__(self, path, headers, raw):
        self.path, self.headers, self.raw = path, headers, raw

    @property
    def document(self):
        """The decoded body."""
        return json.loads(self.raw)


@pytest.fixture
def receiver():
    """``async with receiver() as received``: an endpoint for webhooks."""

    @asynccontextmanager
    async def receive():
        received = Received()
        app = web.Application()
        app.router.add_post("/{path:.*}", received.take)
        server = TestServer(app)
        await server.start_server()
        received.url = str(server.make_url("/hook"))
        try:
            yield received
        finally:
            await server.close()

    return receive
