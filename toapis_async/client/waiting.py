"""Waiting for a task: watch, wait, learn, go. One coroutine per task id, and somebody else decides when to look."""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import attrs

from toapis_async.client.dispatching import Tell
from toapis_async.client.gateway import Gateway
from toapis_async.errors import AuthenticationError, ConfigurationError, TaskTimeoutError, ToAPIsError
from toapis_async.policy.waiting.latency import Watch
from toapis_async.policy.waiting.polling import LookPlan, failed_look_delay
from toapis_async.policy.waiting.safety_net import safety_delay
from toapis_async.ports.events import TaskFinished, TaskLate, TaskLookedAt
from toapis_async.values.limits import INTERACTIVE
from toapis_async.values.tasks import GenerationTask

_LONGEST_ANSWER_SECONDS = 1.0  # that an answer to a submission was on its way, after the gateway had dated the task
_LONGEST_EVENT_SECONDS = 2.0  # that an event which comes while it is waited for was on its way


@attrs.frozen(kw_only=True)
class Finish:
    """How a wait ended.

    Attributes:
        task: as last seen or told, finished.
        after_seconds: the latest time since acceptance at which it was seen unfinished.
        by_seconds: the time since acceptance at which it was known to be finished.
        looks: how many times we looked.
        told: whether an event ended the wait.

    """

    task: GenerationTask
    after_seconds: float
    by_seconds: float
    looks: int
    told: bool = False


@attrs.define(kw_only=True, eq=False)
class TaskWait:
    """The wait for one task, from ``with`` to its end.

    Attributes:
        gateway: of the client.
        task: as last seen.
        watch: when to look, and what learns from it; ended together with the wait.
        accepted_at: on the gateway's ``clock.monotonic()``.
        tell: tells of looks and of the end.
        priority: of its looks in the line of the rate limiter.
        resumed: whether the task is of an earlier run: it is looked at at once, and teaches nothing, since when it
            was accepted is a guess.
        looks: how many times it was looked at so far.

    """

    gateway: Gateway
    task: GenerationTask
    watch: Watch
    accepted_at: float
    tell: Tell
    priority: int = INTERACTIVE
    resumed: bool = False
    looks: int = attrs.field(default=0, init=False)
    _look: Callable[[], Awaitable[GenerationTask]] = attrs.field(init=False)
    _task_id: str = attrs.field(init=False)
    _after: float = attrs.field(default=0.0, init=False)
    _asks: bool = attrs.field(default=True, init=False)
    _told: bool = attrs.field(default=False, init=False)
    _relies: bool = attrs.field(default=False, init=False)

    def __enter__(self) -> Self:
        self._task_id = self.task.id
        self._look = self.gateway.looks_at(self.task, priority=self.priority)
        self.gateway.completion.expect(self._task_id)
        self.gateway.events.counters.in_flight += 1
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.watch.gone()
        self.gateway.events.counters.in_flight -= 1
        self.gateway.completion.forget(self._task_id)

    async def finished(self, patience_seconds: float) -> GenerationTask:
        """Return the task, completed or failed.

        Args:
            patience_seconds: since acceptance.

        Raises:
            TaskTimeoutError: patience is at an end; carries the task as last seen.
            AuthenticationError: the key is refused.

        """
        try:
            finish = await self._wait(self.watch, patience_seconds)
        except TaskTimeoutError:
            self.tell(TaskLate)
            raise
        if not self.resumed:
            learn(self.watch, finish)
        return self._ended(finish)

    async def finished_late(self, interval_seconds: float) -> GenerationTask:
        """Return the task, however late, looked at every so many seconds."""
        return self._ended(await self._wait(SlowPlan(interval_seconds), None))

    def _ended(self, finish: Finish) -> GenerationTask:
        task = finish.task
        self.tell(
            TaskFinished,
            status=task.status,
            seconds=None if self.resumed else finish.by_seconds,
            cost_usd=task.cost,
            notice_seconds=None if self.resumed else notice_seconds(finish, self.gateway.clock.now()),
            told=finish.told,
        )
        return task

    async def _wait(self, plan: LookPlan, patience_seconds: float | None) -> Finish:
        """Wait and look in turn; a look that fails says nothing about the task and is repeated, on its own back-off."""
        failures, trouble, delay = 0, "", 0.0
        while not self.task.finished:
            elapsed = self._elapsed()
            if not failures:
                delay = self._delay(plan, elapsed)
            # A task of an earlier run may have finished long ago, and its links live for 24 hours only.
            if self.resumed and not self.looks:
                delay = 0.0
            elif patience_seconds is not None:
                left = patience_seconds - elapsed
                if left <= 0:
                    raise late_error(self.task, patience_seconds, trouble)
                # The last look lands within the patience.
                delay = min(delay, left)
            if await self._heard(delay):
                break
            sooner = self._sooner(plan, elapsed + delay)
            if sooner is not None and await self._heard(sooner):
                break
            failure = await self._looked()
            self.gateway.limits.tell_change(self.tell)
            if failure is None:
                failures, trouble = 0, ""
                continue
            failures, trouble = failures + 1, failure.message
            asked = getattr(failure, "retry_after_seconds", None)
            delay = failed_look_delay(failures, self.gateway.random, retry_after_seconds=asked)
        by = self._elapsed()
        return Finish(task=self.task, after_seconds=self._after, by_seconds=by, looks=self.looks, told=self._told)

    def _elapsed(self) -> float:
        return self.gateway.clock.monotonic() - self.accepted_at

    def _delay(self, plan: LookPlan, elapsed: float) -> float:
        gateway = self.gateway
        planned = plan.next_delay(elapsed, gateway.random)
        self._relies = self._asks and gateway.completion.trusted
        if not self._relies:
            return planned
        return safety_delay(planned, elapsed, law=gateway.latencies.law(self.watch.key), random=gateway.random)

    def _sooner(self, plan: LookPlan, due: float) -> float | None:
        """Give the seconds until the look that was left to an event, where events are trusted no more; else None."""
        now, random = self._elapsed(), self.gateway.random
        if not (self._asks and self._relies) or now >= due or self.gateway.completion.trusted:
            return None
        # As the plan goes on from the last look; it hears of no look that there was not.
        planned = plan.next_delay(self._after, random)
        left = self._after + planned - now
        # Those that are overdue are so all at once.
        return min(due - now, left if left > 0.0 else planned * random.random())

    async def _heard(self, seconds: float) -> bool:
        """Wait for so long, or for an event; tell whether one ended the wait. An event without a result is looked up.

        A source tells the same again and again, so after its event only time is waited for.
        """
        if not self._asks:
            await self.gateway.clock.sleep(seconds)
            return False
        told = await self.gateway.completion.news(self._task_id, seconds)
        if told is None:
            return False
        self._asks = False
        # An event is somebody's word: about another task, or none, it only brings the next look forward.
        if not told.finished or self._task_id not in {told.id, told.client_business_id}:
            return False
        self._told = True
        # An event without results ends the waiting, but only a look brings the addresses.
        if told.completed and not told.files:
            return False
        self.task = attrs.evolve(
            told,
            # What was submitted is known for certain; an event names it in one way of several.
            id=self._task_id,
            kind=self.task.kind,
            model=told.model or self.task.model,
            client_business_id=told.client_business_id or self.task.client_business_id,
        )
        return True

    async def _looked(self) -> ToAPIsError | None:
        """Look once; return why that failed, or None.

        Raises:
            AuthenticationError, ConfigurationError: no look will ever succeed.

        """
        self.looks += 1
        try:
            self.task = task = await self._look()
        except (AuthenticationError, ConfigurationError):
            raise
        except ToAPIsError as error:
            self.tell(TaskLookedAt, status=None, error=error)
            return error
        self.tell(TaskLookedAt, status=task.status)
        if not task.finished:
            # Seen unfinished after an event said otherwise: the look counts, and teaches.
            self._after, self._told = self._elapsed(), False
        # Found by a look although events were expected: that is how trust in a source that fell silent is lost.
        elif self._asks:
            self.gateway.completion.missed(self._task_id)
        return None


@attrs.frozen
class SlowPlan:
    """Equal waits, for a task that is late.

    Attributes:
        interval_seconds: each.

    """

    interval_seconds: float

    def next_delay(self, elapsed: float, random: object) -> float:
        """See ``LookPlan.next_delay``."""
        return self.interval_seconds


def learn(watch: Watch, finish: Finish) -> None:
    """Add a finished wait to what is known about latencies."""
    task = finish.task
    # Failures end early or late for reasons of their own and would spoil what is learned about completions.
    if not task.completed or not (finish.looks or finish.told):
        return
    after, by = finish.after_seconds, finish.by_seconds
    if task.created_at and task.completed_at:
        # The gateway dates to the second: the truth lies within one second of the difference. It may have dated the
        # beginning before its answer came, from which we count. Dates that contradict the looks are not believed.
        took = (task.completed_at - task.created_at).total_seconds()
        low, high = max(after, took - 1.0 - _LONGEST_ANSWER_SECONDS), min(by, took + 1.0)
        if low < high:
            after, by = low, high
    elif finish.told:
        after = max(after, by - _LONGEST_EVENT_SECONDS)
    if by > after:
        watch.finished(after, by)


def notice_seconds(finish: Finish, now: float) -> float | None:
    """Return for how long a task had ended when we knew; None where the gateway has not dated its end.

    At most since it was last seen unfinished, whatever the gateway's clock says.

    Args:
        finish: how the wait ended.
        now: epoch seconds.

    """
    if finish.task.completed_at is None:
        return None
    since = now - finish.task.completed_at.timestamp()
    return min(max(0.0, since), finish.by_seconds - finish.after_seconds)


def late_error(task: GenerationTask, patience_seconds: float, trouble: str = "") -> TaskTimeoutError:
    """Make the error for a task that outlasted our patience; *trouble* is why the last look failed, if it did."""
    doubt = f" (The last look at it failed: {trouble})" if trouble else ""
    return TaskTimeoutError(
        f"Task {task.id} is {task.status_text or 'unfinished'!r} after {patience_seconds:g} s.{doubt}",
        task=task,
        hint=f"It may still finish and is paid for: wait for it again (toapis status {task.id} --wait), "
        "do not submit it again.",
    )
