"""What is shown: the streams, the counts, the live display."""

import asyncio
import os
import pty
import shlex
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.cli.formatting.amounts import count_text, duration_text, usd
from toapis_async.cli.terminal.streams import one_line, printable
from toapis_async.testing import Constant


@given(st.text())
def test_nothing_that_is_printed_commands_the_terminal(text):
    """Only printable characters and line breaks come through; printable text is unchanged."""
    assert all(char.isprintable() or char == "\n" for char in printable(text))
    assert all(char.isprintable() for char in one_line(text, 50))
    assert len(one_line(text, 50)) <= 50
    if text.isprintable():
        assert printable(text) == text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (59.4, "59 s"),
        (61, "1 min 01 s"),
        (3599.6, "1 h 00 min"),
        (90000, "25 h 00 min"),
    ],
)
def test_durations_in_words(seconds, words):
    """Durations are as exact as people care."""
    assert duration_text(seconds) == words


@pytest.mark.parametrize(("amount", "words"), [(0, "0.00"), (1.5, "1.50"), (0.012, "0.012"), (1234.5678, "1,234.5678")])
def test_amounts_in_words(amount, words):
    """Amounts have two digits after the point, more where they say more."""
    assert usd(amount) == words


def test_counts_in_words():
    """One is singular."""
    assert (count_text(1, "file"), count_text(2000, "file")) == ("1 file", "2,000 files")


@pytest.fixture
def on_a_terminal():
    """Start the program with stderr, and stdout if wanted, on a terminal; return what it drew."""

    async def run(start, *arguments, stdout=False, **environment):
        ours, theirs = pty.openpty()
        try:
            more = {"stdout": theirs} if stdout else {}
            os.environ.update(environment)
            process = await start(*arguments, stderr=theirs, **more)
            os.close(theirs)
            drawn = asyncio.create_task(asyncio.to_thread(_all_of, ours))
            ended = await asyncio.wait_for(process.process.communicate(), 30)
            return process.process.returncode, ended[0] or b"", await drawn
        finally:
            os.close(ours)
            for name in environment:
                os.environ.pop(name, None)

    return run


def _all_of(descriptor):
    found = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # the other side was closed
            return found
        if not piece:
            return found
        found += piece


async def test_a_live_display_on_a_terminal(on_a_terminal, start, gateway, prompts, quick, tmp_path):
    """A bar and counts are drawn on stderr, and stdout stays clean for the results."""
    async with gateway(latency=Constant(0.3)):
        arguments = ("batch", prompts(10), "-o", tmp_path / "out", *quick)
        code, out, drawn = await on_a_terminal(start, *arguments, TERM="xterm-256color")

    assert code == 0
    assert "━".encode() in drawn
    assert b"10 saved" in drawn
    assert len(out.splitlines()) == 10
    assert b"\x1b" not in out


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}])
async def test_terminals_without_colour(on_a_terminal, start, gateway, prompts, quick, tmp_path, environment):
    """NO_COLOR and dumb terminals get no colours."""
    async with gateway(latency=Constant(0.3)):
        arguments = ("batch", prompts(5), "-o", tmp_path / "out", *quick)
        code, _, drawn = await on_a_terminal(start, *arguments, stdout=True, **environment)

    assert code == 0
    assert b"\x1b[3" not in drawn
    assert b"5 saved" in b" ".join(drawn.split())


async def test_streams_that_are_closed_from_the_start(start, gateway, prompts, quick, tmp_path):
    """Without stdout or stderr the run is made all the same."""
    async with gateway():
        command = [sys.executable, "-m", "toapis_async", "batch", str(prompts(3)), "-o", str(tmp_path / "out"), *quick]
        process = await asyncio.create_subprocess_shell(f"exec {shlex.join(command)} >&- 2>&-")
        code = await asyncio.wait_for(process.wait(), 30)

    assert code == 0
    assert len(list((tmp_path / "out").glob("*.png"))) == 3


async def test_a_terminal_that_goes_away(start, gateway, prompts, quick, tmp_path):
    """A window that is closed costs the display, not the run."""
    async with gateway(latency=Constant(0.4)) as sim:
        ours, theirs = pty.openpty()
        process = await start(
            "batch", prompts(5), "-o", tmp_path / "out", *quick, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        await process.until(lambda: sim.books.accepted == 5)
        os.close(ours)
        out, _ = await asyncio.wait_for(process.process.communicate(), 30)

    assert process.process.returncode == 0
    assert len(out.splitlines()) == 5


@pytest.mark.parametrize(("options", "paths"), [((), 0), (("--print-paths",), 5)])
async def test_paths_on_a_terminal_are_asked_for(
    on_a_terminal, start, gateway, prompts, quick, tmp_path, options, paths
):
    """Where a person watches, paths would push failures off the screen."""
    async with gateway(latency=Constant(0.3)):
        arguments = ("batch", prompts(5), "-o", tmp_path / "out", *options, *quick)
        code, _, drawn = await on_a_terminal(start, *arguments, stdout=True, TERM="xterm")

    assert code == 0
    assert drawn.count(b".png") == paths
