"""The clock that can be pushed."""

import asyncio

import pytest

from toapis_async.clock import SystemClock
from toapis_async.testing.simulator_clock import SimulatorClock


async def test_an_advance_wakes_whoever_is_due():
    """And leaves the others asleep."""
    clock = SimulatorClock()
    early, late = asyncio.ensure_future(clock.sleep(50)), asyncio.ensure_future(clock.sleep(5000))
    await asyncio.sleep(0)
    before = clock.now()

    clock.advance(60)
    await early

    assert clock.now() - before >= 60
    assert not late.done()
    clock.advance(5000)
    await late


async def test_without_an_advance_it_runs_with_the_machine():
    """A short sleep ends by itself."""
    clock = SimulatorClock()
    before = clock.monotonic()

    await clock.sleep(0.02)

    assert clock.monotonic() - before >= 0.02


async def test_nothing_to_wait_for():
    """Zero or less returns at once."""
    await SimulatorClock().sleep(-1)


def test_it_never_goes_back():
    """A negative step is a mistake in the test."""
    with pytest.raises(ValueError, match="never goes back"):
        SimulatorClock().advance(-1)


async def test_it_can_run_faster():
    """At a hundredfold, ten seconds take a tenth of one."""
    clock, machine = SimulatorClock(100), SystemClock()
    before, really = clock.now(), machine.monotonic()

    await clock.sleep(10)

    assert clock.now() - before >= 10
    assert machine.monotonic() - really < 5


async def test_it_must_run():
    """Speed zero would wait for ever."""
    with pytest.raises(ValueError, match="must be"):
        SimulatorClock(0)
