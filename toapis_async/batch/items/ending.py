"""What an error means for an item and for the run that it is part of."""

from toapis_async.batch.outcomes import Failed, Item, Outcome, Unfinished
from toapis_async.client.submitting import NotSentError
from toapis_async.errors import (
    APIConnectionError,
    BudgetExceededError,
    ContentPolicyError,
    Delivery,
    DownloadError,
    InsufficientQuotaError,
    JournalError,
    NotFoundError,
    RateLimitError,
    StorageError,
    SubmissionUnknownError,
    TaskFailedError,
    TaskTimeoutError,
    ToAPIsError,
)
from toapis_async.policy.money.delivery import lacks_path, stops_everything
from toapis_async.values.tasks import GenerationTask


class NotWantedError(ToAPIsError):
    """Asked for and not there; nobody waits for it. Never reaches a user."""


def stops(error: ToAPIsError, *, has_paths: bool = False) -> bool:
    """Whether every other item would meet the same error.

    Args:
        error: of one item.
        has_paths: whether the base address is known to be right, so that a missing path concerns one kind of task.

    """
    if has_paths and lacks_path(error):
        return False
    # Nothing could be delivered although it was tried for as long as patience allows: the network, not the item.
    never = isinstance(error, APIConnectionError) and error.delivery is Delivery.NEVER
    return never or isinstance(error, (StorageError, JournalError)) or stops_everything(error)


def stops_at_once(error: ToAPIsError) -> bool:
    """Whether even what is paid for cannot be finished: no key, no network, no disk.

    Money is not needed for that, and a path that is missing for submissions may be there for questions.
    """
    return not isinstance(error, InsufficientQuotaError | NotFoundError)


def outcome_of(
    item: Item, error: ToAPIsError, task: GenerationTask | None, *, sent: bool = True, stopping: bool
) -> Outcome:
    """Return how an item ends by this error: failed only where neither waiting nor resuming can change it.

    Args:
        item: which one.
        error: what it ended by.
        task: as last seen; None without one.
        sent: whether the gateway has it or may have it.
        stopping: whether the error stops the run.

    """
    # Errors that time, money or another run can mend. What is in none of these groups has no task and will be refused
    # again.
    for_now = (
        BudgetExceededError,
        NotSentError,
        RateLimitError,
        SubmissionUnknownError,
        TaskTimeoutError,
        DownloadError,
    )
    # Before all else: these are final although there may be a task.
    if isinstance(error, TaskFailedError | ContentPolicyError):
        return Failed(item=item, error=error, task=task)
    if task is not None or isinstance(error, for_now) or stopping:
        return Unfinished(item=item, error=error, task=task, sent=sent)
    return Failed(item=item, error=error)


def stopped_before_sending() -> NotSentError:
    """Make the error for an item that a stop has met before anything of it was sent."""
    return NotSentError("The run was stopped before this item was sent.", hint="Resume the run to send it.")
