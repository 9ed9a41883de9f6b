"""Running a command's coroutine, and stopping it: the first signal asks, the second insists.

Signals are taken by plain handlers and not by the event loop's own, which are called only while the loop turns: a
program that is stuck in a read of a pipe, or in somebody's endless iterator, has to hear them as well.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import attrs

from toapis_async.cli.collector import set_start_aside
from toapis_async.errors import ConfigurationError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

# What is being sent is waited for, but not for longer: its intent is in the journal, and a later run asks for it.
HARD_STOP_SECONDS = 10.0


@attrs.define(eq=False)
class Stopper:
    """Hears SIGINT and SIGTERM.

    Attributes:
        on_first: what the first signal does instead of stopping at once; None stops at once.
        heard: the latest signal, or None.
        hard: whether the command was stopped at once.
        polite: whether stopping it is its normal end, as for a server.

    """

    _task: "asyncio.Task[object] | None" = None
    on_first: Callable[[], None] | None = None
    heard: signal.Signals | None = None
    hard: bool = False
    polite: bool = False
    _loop: asyncio.AbstractEventLoop | None = None
    _unanswered: int = 0
    _deadline: threading.Timer | None = None

    @property
    def exit_code(self) -> int:
        """Of a program that was stopped at once."""
        return 0 if self.polite else 128 + (self.heard or signal.SIGINT)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals of this process; in another thread than the main one there are none to take."""
        before: dict[signal.Signals, object] = {}
        with suppress(ValueError):
            for number in _SIGNALS:
                before[number] = signal.signal(number, self._catch)
        try:
            yield
        finally:
            # A program that was told to stop is about to end: what is left of it must not need a third signal.
            if self.heard is None:
                for number, handler in before.items():
                    signal.signal(number, handler)  # type: ignore[arg-type]

    async def host(self, work: "Callable[[Stopper], Awaitable[int]]") -> int:
        """Run the work that signals are to stop, in the loop that is running."""
        self._task, self._loop = asyncio.current_task(), asyncio.get_running_loop()
        try:
            return await work(self)
        except asyncio.CancelledError:
            if self._task is not None:
                self._task.uncancel()
            return self.exit_code
        finally:
            self._task = self._loop = None

    def _catch(self, signum: int, _frame: FrameType | None) -> None:
        number, again = signal.Signals(signum), self.heard is not None
        self._unanswered += 1
        if self._unanswered > 1:  # the loop has not come round to the one before, and never may
            self.heard = number
            self._end()
        if again:
            self._end_soon()
        if self._loop is None:
            self.heard = number
            raise KeyboardInterrupt
        self._loop.call_soon_threadsafe(self._answer, number)

    def _answer(self, number: signal.Signals) -> None:
        self._unanswered = 0
        self.hear(number)

    def hear(self, number: signal.Signals) -> None:
        """Take a signal."""
        first, self.on_first = self.on_first, None
        self.heard = number
        if first is not None:
            first()
        elif not self.hard:
            self.hard = True
            if self._task is not None:
                self._task.cancel()
            self._end_soon()
        else:
            self._end()

    def _end_soon(self) -> None:
        if self._deadline is None:
            self._deadline = threading.Timer(HARD_STOP_SECONDS, self._end)
            self._deadline.daemon = True
            self._deadline.start()

    def _end(self) -> None:
        # What was accepted is in the journal: ending here loses nothing but manners.
        os._exit(self.exit_code)


def run(work: Callable[[Stopper], Awaitable[int]], *, uvloop: bool | None = False) -> int:
    """Run a command to its exit code.

    Args:
        work: the command.
        uvloop: whether on the faster event loop; None takes it where it is installed.

    Raises:
        ConfigurationError: uvloop was asked for and is not installed.

    """
    set_start_aside()
    factory = None if uvloop is False else _uvloop_factory(required=uvloop is True)
    stopper = Stopper()
    with stopper.listening(), asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(stopper.host(work))


def _uvloop_factory(*, required: bool) -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  # an extra
    except ImportError as error:
        if not required:
            return None
        raise ConfigurationError(
            "--uvloop was given, but uvloop is not installed.", hint="pip install 'toapis-async[speed]'"
        ) from error
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
