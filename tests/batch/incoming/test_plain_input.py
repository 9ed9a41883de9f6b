"""Plain iterables, read without holding up the event loop."""

import asyncio
import threading
import time
from collections import deque
from contextvars import ContextVar

import pytest

from toapis_async.batch.incoming import plain_input
from toapis_async.batch.incoming.plain_input import PlainInput
from toapis_async.clock import SystemClock
from toapis_async.testing import FakeClock
from toapis_async.values.requests import ImageRequest

REQUESTS = [ImageRequest(f"fox {number}") for number in range(6)]


async def everything(source, most=1):
    taken = []
    while requests := await source.take(most):
        taken += requests
    return taken


def slowly(threads, *, ends=lambda: None):
    """Give requests, each after a wait that blocks its thread."""
    try:
        for request in REQUESTS:
            threads.append(threading.current_thread())
            time.sleep(0.15)
            yield request
    finally:
        ends()


async def test_a_slow_iterator_holds_nobody_up():
    """After the first slow request it is read in one thread of its own, and the loop turns meanwhile."""
    threads, turns = [], 0

    async def turn():
        nonlocal turns
        while True:
            await asyncio.sleep(0.005)
            turns += 1

    turning = asyncio.create_task(turn())
    source = PlainInput(slowly(threads), SystemClock())
    assert await everything(source) == REQUESTS
    turning.cancel()
    await source.aclose()
    assert threading.main_thread() is threads[0]
    assert len(set(threads[1:])) == 1
    assert threads[1] is not threading.main_thread()
    assert turns > 5


@pytest.mark.parametrize(("seconds", "moved"), [([0.05, 0.0, 0.0] * 10, False), ([0.05] * 5, True), ([0.15], True)])
async def test_an_interruption_moves_no_quick_iterator(seconds, moved):
    """What a busy machine does to a quick one now and then is no reason; slow ones on end are, and a long wait is."""
    clock, threads = FakeClock(), []

    def source():
        for waited in [*seconds, 0.0]:
            clock.advance(waited)
            threads.append(threading.current_thread())
            yield REQUESTS[0]

    plain = PlainInput(source(), clock)
    for _ in [*seconds, 0.0]:
        await plain.take(1)
    await plain.aclose()
    assert moved is (threads[-1] is not threading.main_thread())


@pytest.mark.parametrize("make", [list, tuple, deque])
async def test_what_is_in_memory_is_neither_timed_nor_moved(make):
    """A list asks no clock."""
    source = PlainInput(make(REQUESTS), None)
    assert await everything(source, 4) == REQUESTS
    await source.aclose()


async def test_batches_are_bounded_in_time(monkeypatch):
    """A batch ends when its slice of time is over, and the loop has its turn."""
    monkeypatch.setattr(plain_input, "SLOW_SECONDS", 60.0)

    def source():
        for request in REQUESTS:
            time.sleep(0.01)
            yield request

    plain, turned = PlainInput(source(), SystemClock()), asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(turned.set_result, None)
    assert REQUESTS[:1] == await plain.take(256)
    assert turned.done()


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("error", [KeyError("mine"), StopIteration("mine"), RuntimeError("mine")])
async def test_errors_come_as_they_are_and_after_what_came_before(slow, error):
    """Whatever the iterator raises comes out itself, once everything before it has been taken."""

    class Source:
        def __init__(self):
            self.left = list(REQUESTS[:3])

        def __iter__(self):
            return self

        def __next__(self):
            if slow:
                time.sleep(0.15)
            if self.left:
                return self.left.pop(0)
            raise error

    source = PlainInput(Source(), SystemClock())
    if isinstance(error, StopIteration):
        assert REQUESTS[:3] == await everything(source, 10)
        return
    taken = []
    while len(taken) < 3:
        taken += await source.take(10)
    with pytest.raises(type(error)) as caught:
        await source.take(10)
    assert caught.value is error
    assert REQUESTS[:3] == taken
    await source.aclose()


@pytest.mark.parametrize("taken", [0, 1, 3])
async def test_a_generator_is_closed(taken):
    """Its ``finally`` has run when the input is closed, on whichever thread it was read."""
    ended = threading.Event()
    source = PlainInput(slowly([], ends=ended.set), SystemClock())
    for _ in range(taken):
        await source.take(1)
    await source.aclose()
    await source.aclose()
    assert ended.is_set() is bool(taken)


async def test_an_iterator_that_never_answers_is_left(monkeypatch):
    """Closing does not wait for ever for one that is stuck in its own thread."""
    monkeypatch.setattr(plain_input, "PATIENCE_SECONDS", 0.1)
    release = threading.Event()

    def stuck():
        time.sleep(0.15)
        yield REQUESTS[0]
        release.wait(30)

    source = PlainInput(stuck(), SystemClock())
    await source.take(1)
    reading = asyncio.create_task(source.take(1))
    await asyncio.sleep(0.05)
    reading.cancel()
    async with asyncio.timeout(120):
        await source.aclose()
    release.set()


async def test_context_variables_are_seen_in_the_thread():
    """A slow iterator sees the variables of whoever reads the input."""
    user = ContextVar("user")
    user.set("ann")
    seen = []

    def source():
        for request in REQUESTS[:3]:
            time.sleep(0.15)
            seen.append(user.get(None))
            yield request

    plain = PlainInput(source(), SystemClock())
    await everything(plain)
    await plain.aclose()
    assert seen == ["ann"] * 3
