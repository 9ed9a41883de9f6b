"""What is known about a submission after its answer. This table moves money: ``docs/money.md#delivery``."""

from enum import StrEnum

from toapis_async.errors import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    ContentPolicyError,
    Delivery,
    DownloadError,
    InsufficientQuotaError,
    InvalidRequestError,
    JournalError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StorageError,
    TaskFailedError,
    TaskTimeoutError,
    ToAPIsError,
)
from toapis_async.policy.money.refusals import Meaning, meaning_of


class Knowledge(StrEnum):
    """What a submission that ended in an error has done at the gateway."""

    NEVER_DELIVERED = "never_delivered"
    """It did not arrive: send it again."""
    REFUSED_FOR_NOW = "refused_for_now"
    """Not accepted; the same may be accepted later: wait, and send it again."""
    REFUSED = "refused"
    """Not accepted, and it will not be: mend what the error names."""
    UNKNOWN = "unknown"
    """It may have been accepted and charged: ask by ``client_business_id`` before anything else."""
    ACCEPTED = "accepted"
    """There is a task, and it is charged: follow it."""


_BY_CLASS: tuple[tuple[type[ToAPIsError], Knowledge], ...] = (
    (TaskFailedError, Knowledge.ACCEPTED),
    (TaskTimeoutError, Knowledge.ACCEPTED),
    (DownloadError, Knowledge.ACCEPTED),
    (RateLimitError, Knowledge.REFUSED_FOR_NOW),
    (ConfigurationError, Knowledge.REFUSED),
    (BudgetExceededError, Knowledge.REFUSED),
    (InvalidRequestError, Knowledge.REFUSED),
    (AuthenticationError, Knowledge.REFUSED),
    (InsufficientQuotaError, Knowledge.REFUSED),
    (PermissionDeniedError, Knowledge.REFUSED),
    (ContentPolicyError, Knowledge.REFUSED),
    (ModelUnavailableError, Knowledge.REFUSED),
)

# What proxies say when they gave up on the other side (408, 444, 460, 499), and what may speak of an earlier copy of
# the same submission (409, 425): a question costs less than a second charge.
_UNSETTLED_4XX = frozenset({408, 409, 425, 444, 460, 499})

_ENDS_THE_RUN = (AuthenticationError, InsufficientQuotaError, ConfigurationError, StorageError, JournalError)


def knowledge_of(error: ToAPIsError) -> Knowledge:
    """Judge a submission by the error that it ended in; whatever is not expected is ``UNKNOWN``.

    A reply that names a task is an acceptance whatever its status, except for "not found", which may echo the id
    that it did not find.
    """
    if isinstance(error, APIConnectionError):
        return Knowledge.NEVER_DELIVERED if error.delivery is Delivery.NEVER else Knowledge.UNKNOWN
    if isinstance(error, NotFoundError):
        return Knowledge.REFUSED
    if isinstance(error, APIStatusError | InvalidRequestError) and error.task_id is not None:
        return Knowledge.ACCEPTED
    # After a task id: whatever a reply is called, one that names a task is charged.
    for kind, knowledge in _BY_CLASS:
        if isinstance(error, kind):
            return knowledge
    return _by_status(error) if isinstance(error, APIStatusError) else Knowledge.UNKNOWN


def _by_status(error: APIStatusError) -> Knowledge:
    status = error.http_status
    # Other 503s may come from a proxy that had passed the request on.
    if status == 503 and meaning_of(status, f"{error.code} {error.message}") is Meaning.BUSY:
        return Knowledge.REFUSED_FOR_NOW
    if 300 <= status < 500 and status not in _UNSETTLED_4XX:
        return Knowledge.REFUSED  # redirects are not followed, so a 3xx reached no one who makes tasks
    return Knowledge.UNKNOWN


def proves_absence(error: ToAPIsError) -> bool:
    """Tell whether a lookup's error is the gateway's own word that there is no such task.

    A 404 page of something in front of it, and its "Invalid URL" for a wrong base address, prove nothing.
    """
    if not isinstance(error, NotFoundError) or lacks_path(error):
        return False
    return error.code is not None or meaning_of(404, error.message) is Meaning.MISSING_TASK


def lacks_path(error: ToAPIsError) -> bool:
    """Tell whether the gateway has no such path: its "Invalid URL", which a wrong base address brings."""
    return isinstance(error, NotFoundError) and "invalid url" in error.message.casefold()


def stops_everything(error: ToAPIsError) -> bool:
    """Tell whether the next item would meet the same error.

    So do a refused key, no money, a wrong setting or base address, and a dead disk.
    """
    return isinstance(error, _ENDS_THE_RUN) or lacks_path(error)
