"""Errors as HTTP answers: a status and a body that tells strangers what they may know.

The text of an error is for the log: it may hold words of the gateway, paths of this machine, or what the account's
owner has to do. A stranger gets the kind, a sentence for its kind, and the violations of his own request.
"""

from toapis_async import errors
from toapis_async.errors import ToAPIsError

MEDIA_TYPE = "application/problem+json"

# The most particular class of an error counts.
_ANSWERS: dict[type[ToAPIsError], tuple[int, str]] = {
    errors.ToAPIsError: (500, "The image service met an error."),
    errors.ConfigurationError: (500, "The image service is not set up rightly."),
    errors.InvalidRequestError: (422, "The request cannot be right."),
    errors.APIStatusError: (502, "The image service refused."),
    errors.AuthenticationError: (502, "The image service refused."),
    errors.PermissionDeniedError: (502, "The image service refused."),
    errors.InsufficientQuotaError: (503, "The image service has no funds at the moment."),
    errors.NotFoundError: (404, "There is no such image."),
    errors.ContentPolicyError: (422, "The image service does not make that."),
    errors.RateLimitError: (503, "The image service is busy."),
    errors.ModelUnavailableError: (503, "The model is not available."),
    errors.ServerError: (502, "The image service is broken."),
    errors.APIConnectionError: (502, "The image service cannot be reached."),
    errors.APITimeoutError: (504, "The image service does not answer."),
    errors.UnreadableReplyError: (502, "The image service answers unreadably."),
    errors.SubmissionUnknownError: (502, "It is not known whether the image is being made."),
    errors.TaskFailedError: (502, "The image service could not make the image."),
    errors.TaskTimeoutError: (504, "The image is not ready yet."),
    errors.DownloadError: (502, "The image is made but could not be fetched yet."),
    errors.StorageError: (500, "The image could not be kept."),
    errors.JournalError: (500, "The image could not be kept."),
    errors.BudgetExceededError: (503, "The budget for images is spent."),
    errors.WebhookVerificationError: (400, "The webhook is not genuine."),
}


def problem(error: ToAPIsError) -> dict[str, object]:
    """Return the body of the answer, in the form of RFC 9457."""
    status, title = _answer(type(error))
    body: dict[str, object] = {"title": title, "status": status, "error": type(error).__name__}
    if isinstance(error, errors.InvalidRequestError) and error.http_status is None:
        body["violations"] = list(error.violations)
    return body


def title_of(error_type: str) -> str:
    """Return the sentence for an error that is known by the name of its class."""
    kind = getattr(errors, error_type, None)
    return _answer(kind if isinstance(kind, type) and issubclass(kind, ToAPIsError) else ToAPIsError)[1]


def headers(error: ToAPIsError) -> dict[str, str]:
    """Return what goes with the answer: when to come back, as far as the gateway has said."""
    seconds = getattr(error, "retry_after_seconds", None)
    return {} if seconds is None else {"Retry-After": str(max(1, round(seconds)))}


def _answer(kind: type[ToAPIsError]) -> tuple[int, str]:
    return next(_ANSWERS[base] for base in kind.__mro__ if base in _ANSWERS)
