"""A plain iterable of requests, read without holding up the event loop."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from types import GeneratorType
from typing import TypeVar

from toapis_async.clock import Clock
from toapis_async.shielding import wait_shielded
from toapis_async.values.requests import GenerationRequest

R = TypeVar("R")

# What takes longer for one request waits for something: a disk, a database, another program.
SLOW_SECONDS = 0.02
# So far beyond that, in all: once may be a busy machine, which has interrupted a quick one.
PATIENT_SECONDS = 0.1
# So long at a time the loop is busy with an input that is quick.
SLICE_SECONDS = 0.005
# So long a closing waits for an iterator that is asked for its next and does not answer.
PATIENCE_SECONDS = 5.0

_IN_MEMORY = (list, tuple, set, frozenset, dict, range, deque)


class PlainInput:
    """Takes requests from an iterable: on the event loop while it is quick, else in a thread of its own.

    One that takes more than 20 ms for a request, by 0.1 s at once or on end, is read in that thread, always the same
    one, from there to its end, with the context variables of whoever began the stream. What is in memory already, such
    as a list, is neither timed nor moved. What the iterator raises comes out as it is, after the requests that came
    before.

    Args:
        source: of the requests; iterated from the beginning.
        clock: times it.

    """

    def __init__(self, source: Iterable[GenerationRequest], clock: Clock) -> None:
        self._iterator: Iterator[GenerationRequest] = iter(source)
        self._clock = clock
        self._timed = type(source) not in _IN_MEMORY
        self._late = 0.0
        self._busy = 0.0
        self._error: BaseException | None = None
        self._thread: _Thread | None = None

    async def take(self, most: int) -> list[GenerationRequest]:
        """Take at least one request and at most so many; none at the end.

        Raises:
            Exception: what the iterator raises.

        """
        if self._thread is not None:
            taken = await self._thread.call(lambda: self._pull(most))
        else:
            taken = self._pull(most)
            if self._late > PATIENT_SECONDS:
                self._thread = _Thread()
            if self._busy >= SLICE_SECONDS:
                self._busy = 0.0
                await self._clock.sleep(0)
        if not taken and self._error is not None:
            error, self._error = self._error, None
            raise error
        return taken

    def _pull(self, most: int) -> list[GenerationRequest]:
        taken: list[GenerationRequest] = []
        if self._error is not None:
            return taken
        begun = before = self._clock.monotonic() if self._timed else 0.0
        try:
            for request in self._iterator:
                taken.append(request)
                if len(taken) >= most and not self._timed:
                    break
                if self._timed:
                    now = self._clock.monotonic()
                    self._late = max(0.0, self._late + now - before - SLOW_SECONDS)
                    before = now
                    if len(taken) >= most or now - begun > SLICE_SECONDS:
                        break
        except Exception as error:  # noqa: BLE001  # told when what came before it has been taken
            self._error = error
        self._busy += before - begun
        return taken

    async def aclose(self) -> None:
        """Close a generator, so that its ``finally`` has run; a second time does nothing.

        One that is asked for its next request and does not answer is left to its thread after five seconds.

        Raises:
            Exception: what the generator raises when it is closed.

        """
        thread, self._thread = self._thread, None
        close = self._iterator.close if isinstance(self._iterator, GeneratorType) else _nothing
        if thread is None:
            close()
        else:
            await thread.end(close)


class _Thread:
    """Runs calls one after the other; nobody waits for it at the end of the program."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        context = copy_context()
        threading.Thread(target=context.run, args=(self._serve,), name="toapis-input", daemon=True).start()

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call()

    def _ask(self, work: Callable[[], R]) -> "asyncio.Future[R]":
        answer: asyncio.Future[R] = self._loop.create_future()

        def call() -> None:
            try:
                self._tell(partial(_set_result, answer, work()))
            except BaseException as error:  # noqa: BLE001  # it belongs to whoever asked
                self._tell(partial(_set_error, answer, error))

        self._calls.put(call)
        return answer

    def _tell(self, news: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has gone, and whoever asked with it
            self._loop.call_soon_threadsafe(news)

    async def call(self, work: Callable[[], R]) -> R:
        """Run it there and return its result."""
        return await self._ask(work)

    async def end(self, last: Callable[[], None]) -> None:
        """Run the last call, as soon as the one before has ended, and end the thread."""
        answer = self._ask(last)
        self._calls.put(None)
        waiting = asyncio.ensure_future(asyncio.wait([answer], timeout=PATIENCE_SECONDS))
        await wait_shielded([waiting])
        if answer.done():
            answer.result()
        else:
            answer.cancel()


def _set_result(answer: "asyncio.Future[R]", result: R) -> None:
    if not answer.done():
        answer.set_result(result)


def _set_error(answer: "asyncio.Future[R]", error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)


def _nothing() -> None:
    return None
