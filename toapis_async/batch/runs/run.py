"""One stream of items: taken from the input, made under the session's limits, saved, delivered.

Everything that runs for it is owned by ``host()``, which ends when the last item has been delivered. Stopping has two
strengths: to drain sends nothing more and finishes what is paid for; to cancel leaves everything to the journal.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import anyio

from toapis_async.batch.items.item_run import ItemRun
from toapis_async.batch.items.run_context import RunContext
from toapis_async.batch.outcomes import Outcome, Unfinished
from toapis_async.errors import BudgetExceededError, ToAPIsError
from toapis_async.ports.events import ItemUnfinished
from toapis_async.shielding import wait_shielded


class Source(Protocol):
    """Where the items of a run come from; see ``batch.runs.feeding``."""

    async def start_items(self, run: "Run") -> None:
        """Start items until there are no more."""
        ...


# Slow items are in memory all the same.
_MOST_SLOW = 256


class Run:
    """See the head of this file.

    Args:
        context: of the session.

    """

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.stopped_by: ToAPIsError | None = None
        self.crashed: Exception | None = None
        self._raise: ToAPIsError | None = None
        self.over: anyio.Event = anyio.Event()
        self.draining: bool = False
        self.full: bool = False
        self.saving: int = 0
        # One file under way and one ready for each worker, so that none of them idles.
        self._most_saving = 2 * context.settings.download_workers
        self._room = anyio.Event()
        self._pending = 0
        self._fed = False
        self._items: set[ItemRun] = set()
        self._item_tasks: set[asyncio.Task[None]] = set()
        self._late: dict[ItemRun, anyio.CancelScope] = {}
        self._feeding = anyio.CancelScope()
        self._cancelled = False
        self._begun = False
        self._task: asyncio.Task[object] | None = None
        self._slow: set[ItemRun] = set()
        self._ended = asyncio.Event()

    @property
    def cancelled(self) -> bool:
        """Whether it was told to end at once, and has begun."""
        return self._cancelled and self._begun

    @property
    def is_here(self) -> bool:
        """Whether whoever asks is its own input, which cannot wait for the run's end."""
        return self._task is not None and self._task is asyncio.current_task()

    @property
    def under_way(self) -> int:
        """Items that were begun and have not been delivered."""
        return self._pending

    @property
    def taking(self) -> bool:
        """Whether items may still be started."""
        return not self.draining and not self._fed

    @property
    def late_count(self) -> int:
        """Tasks that have outlasted their patience."""
        return len(self._late)

    async def host(self, feed: "Source | None") -> None:
        """Run until everything is delivered, or cancelled.

        Args:
            feed: where items come from; None where ``start()`` is called from outside until ``no_more()``.

        """
        self._begun = True
        self._task = asyncio.current_task()
        try:
            if feed is not None:
                await self._take_in(feed)
            await self._ended.wait()
        finally:
            self._cancel_items()
            try:
                await wait_shielded(self._item_tasks)
                self._count_those_struck()
            finally:
                self.over.set()

    def _count_those_struck(self) -> None:
        """Count what an error that ended the run has struck on its way: what is paid for is said to be."""
        error = self.stopped_by or self.crashed
        if isinstance(error, ToAPIsError):
            for item_run in list(self._items):
                item_run.left_behind(error)

    def start(self, item_run: ItemRun) -> None:
        """Take an item in."""
        if self._ended.is_set():
            raise RuntimeError("the run is not under way")
        self._pending += 1
        self._items.add(item_run)
        # Before its task runs: whoever submits the same id in this turn of the loop joins it.
        self.context.in_work.begin(item_run)
        if self.draining:
            item_run.stop()
        task = item_run.item_task.start(self._guarded(item_run))
        self._item_tasks.add(task)
        task.add_done_callback(self._item_tasks.discard)

    async def caught_up(self) -> None:
        """Wait while more finished items than the download workers can take are waiting for them, but for slow ones."""
        while self.saving - min(len(self._slow), _MOST_SLOW) > self._most_saving:
            self._room = anyio.Event()
            await self._room.wait()

    def no_more(self) -> None:
        """Say that no more items will come."""
        self._fed = True
        self._end_if_done()

    async def hand_over(self, item_run: ItemRun) -> None:
        """Have a finished item saved, when it is its turn; while many wait for theirs nothing more is taken in."""
        self.saving += 1
        try:
            # In the item's own task, so that whoever listens hears of it in the context of who asked for the item.
            await item_run.save()
        finally:
            self.saving -= 1
            self._slow.discard(item_run)
            self._room.set()

    def slow(self, item_run: ItemRun) -> None:
        """Hear that an item's files come slowly: it keeps no others waiting."""
        if item_run not in self._slow:
            self._slow.add(item_run)
            self._room.set()

    def ended(self, item_run: ItemRun) -> None:
        """Hear that an item was delivered."""
        if item_run not in self._items:
            return
        self._items.discard(item_run)
        self.context.in_work.end(item_run)
        self._pending -= 1
        self._end_if_done()

    def _left(self, item_run: ItemRun) -> None:
        """End an item that was cancelled: nothing is delivered, and whoever follows it hears why."""
        if item_run not in self._items:
            return
        error, reason = _left_error(item_run), self.stopped_by or self.crashed
        end: Outcome | Exception = reason or error
        if not self._cancelled:
            end = Unfinished(item=item_run.item, error=error, task=item_run.task, sent=item_run.is_sent)
            item_run.count(end)
            item_run.recorder.tell(ItemUnfinished, error=error)
        elif isinstance(reason, ToAPIsError):
            item_run.left_behind(reason)
        else:
            item_run.give_back()
        self.context.in_work.tell(item_run, end)
        self.ended(item_run)

    def take_error(self) -> Exception | None:
        """Return, once, what whoever reads the stream has to hear; a reached budget is no such thing."""
        error, self.crashed = self.crashed or self._raise, None
        self._raise = None
        return error

    def stop(self, error: ToAPIsError | None, *, drain: bool) -> None:
        """Take in and send nothing more; without *drain*, give up what is under way as well."""
        # The first reason counts, except that a budget is no failure: what breaks later is worth more to hear.
        if error is not None and (self.stopped_by is None or isinstance(self.stopped_by, BudgetExceededError)):
            self.stopped_by = self._raise = error
        self.draining = True
        self._feeding.cancel()
        self._stop_items()
        if not drain:
            self.cancel()

    def _stop_items(self) -> None:
        for item_run in list(self._items):
            item_run.stop()

    def enough(self, error: BudgetExceededError) -> None:
        """Take in nothing more, since it would not fit the budget; what was planned within it is still sent."""
        self.full = True
        if self.stopped_by is None:
            self.stopped_by = error

    def crash(self, error: Exception) -> None:
        """End the run because of a defect, ours or the input's."""
        # The first defect is the cause; what follows from it would only hide it.
        self.crashed = self.crashed or error
        self.cancel()

    def cancel(self) -> None:
        """End everything at once; what is being sent is still waited for."""
        self._cancelled = True
        self.draining = True
        # A cancellation reaches an item at its next wait; until then it must not begin another attempt.
        self._stop_items()
        self._feeding.cancel()
        self._cancel_items()
        self._ended.set()

    def let_go(self) -> None:
        """Wait for no reply to what was sent either, once the run was cancelled; a later run asks for it."""
        for item_run in list(self._items):
            item_run.let_go()

    def _cancel_items(self) -> None:
        for item_run in list(self._items):
            item_run.cancel()

    def may_submit(self, item_run: ItemRun) -> bool:
        """Whether an item of an earlier run, which counts towards the budget already, may be submitted after all."""
        return not self.draining and self.context.budget.keeps(item_run.estimate)

    @contextmanager
    def late(self, item_run: ItemRun) -> Iterator[anyio.CancelScope]:
        """Keep a late item until the end of the run; the oldest go first when there are too many."""
        with anyio.CancelScope() as scope:
            self._late[item_run] = scope
            # Each late task keeps its item in memory: a gateway that loses tasks must not fill it.
            if len(self._late) > max(100, self.context.slots.limit):
                next(iter(self._late.values())).cancel()
            self._end_if_done()
            try:
                yield scope
            finally:
                del self._late[item_run]

    def _end_if_done(self) -> None:
        # Only late tasks are left: they would hold a finished run open. The journal keeps them.
        if not self._fed or self._pending > len(self._late):
            return
        for scope in self._late.values():
            scope.cancel()
        if not self._pending:
            self._ended.set()

    async def _guarded(self, item_run: ItemRun) -> None:
        """Bring a defect, ours or the listener's, to whoever reads the stream, as it is."""
        try:
            await item_run.go()
        except Exception as error:  # noqa: BLE001
            self.crash(error)
        finally:
            self._left(item_run)

    async def _take_in(self, feed: "Source") -> None:
        try:
            with self._feeding:
                await feed.start_items(self)
        except ToAPIsError as error:
            self.stop(error, drain=False)
        except Exception as error:  # noqa: BLE001  # the input's own errors belong to whoever reads the stream
            self.crash(error)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and self._task is not None and self._task.cancelling():
                raise
            # Such as the cancellation of a task that the input waited for: it must not look like the input's end.
            broken = RuntimeError(f"the input raised {type(error).__name__}")
            broken.__cause__ = error
            self.crash(broken)
        self.no_more()


def _left_error(item_run: ItemRun) -> ToAPIsError:
    return ToAPIsError(
        f"Item {item_run.item.key!r} was left before it ended.",
        hint="What was accepted is in the journal: submit it again under the same id, or resume the run.",
    )
