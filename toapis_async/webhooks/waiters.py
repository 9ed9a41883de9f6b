"""Who waits for the end of which task, and the ends that came before anybody did."""

import asyncio
from collections import OrderedDict
from contextlib import suppress

from toapis_async.clock import Clock
from toapis_async.values.tasks import GenerationTask

# Ends of tasks that nobody waits for yet, such as those of other workers.
REMEMBERED = 10_000


class Waiters:
    """Brings ends of tasks to those who wait, in whichever event loop they do.

    Args:
        clock: bounds waits.
        remembered: how many ends to keep for those who may come to wait for them.

    """

    def __init__(self, clock: Clock, *, remembered: int = REMEMBERED) -> None:
        self._clock = clock
        self._most = remembered
        self._expected: dict[str, int] = {}
        self._waiting: dict[str, set[asyncio.Future[GenerationTask | None]]] = {}
        self._ended: OrderedDict[str, GenerationTask] = OrderedDict()

    @property
    def expected(self) -> tuple[str, ...]:
        """The tasks that somebody waits for."""
        return tuple(self._expected)

    def expect(self, task_id: str) -> None:
        """Keep what comes for this task until it is forgotten."""
        self._expected[task_id] = self._expected.get(task_id, 0) + 1

    def forget(self, task_id: str) -> None:
        """Drop what is known of it, once the last of those who expected it has done so."""
        left = self._expected.pop(task_id, 1) - 1
        if left > 0:
            self._expected[task_id] = left
        else:
            self._ended.pop(task_id, None)

    def known(self, task_id: str) -> GenerationTask | None:
        """Return the end of a task if it has come."""
        return self._ended.get(task_id)

    def end(self, task: GenerationTask) -> None:
        """Take a finished task: wake who waits for it, and keep it for who will."""
        for name in {task.id, task.client_business_id} - {None, ""}:
            self._remember(str(name), task)
            for waiter in self._waiting.pop(str(name), set()):
                _wake(waiter, task)

    def wake(self) -> None:
        """End every wait with None: whoever waits has to think anew about how long."""
        for waiters in list(self._waiting.values()):
            for waiter in list(waiters):
                _wake(waiter, None)

    def _remember(self, name: str, task: GenerationTask) -> None:
        self._ended[name] = task
        self._ended.move_to_end(name)
        while len(self._ended) > self._most + len(self._expected):
            self._ended.popitem(last=False)

    async def wait(self, task_id: str, seconds: float) -> GenerationTask | None:
        """Wait for the end of a task; None when the time is up, or at ``wake()``."""
        known = self._ended.get(task_id)
        if known is not None:
            await self._clock.sleep(0)
            return known
        waiter: asyncio.Future[GenerationTask | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(task_id, set()).add(waiter)
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((waiter, sleeping), return_when=asyncio.FIRST_COMPLETED)
            return waiter.result() if waiter.done() else None
        finally:
            sleeping.cancel()
            waiting = self._waiting.get(task_id)
            if waiting is not None:
                waiting.discard(waiter)
                if not waiting:
                    del self._waiting[task_id]


def _wake(waiter: "asyncio.Future[GenerationTask | None]", task: GenerationTask | None) -> None:
    with suppress(RuntimeError):  # a loop that has ended has nobody left in it
        waiter.get_loop().call_soon_threadsafe(_end, waiter, task)


def _end(waiter: "asyncio.Future[GenerationTask | None]", task: GenerationTask | None) -> None:
    if not waiter.done():
        waiter.set_result(task)
