"""Stopping a command: whatever it is busy with, it hears."""

import os
import signal
import subprocess
import sys
import time

import pytest

STUCK = """
import asyncio, os, signal, sys, time
from toapis_async.cli import stopping
stopping.HARD_STOP_SECONDS = 0.3

async def work(stopper):
    kind = sys.argv[1]
    print("ready", flush=True)
    if kind == "loop":
        while True:
            pass
    if kind == "thread":
        await asyncio.to_thread(open, sys.argv[2])
    if kind == "drains":
        stopper.on_first = lambda: print("drains", flush=True)
        await asyncio.sleep(0.2)
        while True:
            time.sleep(0.01)
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            print("not now", flush=True)

sys.exit(stopping.run(work))
"""


@pytest.fixture
def stuck(tmp_path):
    """Start a command that is stuck in a given way."""
    started = []

    def start(kind):
        os.mkfifo(tmp_path / "pipe")
        command = [sys.executable, "-c", STUCK, kind, str(tmp_path / "pipe")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("kind", ["loop", "thread", "stubborn"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_whatever_is_stuck(stuck, kind, number):
    """A loop that does not turn, a thread that waits for a pipe, a task that will not go: the second signal ends it."""
    process = stuck(kind)
    process.send_signal(number)
    time.sleep(0.2)
    process.send_signal(number)

    assert process.wait(20) == 128 + number


def test_a_second_signal_after_a_drain_ends_what_got_stuck(stuck):
    """The first one was heard; the loop stuck then, and the second is not waited for longer than agreed."""
    process = stuck("drains")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "drains\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)

    assert process.wait(20) == 130


def test_handlers_are_put_back():
    """A program that calls ``run()`` has its own handlers again afterwards."""
    program = (
        "import signal\nfrom toapis_async.cli.stopping import run\n"
        "async def work(stopper): return 7\n"
        "before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]\n"
        "assert run(work) == 7\n"
        "assert before == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
