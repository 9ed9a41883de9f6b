"""Time that jumps."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.testing.fake_clock import FakeClock


async def test_a_sleep_takes_its_seconds_of_fake_time_at_once():
    """Ten minutes pass without waiting."""
    clock = FakeClock(epoch=100.0)

    await clock.sleep(600)

    assert (clock.monotonic(), clock.now()) == (600.0, 700.0)


async def test_sleepers_wake_in_the_order_of_their_deadlines():
    """The one that is due first runs first, whoever began first."""
    clock, woken = FakeClock(), []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        for seconds in (3, 1, 2):
            group.create_task(sleeper(seconds))

    assert woken == [(1, 1.0), (2, 2.0), (3, 3.0)]


async def test_sleepers_of_the_same_instant_wake_in_the_order_of_arrival():
    """Ties are broken by who came first, so that a test ends the same way every time."""
    clock, woken = FakeClock(), []

    async def sleeper(name):
        await clock.sleep(5)
        woken.append(name)

    await asyncio.gather(*(sleeper(name) for name in "abcd"))

    assert woken == ["a", "b", "c", "d"]


async def test_the_clock_does_not_jump_while_somebody_can_run():
    """A busy task finishes its turns before time moves."""
    clock, seen = FakeClock(), []

    async def busy():
        for _ in range(50):
            await clock.sleep(0)
            seen.append(clock.monotonic())

    await asyncio.gather(clock.sleep(1), busy())

    assert seen == [0.0] * 50


async def test_a_cancelled_sleeper_moves_nothing():
    """Time goes to the next sleeper that is still there."""
    clock = FakeClock()
    long = asyncio.ensure_future(clock.sleep(10))
    await clock.sleep(0)

    long.cancel()
    await clock.sleep(20)

    assert (clock.monotonic(), clock.sleeping) == (20.0, 0)
    assert long.cancelled()


async def test_with_semaphore_and_many_jobs_the_total_is_exact():
    """A thousand jobs of two seconds, a hundred at a time, take twenty seconds of fake time."""
    clock, gate = FakeClock(), asyncio.Semaphore(100)

    async def job():
        async with gate:
            await clock.sleep(2)

    await asyncio.gather(*(job() for _ in range(1000)))

    assert pytest.approx(clock.monotonic()) == 20.0


async def test_advance_wakes_whoever_is_due():
    """Without automatic jumps only the test moves the time."""
    clock = FakeClock(auto=False)
    early, late = asyncio.ensure_future(clock.sleep(5)), asyncio.ensure_future(clock.sleep(50))
    await clock.sleep(0)
    assert clock.sleeping == 2

    clock.advance(5)
    await early

    assert (clock.monotonic(), clock.sleeping, late.done()) == (5.0, 1, False)
    late.cancel()


def test_advance_refuses_to_go_back():
    """A negative step is a mistake in the test."""
    with pytest.raises(ValueError, match="never goes back"):
        FakeClock().advance(-1)


def test_uvloop_is_refused_in_words():
    """The loop that cannot be looked into raises what to do instead of hanging."""
    uvloop = pytest.importorskip("uvloop")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, pytest.raises(Exception, match="FakeClock"):
        runner.run(FakeClock().sleep(1))


@given(st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1, max_size=30))
def test_any_sleeps_end_at_the_longest(durations):
    """Whatever the durations, everybody sees its own deadline and the last one is the end."""

    async def scenario():
        clock, seen = FakeClock(), []

        async def sleeper(seconds):
            await clock.sleep(seconds)
            seen.append(clock.monotonic())

        await asyncio.gather(*(sleeper(seconds) for seconds in durations))
        return clock.monotonic(), seen

    end, seen = asyncio.run(scenario())

    assert (max(durations), sorted(durations)) == (end, seen)
