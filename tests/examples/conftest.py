"""The worked examples, run as their readers would: programs in processes of their own, against the simulator."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from toapis_async.testing import Constant, Scenario, Simulator

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SECRET = "0123456789abcdef0123456789abcdef"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def answering(port):
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


class Program:
    """A program that listens on a port, and can be ended and started again."""

    def __init__(self, command, port, environment):
        self.command, self.port, self.environment = command, port, environment
        self.url = f"http://127.0.0.1:{port}"
        self.process = None

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.command, cwd=EXAMPLES, env=os.environ | self.environment, start_new_session=True
        )
        await answering(self.port)

    async def stop(self, how=signal.SIGTERM):
        """Ask the program to end, and wait until it has."""
        self.process.send_signal(how)
        await self.process.wait()

    async def kill(self):
        """End the program and all its workers at once."""
        if self.process is not None and self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()


@pytest.fixture
async def redis_url(tmp_path):
    """A Redis of the test's own."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("needs redis-server")
    port = free_port()
    command = [server, "--port", str(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
    process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL)
    await answering(port)
    yield f"redis://127.0.0.1:{port}/0"
    process.kill()
    await process.wait()


@pytest.fixture
def running(tmp_path):
    """``async with running(*command) as (sim, program, browser)``; ``{port}`` in the command is the program's own."""

    @asynccontextmanager
    async def run(*command, latency=1.0, environment=None):
        port = free_port()
        async with Simulator(Scenario(files="small", latency=Constant(latency), tier="svip")) as sim:
            sim.set_webhook(f"http://127.0.0.1:{port}/toapis", secret=SECRET)
            given = {
                "TOAPIS_API_KEY": sim.api_key,
                "TOAPIS_BASE_URL": sim.base_url,
                "TOAPIS_WEBHOOK_SECRET": SECRET,
                "POSTERS": str(tmp_path / "posters"),
                **(environment or {}),
            }
            program = Program([part.format(port=port) for part in (sys.executable, *command)], port, given)
            await program.start()
            try:
                async with aiohttp.ClientSession(program.url) as browser:
                    yield sim, program, browser
            finally:
                await program.kill()

    return run
