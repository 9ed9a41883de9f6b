"""The timer that holds one transfer to the rule of progress."""

import asyncio
from collections.abc import Callable

from toapis_async.policy.files.progress import Progress, ProgressRule


class ProgressTimer:
    """Cancels the task of a transfer that does not get on; one timer, set again only when it goes off.

    ``begin()`` starts it, ``end()`` stops it in any case; a task that was cancelled in between asks ``struck()``
    whether it was by this timer and by nobody else.

    Args:
        rule: what is asked of the host.
        failures: how many tries for this file have failed so far.
        on_late: called once, when the transfer begins to count as slow.

    """

    __slots__ = ("_cancelled_before", "_failures", "_handle", "_loop", "_on_late", "_paused_at", "_rule", "_struck",
                 "_task", "progress")  # fmt: skip

    def __init__(self, rule: ProgressRule, *, failures: int, on_late: Callable[[], None]) -> None:
        self._rule = rule
        self._failures = failures
        self._on_late: Callable[[], None] | None = on_late
        self._handle: asyncio.TimerHandle | None = None
        self._paused_at: float | None = None
        self._struck = False
        self.progress: Progress

    def begin(self) -> None:
        """Begin the time of the current task."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("there is no task that could be cancelled")
        self._task, self._cancelled_before = task, task.cancelling()
        self._loop = asyncio.get_running_loop()
        self.progress = self._rule.begin(self._loop.time(), failures=self._failures)
        self._set()

    def received(self, size: int) -> None:
        """Count useful bytes, and let the time stand still while they are used."""
        now = self._loop.time()
        self.progress, self._paused_at = self.progress.received(size, now), now

    def pause(self) -> None:
        """Let the time stand still: nothing is waited for."""
        if self._paused_at is None:
            self._paused_at = self._loop.time()

    def go_on(self) -> None:
        """Let the time run again: the next bytes are waited for."""
        if self._paused_at is not None:
            self.progress = self.progress.paused(self._loop.time() - self._paused_at)
            self._paused_at = None
        if self._handle is None and not self._struck:
            self._set()

    def end(self) -> None:
        """Stop it."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def struck(self) -> bool:
        """Tell a task that was cancelled whether that was this timer, which is then no cancellation any more."""
        struck, self._struck = self._struck, False
        return struck and self._task.uncancel() <= self._cancelled_before

    def _set(self) -> None:
        progress = self.progress
        # Not set anew with each chunk: it goes off at the earliest time that could matter, and looks.
        at = progress.ends_at if self._on_late is None else min(progress.late_at, progress.ends_at)
        self._handle = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._handle = None
        if self._paused_at is not None:
            return  # go_on() sets it again
        now = self._loop.time()
        # Bytes may have come since it was set, and moved the end.
        if self.progress.ends_at <= now:
            self._struck = True
            self._task.cancel()
            return
        if self._on_late is not None and self.progress.late_at <= now:
            on_late, self._on_late = self._on_late, None
            on_late()
        self._set()
