"""One time limit for everything that is under way: a timer for all of it, in place of one for each exchange.

aiohttp's own limit on a whole exchange starts, checks and cancels a timer for each, a fifth of the exchange's cost.
"""

import asyncio


class TimeLimit:
    """Cancels tasks whose exchange takes too long.

    A task calls ``begin()``, then ``end()`` in any case; when it is cancelled in between, ``struck()`` says whether it
    was by the limit and by nobody else.

    Args:
        seconds: for each.

    """

    __slots__ = ("_loop", "_seconds", "_struck", "_timer", "_under_way")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # In the order of their ends, since all have the same time. With each: when it ends, and how often the task
        # had been cancelled when it began.
        self._under_way: dict[asyncio.Task[object], tuple[float, int]] = {}
        self._struck: dict[asyncio.Task[object], int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> asyncio.Task[object]:
        """Begin the time of the current task, and return that task."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("there is no task that could be cancelled")
        if self._loop is not loop:  # the timer of a loop that has ended would never come
            self._loop, self._timer = loop, None
            self._under_way.clear()
        self._under_way[task] = (loop.time() + self._seconds, task.cancelling())
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._strike, loop)
        return task

    def end(self, task: asyncio.Task[object]) -> None:
        """End a task's time."""
        if self._under_way.pop(task, None) is None:
            self._struck.pop(task, None)

    def struck(self, task: asyncio.Task[object]) -> bool:
        """Tell a task that was cancelled whether that was the limit, which is then no cancellation any more."""
        before = self._struck.pop(task, None)
        return before is not None and task.uncancel() <= before

    def close(self) -> None:
        """Let go of the timer, unless something is under way that still needs it."""
        if self._timer is not None and not self._under_way:
            self._timer.cancel()
            self._timer = None

    def _strike(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        overdue: list[asyncio.Task[object]] = []
        for task, (end, _) in self._under_way.items():
            if end > now:
                self._timer = loop.call_at(end, self._strike, loop)
                break
            # Struck after the walk, since the dictionary must not change during it.
            overdue.append(task)
        for task in overdue:
            self._struck[task] = self._under_way.pop(task)[1]
            task.cancel()
