"""The simulator in its own process."""

import json
import queue
import signal
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from toapis_async import verify_webhook
from toapis_async.testing.__main__ import main

_PROGRAM = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started pytest may have it ignored
runpy.run_module("toapis_async.testing", run_name="__main__", alter_sys=True)
"""


@contextmanager
def started(*options):
    """A process that has said where it listens, and where; it is killed if the test leaves it behind."""
    command = [sys.executable, "-c", _PROGRAM, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_stops_on_a_signal(stop, tmp_path):
    """The first line is JSON; both signals end it cleanly."""
    scenario = tmp_path / "own.toml"
    scenario.write_text('base = "busy"\nfiles = "small"', "utf-8")
    with started("--scenario", str(scenario), "--seed", "3") as (process, place):
        request = urllib.request.Request(f"{place['base_url']}/v1/balance")
        request.add_header("Authorization", f"Bearer {place['api_key']}")
        with urllib.request.urlopen(request, timeout=120) as reply:
            assert json.loads(reply.read())["success"] is True
        process.send_signal(stop)

        assert process.wait(10) == 0


def test_tls_names_the_certificate():
    """A client of another process needs the file."""
    with started("--tls") as (_, place):
        assert place["base_url"].startswith("https://")
        assert place["ca_file"].endswith(".pem")


def test_webhooks_are_sent_from_another_process():
    """Signed with the secret that was given, at the speed that was asked for."""
    arrived = queue.Queue()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            arrived.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/hook"
        with started("--webhook", url, "--webhook-secret", "whsec_mine", "--speed", "20") as (_, place):
            assert place["webhook_secret"] == "whsec_mine"
            body = json.dumps({"model": "gpt-image-2", "prompt": "a fox"}).encode()
            request = urllib.request.Request(f"{place['base_url']}/v1/images/generations", body)
            request.add_header("Authorization", f"Bearer {place['api_key']}")
            with urllib.request.urlopen(request, timeout=120) as reply:
                task = json.loads(reply.read())
            headers, raw = arrived.get(timeout=120)
        server.shutdown()

    signed = int(headers["X-ToAPIs-Webhook-Timestamp"])
    event = verify_webhook(raw, headers, secrets="whsec_mine", now=signed)
    assert event.task.id == task["id"]


def test_a_webhook_that_goes_nowhere_is_a_wrong_call(capsys):
    """Exit code 2 and what would do."""
    assert main(["--webhook", "http://hooks.example/"]) == 2
    assert "https address" in capsys.readouterr().err


def test_a_wrong_scenario_is_a_wrong_call(capsys):
    """Exit code 2 and one line of explanation."""
    assert main(["--scenario", "bad-dya"]) == 2
    assert "did you mean 'bad-day'" in capsys.readouterr().err
