"""The simulator in its own process."""

import json
import signal
import subprocess
import sys
import urllib.request

import pytest

from toapis_async.testing.__main__ import main


def started(*options):
    """A process that has said where it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "toapis_async.testing", *options], stdout=subprocess.PIPE, text=True
    )
    return process, json.loads(process.stdout.readline())


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_stops_on_a_signal(stop, tmp_path):
    """The first line is JSON; both signals end it cleanly."""
    scenario = tmp_path / "own.toml"
    scenario.write_text('base = "busy"\nfiles = "small"', "utf-8")
    process, place = started("--scenario", str(scenario), "--seed", "3")
    with process:
        request = urllib.request.Request(f"{place['base_url']}/v1/balance")
        request.add_header("Authorization", f"Bearer {place['api_key']}")
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert json.loads(reply.read())["success"] is True
        process.send_signal(stop)

        assert process.wait(10) == 0


def test_tls_names_the_certificate():
    """A client of another process needs the file."""
    process, place = started("--tls")
    with process:
        assert place["base_url"].startswith("https://")
        assert place["ca_file"].endswith(".pem")
        process.terminate()


def test_a_wrong_scenario_is_a_wrong_call(capsys):
    """Exit code 2 and one line of explanation."""
    assert main(["--scenario", "bad-dya"]) == 2
    assert "did you mean 'bad-day'" in capsys.readouterr().err
