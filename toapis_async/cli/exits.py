"""What the program's exit code says: ``docs/reference/command-line.md#exit-codes``."""

from enum import IntEnum

from toapis_async.batch.outcomes import Report
from toapis_async.errors import (
    AuthenticationError,
    ConfigurationError,
    ContentPolicyError,
    InsufficientQuotaError,
    InvalidRequestError,
    JournalDamagedError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    TaskFailedError,
    ToAPIsError,
)
from toapis_async.policy.money.delivery import lacks_path


class Exit(IntEnum):
    """The codes. Stopped hard is 128 and the signal's number: 130, 143."""

    DONE = 0
    UNEXPECTED = 1
    INVALID = 2
    SOME_FAILED = 3
    REFUSED = 4
    UNFINISHED = 5


_CODES: tuple[tuple[type[ToAPIsError], Exit], ...] = (
    (ConfigurationError, Exit.INVALID),
    (JournalDamagedError, Exit.INVALID),
    (AuthenticationError, Exit.REFUSED),
    (InsufficientQuotaError, Exit.REFUSED),
    (PermissionDeniedError, Exit.REFUSED),
    (TaskFailedError, Exit.SOME_FAILED),
    (ContentPolicyError, Exit.SOME_FAILED),
    (ModelUnavailableError, Exit.SOME_FAILED),
    (NotFoundError, Exit.SOME_FAILED),
)


def exit_of(error: ToAPIsError) -> Exit:
    """Return the code for an error that ended the program: whoever may come back later gets UNFINISHED."""
    if isinstance(error, InvalidRequestError):
        return Exit.INVALID if error.http_status is None else Exit.SOME_FAILED
    if lacks_path(error):
        return Exit.REFUSED
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.UNFINISHED)


def exit_of_report(report: Report, *, left: int) -> Exit:
    """Return the code for a run.

    Args:
        report: of the run.
        left: requests of the input that were not taken.

    """
    if report.stopped_by is not None:
        return exit_of(report.stopped_by)
    if report.unfinished or report.not_sent or left > 0:
        return Exit.UNFINISHED
    return Exit.SOME_FAILED if report.failed or report.short else Exit.DONE
