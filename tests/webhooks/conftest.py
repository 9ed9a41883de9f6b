"""A signer of webhooks, and a real Redis."""

import asyncio
import hmac
import json
import shutil
import socket
import subprocess
import time
from hashlib import sha256

import pytest

SECRET = "0123456789abcdef0123456789abcdef"
REDIS = shutil.which("redis-server")


@pytest.fixture
def secret():
    """The secret that deliveries are signed with."""
    return SECRET


@pytest.fixture
def delivery():
    """Make a delivery: its body and its headers."""

    def make(task_id="tsk_1", *, event_id=None, at=None, secrets=(SECRET,), body=None, kind="completed", **data):
        event_id = event_id or f"evt_{task_id}"
        status = "FAILURE" if kind == "failed" else "SUCCESS"
        result = {"type": "image", "data": [{"url": f"https://files.example/{task_id}.png"}]}
        said = {
            "id": event_id,
            "type": f"generation.{kind}",
            "api_version": "v1",
            "created_at": 1_783_953_302,
            "data": {"task_id": task_id, "task_type": "image", "status": status, "result": result, **data},
        }
        body = json.dumps(said).encode() if body is None else body
        timestamp = str(int(time.time() if at is None else at))
        signed = f"{event_id}.{timestamp}.".encode() + body
        signatures = ",".join("v1=" + hmac.new(one.encode(), signed, sha256).hexdigest() for one in secrets)
        return body, {
            "X-ToAPIs-Webhook-Id": event_id,
            "x-toapis-webhook-timestamp": timestamp,
            "X-ToAPIs-Webhook-Signature": signatures,
        }

    return make


class RedisServer:
    """A Redis that can be stopped and started again."""

    def __init__(self, directory):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.directory, self.process = directory, None
        self.url = f"redis://127.0.0.1:{self.port}/0"

    async def start(self):
        command = [REDIS, "--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(command, cwd=self.directory, stdout=subprocess.DEVNULL)
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
async def redis_server(tmp_path):
    """A real Redis of this test's own."""
    if REDIS is None:
        pytest.skip("no redis-server: apt-get install redis-server")
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    server.stop()
