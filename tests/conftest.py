"""Fixtures for several floors."""

import asyncio
import importlib.util
import json
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import attrs
import pytest
from hypothesis import settings
from multidict import CIMultiDict

from toapis_async import AsyncToAPIs, FixedPolling, GracePeriods
from toapis_async.client.dispatching import EventDispatcher
from toapis_async.client.gateway import ClientIdTraits, Gateway
from toapis_async.policy.money.retrying import RetryPolicy
from toapis_async.policy.waiting.latency import LatencyBook
from toapis_async.ports.completion import NoCompletionSource
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.testing import Constant, FakeClock, Scenario, Simulator
from toapis_async.transport.pacing import Pacer
from toapis_async.values.exchange import HttpReply

sys.path.insert(0, str(Path(__file__).parent))
import proxies  # beside this file; the tests are no package
from hurried_clock import HurriedClock
from redis_server import REDIS, RedisServer
from s3_server import MISSING, S3Server

settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@attrs.frozen(kw_only=True)
class FileAnswer:
    """What a scripted file host does with one request.

    Attributes:
        status, headers, body: of the reply.
        length: the Content-Length to claim; None claims the body's own, a negative number claims none.
        sent: how many bytes of the body to send before closing; None sends all.
        reset: close with a TCP reset.
        chunked: use chunked transfer coding, and leave out its end when ``sent`` cuts the body.
        stall: send nothing more after the body, and keep the connection open.

    """

    status: int = 200
    headers: dict[str, str] = attrs.field(factory=dict)
    body: bytes = b""
    length: int | None = None
    sent: int | None = None
    reset: bool = False
    chunked: bool = False
    stall: bool = False


@attrs.frozen
class FileRequest:
    """A request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]


@attrs.define
class ScriptedFileHost:
    """A file host on loopback that does what the test says, byte by byte.

    Attributes:
        base_url: of a gateway that would live at the same place.
        script: the answers in order; the last one repeats. A callable makes the answer from the request.
        requests: what arrived.
        connections: how many were opened.

    """

    base_url: str
    script: list["FileAnswer | Callable[[FileRequest], FileAnswer]"] = attrs.field(factory=list)
    requests: list[FileRequest] = attrs.field(factory=list)
    connections: int = 0

    def url(self, path: str = "/file.png") -> str:
        return self.base_url.removesuffix("/v1") + path

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        await reader.readexactly(int(headers.get("Content-Length", 0)))
        request = FileRequest(method, target, {name.lower(): value for name, value in headers.items()})
        self.requests.append(request)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        answer = answer(request) if callable(answer) else answer
        writer.write(_bytes_of(answer))
        await writer.drain()
        if answer.stall:
            await reader.read()
        if answer.reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        whole = answer.sent is None and (answer.chunked or (answer.length or 0) >= 0)
        return whole and not answer.reset and not answer.stall


def _bytes_of(answer: FileAnswer) -> bytes:
    headers, body = dict(answer.headers), answer.body[: answer.sent]
    if answer.chunked:
        headers["Transfer-Encoding"] = "chunked"
        end = b"0\r\n\r\n" if answer.sent is None else b""
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:99], body[99:]) if part) + end
    elif answer.length is None or answer.length >= 0:
        headers["Content-Length"] = str(len(answer.body) if answer.length is None else answer.length)
    lines = [f"HTTP/1.1 {answer.status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


@asynccontextmanager
async def _serving() -> AsyncIterator[ScriptedFileHost]:
    host = ScriptedFileHost(base_url="")
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(host.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    host.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield host
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def file_host() -> AsyncIterator[ScriptedFileHost]:
    """Give a scripted file host on loopback."""
    async with _serving() as host:
        yield host


@pytest.fixture
def file_answer() -> type[FileAnswer]:
    """Give the class of its answers, which test files cannot import."""
    return FileAnswer


@pytest.fixture
def connect_proxy():
    """Give what opens an HTTP proxy that makes tunnels; see ``proxies.Proxy``."""
    return proxies.connect_proxy


@pytest.fixture
def socks_proxy():
    """Give what opens a SOCKS 5 proxy; see ``proxies.Proxy``."""
    return proxies.socks_proxy


class ScriptedTransport:
    """Replies in the order given; an exception is raised, a callable makes the reply from the request.

    Attributes:
        answers: what is left of the script; a single callable may be given in place of a list.
        requests: what was sent.

    """

    def __init__(self, answers):
        self.answers, self.requests = answers, []

    async def send(self, request):
        self.requests.append(request)
        answer = self.answers if callable(self.answers) else self.answers.pop(0)
        answer = answer(request) if callable(answer) else answer
        answer = await answer if asyncio.iscoroutine(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def json_reply():
    """Make a reply of a status, a JSON document and headers."""

    def make(document, http_status=200, **headers):
        return HttpReply(http_status, CIMultiDict(headers), json.dumps(document).encode())

    return make


@pytest.fixture
def scripted_transport():
    """Give the class of transports that follow a script."""
    return ScriptedTransport


@pytest.fixture
def scripted_gateway():
    """Make the shared parts of a client on a script and on a clock that jumps."""

    def make(answers, **parts):
        clock, random = FakeClock(), Random(7)
        transport = ScriptedTransport(answers)
        settings = {
            "transport": transport,
            "unpaced": transport,
            "rate_limiter": Pacer(None, clock=clock, random=random),
            "clock": clock,
            "random": random,
            "catalogue": packaged_catalogue(),
            "validation": "strict",
            "local": False,
            "polling": FixedPolling(5.0),
            "latencies": LatencyBook(),
            "retries": RetryPolicy(),
            "grace": GracePeriods(),
            "client_ids": ClientIdTraits(),
            "events": EventDispatcher(clock),
            "completion": NoCompletionSource(clock),
        }
        return Gateway(**{**settings, **parts})

    return make


class MemoryCompletionSource:
    """A completion source that tells what it was told.

    Attributes:
        trusted: as set; an event restores it, a missed one takes it away.
        expected: how many wait for each task.
        missed_ids: what looks found before an event came.

    """

    def __init__(self, clock):
        self.trusted, self.expected, self.missed_ids = True, {}, []
        self._clock, self._known, self._waiting = clock, {}, {}

    def tell(self, task):
        """Hear an event, for whoever waits now or later."""
        self.trusted = True
        for name in filter(None, (task.id, task.client_business_id)):
            known = self._known.get(name)
            if known is None or not known.finished:
                self._known[name] = task
            if task.finished:
                for waiter in self._waiting.pop(name, ()):
                    waiter.done() or waiter.set_result(None)

    def expect(self, task_id):
        self.expected[task_id] = self.expected.get(task_id, 0) + 1

    def _told(self, task_id):
        known = self._known.get(task_id)
        return known if known is not None and known.finished else None

    async def news(self, task_id, seconds):
        if self._told(task_id) is None:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(task_id, []).append(waiter)
            sleeper = asyncio.ensure_future(self._clock.sleep(seconds))
            try:
                await asyncio.wait((waiter, sleeper), return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiter.cancel()
                sleeper.cancel()
                await asyncio.wait((sleeper,))
        return self._told(task_id)

    def missed(self, task_id):
        self.missed_ids.append(task_id)
        self.trusted = False

    def forget(self, task_id):
        left = self.expected.pop(task_id, 0) - 1
        if left > 0:
            self.expected[task_id] = left


@pytest.fixture
def memory_completion_source():
    """Give the class of completion sources that a test tells what they tell."""
    return MemoryCompletionSource


@pytest.fixture
def live():
    """``async with live(faults=…) as (sim, client)``: a simulator on a real socket, and a client of the library.

    The client's waits take a tenth of the time; the simulator's do not.
    """

    @asynccontextmanager
    async def run(scenario=None, *, client=None, **settings):
        scenario = scenario or Scenario(**{"files": "small", "latency": Constant(0.02), **settings})
        async with Simulator(scenario) as sim:
            asked = {
                "api_key": sim.api_key,
                "base_url": sim.base_url,
                "rate_limits": None,
                "polling": FixedPolling(0.3),
                "clock": HurriedClock(),
                "random": Random(1),
            }
            async with AsyncToAPIs(**{**asked, **(client or {})}) as opened:
                yield sim, opened

    return run


@pytest.fixture
def mocked_calls():
    """Answer aiohttp's calls from a register, and fail the test if anything else was asked."""
    path = Path(__file__).with_name("aioresponses_compat.py")
    spec = importlib.util.spec_from_file_location("toapis_aioresponses_compat", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.MockedCalls() as calls:
        yield calls
    assert calls.unregistered == []


@pytest.fixture
async def redis_server(tmp_path):
    """A real Redis of this test's own."""
    if REDIS is None:
        pytest.skip("no redis-server: apt-get install redis-server")
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3():
    """Give an S3 server that was started for this run of the tests."""
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)} (pip install obstore 'moto[server]')")
    server = S3Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def ray_cluster():
    """Start a Ray of this run of the tests, once; gives Ray."""
    ray = pytest.importorskip("ray", reason="not installed: ray (pip install 'toapis-async[ray]')")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()
