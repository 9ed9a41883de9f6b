"""A client as the documentation's Python examples write it (standard library only) completes on the simulator."""

import asyncio
import json
import os
import ssl
import sys
import time
import urllib.request

import pytest

from toapis_async.testing.scenario.latency import Constant
from toapis_async.testing.scenario.settings import Scenario
from toapis_async.testing.simulator import Simulator


class DocumentedClient:
    """Create, poll, download, with ``urllib`` and nothing else."""

    def __init__(self, base_url, api_key, ca_file=None, pause=0.05):
        self.base_url, self.api_key, self.pause = base_url, api_key, pause
        self.context = None if ca_file is None else ssl.create_default_context(cafile=ca_file)

    def ask(self, method, path, payload=None):
        """One call to the gateway."""
        request = urllib.request.Request(
            f"{self.base_url}/v1{path}",
            data=None if payload is None else json.dumps(payload).encode("utf-8"),
            headers={"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=120, context=self.context) as reply:
            return json.loads(reply.read().decode("utf-8"))

    def run(self, mode, payload):
        """The result's address and bytes; ``mode`` is ``images`` or ``videos``."""
        task = self.ask("POST", f"/{mode}/generations", payload)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            state = self.ask("GET", f"/{mode}/generations/{task['id']}")
            if state["status"] == "completed":
                url = state["result"]["data"][0]["url"]
                with urllib.request.urlopen(url, timeout=120, context=self.context) as reply:
                    return url, reply.read()
            if state["status"] == "failed":
                raise RuntimeError(state["error"]["message"])
            time.sleep(self.pause)
        raise TimeoutError(task["id"])


SCRIPT = """
import json, os, sys, urllib.request
request = urllib.request.Request(sys.argv[1] + "/v1/balance", headers={"Authorization": "Bearer " + os.environ["KEY"]})
with urllib.request.urlopen(request, timeout=120) as reply:
    print(json.loads(reply.read())["success"])
"""


async def test_a_program_without_a_certificate_option_trusts_by_environment():
    """``SSL_CERT_FILE`` is enough for the standard library."""
    async with Simulator(Scenario(files="small"), tls=True) as sim:
        environment = {**os.environ, "SSL_CERT_FILE": str(sim.ca_file), "KEY": sim.api_key}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, sim.base_url, env=environment, stdout=asyncio.subprocess.PIPE
        )

        assert (await process.communicate())[0] == b"True\n"


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(
    ("mode", "payload", "signature"),
    [
        ("images", {"model": "gpt-image-2", "prompt": "a fox", "size": "16:9", "resolution": "1k"}, b"\x89PNG"),
        ("images", {"model": "gemini-3-pro-image-preview", "prompt": "a fox", "n": 1}, b"\xff\xd8\xff"),
        ("videos", {"model": "seedance-2-mini", "prompt": "a fox runs", "duration": 4}, b"\0\0\0\x20ftypisom"),
    ],
    ids=["png", "jpeg", "mp4"],
)
async def test_the_documented_way_ends_with_a_file(tls, mode, payload, signature):
    """Submit, poll, download, over http and https, image and video."""
    async with Simulator(Scenario(latency=Constant(0.2)), tls=tls) as sim:
        client = DocumentedClient(sim.base_url, sim.api_key, str(sim.ca_file) if tls else None)

        url, content = await asyncio.to_thread(client.run, mode, payload)

        assert url.startswith(sim.base_url)
        assert content.startswith(signature)
        assert (sim.books.accepted, sim.books.downloads, sim.books.with_key["file"]) == (1, 1, 0)
        assert sim.books.by_prompt[payload["prompt"]].net_charges == 1
