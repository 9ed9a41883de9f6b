"""Running a command's coroutine, and stopping it: the first signal asks, the second insists."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import attrs

from toapis_async.errors import ConfigurationError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@attrs.define(eq=False)
class Stopper:
    """Hears SIGINT and SIGTERM.

    Attributes:
        on_first: what the first signal does instead of stopping at once; None stops at once.
        heard: the latest signal, or None.
        hard: whether the command was stopped at once.
        polite: whether stopping it is its normal end, as for a server.

    """

    _task: "asyncio.Task[object] | None"
    on_first: Callable[[], None] | None = None
    heard: signal.Signals | None = None
    hard: bool = False
    polite: bool = False

    @property
    def exit_code(self) -> int:
        """Of a program that was stopped at once."""
        return 0 if self.polite else 128 + (self.heard or signal.SIGINT)

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
        else:
            # What was accepted is in the journal: ending here loses nothing but manners.
            os._exit(self.exit_code)


def run(work: Callable[[Stopper], Awaitable[int]], *, uvloop: bool = False) -> int:
    """Run a command to its exit code.

    Raises:
        ConfigurationError: uvloop was asked for and is not installed.

    """
    with asyncio.Runner(loop_factory=_uvloop_factory() if uvloop else None) as runner:
        return runner.run(_heard(work))


async def _heard(work: Callable[[Stopper], Awaitable[int]]) -> int:
    task = asyncio.current_task()
    stopper = Stopper(task)
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        # Windows has none, and threads have none: there the runner's own handler cancels the task.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stopper.hear, number)
    try:
        return await work(stopper)
    except asyncio.CancelledError:
        if task is not None:
            task.uncancel()
        return stopper.exit_code


def _uvloop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415  # an extra, imported only when asked for
    except ImportError as error:
        raise ConfigurationError(
            "--uvloop was given, but uvloop is not installed.", hint="pip install 'toapis-async[speed]'"
        ) from error
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
