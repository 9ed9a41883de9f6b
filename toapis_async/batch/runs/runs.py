"""The runs of a session that are under way, each in a task of the session's own.

Plain tasks and no task group: a group has to be left by the task that entered it, and a session may be closed by
another one, such as the shutdown hook of a web server.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from weakref import WeakSet

from toapis_async.batch.items.run_context import RunContext
from toapis_async.batch.runs.drain_watch import until_unreachable
from toapis_async.batch.runs.run import Run
from toapis_async.errors import ToAPIsError
from toapis_async.shielding import wait_shielded


class Runs:
    """Owns runs from their beginning to their end; those that have ended leave nothing behind.

    Args:
        context: of the session.

    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._under_way: dict[Run, asyncio.Task[None]] = {}
        self._stopped_by: ToAPIsError | None = None
        # Runs whose stop was told before a newer run began. Weak, since a session may begin thousands.
        self._outdated: WeakSet[Run] = WeakSet()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.Task[None] | None = None
        self.drained: bool = False

    def opened(self) -> None:
        """Hear which event loop they belong to."""
        self._loop = asyncio.get_running_loop()

    def require_loop(self) -> None:
        """Refuse another event loop than the one that is under way, in which waiting would never end.

        Raises:
            ToAPIsError: it is another one.

        """
        if self._loop is not None and self._loop is not asyncio.get_running_loop() and self._loop.is_running():
            raise ToAPIsError(
                "This session is in use in another event loop; nothing was sent.",
                hint="Use it in the loop that opened it; from other threads with asyncio.run_coroutine_threadsafe().",
            )

    @property
    def are_here(self) -> bool:
        """Whether whoever asks is the input of one of them."""
        return any(run.is_here for run in self._under_way)

    @property
    def stopped_by(self) -> ToAPIsError | None:
        """What stopped a run, forgotten when the next one begins; None where nothing did."""
        told = (run.stopped_by for run in self._under_way if run not in self._outdated)
        return next(filter(None, told), self._stopped_by)

    @property
    def late(self) -> int:
        """Tasks that have outlasted their patience."""
        return sum(run.late_count for run in self._under_way)

    @property
    def saving(self) -> int:
        """Finished items whose files are waiting to be fetched or being fetched."""
        return sum(run.saving for run in self._under_way)

    def new(self) -> Run:
        """Make a run; ``begin()`` has to follow for anything to happen."""
        return Run(self._context)

    def begin(self, run: Run, work: Callable[[], Awaitable[None]], *, context: Context | None = None) -> None:
        """Host a run.

        Args:
            run: made here.
            work: hosts it.
            context: what the host runs in; None for a copy of the caller's.

        Raises:
            ToAPIsError: another event loop asks for it.

        """
        self.require_loop()
        self._stopped_by = None
        self._outdated.update(other for other in self._under_way if other.stopped_by is not None)
        # Made after draining, a run still has to finish what is paid for, so it begins, and takes nothing in.
        if self.drained:
            run.stop(None, drain=True)
        task = asyncio.get_running_loop().create_task(self._host(run, work), context=context)
        self._under_way[run] = task

    async def _host(self, run: Run, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # a defect of ours; it belongs to whoever reads the run
            run.crash(error)
        finally:
            del self._under_way[run]
            if self._watch is not None and not self._under_way:
                self._watch.cancel()
            if run.stopped_by is not None and run not in self._outdated:
                self._stopped_by = run.stopped_by

    async def cancelled_over(self, run: Run) -> None:
        """Wait for the end of other runs that were cancelled: then their items can be gone on with."""
        for other in list(self._under_way):
            if other is not run and other.cancelled:
                await other.over.wait()

    def drain(self) -> None:
        """Send nothing more, in later runs neither, and finish what is paid for while the gateway can be reached."""
        self.drained = True
        for run in self._under_way:
            run.stop(None, drain=True)
        if self._under_way and self._watch is None:
            loop = self._loop or asyncio.get_running_loop()
            self._watch = loop.create_task(self._end_if_unreachable())

    async def _end_if_unreachable(self) -> None:
        try:
            error = await until_unreachable(self._context.gateway)
        except Exception as defect:  # noqa: BLE001  # ours; it belongs to whoever reads a run
            for run in list(self._under_way):
                run.crash(defect)
        else:
            for run in list(self._under_way):
                run.stop(error, drain=False)
                run.let_go()

    def cancel(self, *, but: "set[Run] | frozenset[Run]" = frozenset()) -> None:
        """End every run at once; what is being sent is still waited for."""
        for run in list(self._under_way):
            if run not in but:
                run.cancel()

    async def over(self) -> None:
        """Wait until every run has ended; a cancellation is obeyed when they have."""
        watch = () if self._watch is None else (self._watch,)
        await wait_shielded([*self._under_way.values(), *watch])
