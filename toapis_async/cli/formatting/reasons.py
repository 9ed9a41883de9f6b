"""Errors in a few words each, so that many can be counted as few."""

from toapis_async.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BudgetExceededError,
    ContentMismatchError,
    ContentPolicyError,
    DownloadError,
    InsufficientQuotaError,
    InvalidRequestError,
    JournalError,
    LinkExpiredError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StorageError,
    SubmissionUnknownError,
    TaskFailedError,
    TaskTimeoutError,
    ToAPIsError,
    TruncatedError,
)

_LONGEST = 48

_WORDS: tuple[tuple[type[ToAPIsError], str], ...] = (
    (ContentPolicyError, "refused by the content policy"),
    (ModelUnavailableError, "no channel for the model"),
    (NotFoundError, "not found"),
    (AuthenticationError, "the key is refused"),
    (InsufficientQuotaError, "no quota left"),
    (PermissionDeniedError, "the key may not do this"),
    (RateLimitError, "too fast for the gateway"),
    (TaskTimeoutError, "late, and still in the making"),
    (SubmissionUnknownError, "acceptance unknown"),
    (LinkExpiredError, "the link has died"),
    (TruncatedError, "the file came cut short"),
    (ContentMismatchError, "what came is no image or video"),
    (APITimeoutError, "the gateway did not answer in time"),
    (APIConnectionError, "the gateway could not be reached"),
    (StorageError, "the disk refused"),
    (JournalError, "the journal refused"),
    (BudgetExceededError, "over the cap"),
)


def reason_of(error: ToAPIsError) -> str:
    """Return why, in words that are the same for all errors of a kind: no ids, no addresses, no prompts."""
    match error:
        case TaskFailedError(task=task):
            failure = task.error
            said = "" if failure is None else failure.code or failure.message
            return f"task failed: {_short(said)}" if said else "task failed without a reason"
        case InvalidRequestError():
            by = "request refused by the gateway" if error.http_status else "request not valid"
            return f"{by} [{_short(error.code)}]" if error.code else by
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    if isinstance(error, DownloadError):
        status = error.http_status
        return "the file host could not be reached" if status is None else f"the file host answered {status}"
    if isinstance(error, APIStatusError):
        return f"the gateway answered {error.http_status}"
    return _short(error.message.partition(":")[0]) or type(error).__name__


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
