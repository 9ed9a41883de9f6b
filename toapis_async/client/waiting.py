"""Waiting for a task: one polling coroutine per task id, on a schedule that somebody else decides."""

import random as random_module
from collections.abc import Awaitable, Callable

import attrs

from toapis_async.clock import Clock
from toapis_async.errors import AuthenticationError, ConfigurationError, TaskTimeoutError, ToAPIsError
from toapis_async.policy.waiting.polling import LookPlan, failed_look_delay
from toapis_async.values.tasks import GenerationTask

Look = Callable[[], Awaitable[GenerationTask]]


@attrs.frozen(kw_only=True)
class Finish:
    """How a wait ended.

    Attributes:
        task: as last seen, finished.
        after_seconds: the latest time since acceptance at which it was seen unfinished.
        by_seconds: the time since acceptance at which it was seen finished.
        looks: how many times we looked.

    """

    task: GenerationTask
    after_seconds: float
    by_seconds: float
    looks: int


async def wait_until_finished(
    look: Look,
    task: GenerationTask,
    *,
    accepted_at: float,
    plan: LookPlan,
    patience_seconds: float | None,
    clock: Clock,
    random: random_module.Random,
    look_at_once: bool = False,
) -> Finish:
    """Look at a task until it is completed or failed.

    A look that fails says nothing about the task: it is repeated, on a back-off of its own.

    Args:
        look: looks once.
        task: as last seen.
        accepted_at: on ``clock.monotonic()``.
        plan: when to look; asked once before each look.
        patience_seconds: since acceptance; None for as long as it takes.
        clock: waits.
        random: jitters.
        look_at_once: whether to begin with a look, whatever the plan and the patience say.

    Raises:
        TaskTimeoutError: patience is at an end; carries the task as last seen.
        AuthenticationError: the key is refused.

    """
    after, looks, failures = 0.0, 0, 0
    delay, trouble = 0.0, ""
    while not task.finished:
        elapsed = clock.monotonic() - accepted_at
        if not failures:
            delay = plan.next_delay(elapsed, random)
        if look_at_once and not looks:
            delay = 0.0
        elif patience_seconds is not None:
            left = patience_seconds - elapsed
            if left <= 0:
                raise late_error(task, patience_seconds, trouble)
            # The last look lands within the patience.
            delay = min(delay, left)
        await clock.sleep(delay)
        looks += 1
        try:
            seen = await look()
        except (AuthenticationError, ConfigurationError):
            raise
        except ToAPIsError as error:
            failures, trouble = failures + 1, error.message
            delay = failed_look_delay(failures, random, retry_after_seconds=getattr(error, "retry_after_seconds", None))
            continue
        failures, trouble = 0, ""
        task = seen
        if not task.finished:
            after = clock.monotonic() - accepted_at
    return Finish(task=task, after_seconds=after, by_seconds=clock.monotonic() - accepted_at, looks=looks)


def late_error(task: GenerationTask, patience_seconds: float, trouble: str = "") -> TaskTimeoutError:
    """Make the error for a task that outlasted our patience; *trouble* is why the last look failed, if it did."""
    doubt = f" (The last look at it failed: {trouble})" if trouble else ""
    return TaskTimeoutError(
        f"Task {task.id} is {task.status_text or 'unfinished'!r} after {patience_seconds:g} s.{doubt}",
        task=task,
        hint=f"It may still finish and is paid for: wait for it again (toapis status {task.id} --wait), "
        "do not submit it again.",
    )
