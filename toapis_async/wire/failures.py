"""From a refusing reply to the right error, with its facts and its next step: ``docs/contract.md#errors``."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from toapis_async.errors import (
    APIStatusError,
    AuthenticationError,
    ContentPolicyError,
    InsufficientQuotaError,
    InvalidRequestError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TaskFailedError,
    ToAPIsError,
)
from toapis_async.policy.money.hints import hint_for, hint_for_failed_task
from toapis_async.policy.money.refusals import Meaning, meaning_of
from toapis_async.values.exchange import HttpReply
from toapis_async.values.tasks import GenerationTask
from toapis_async.wire.complaints import Complaint, complaint_in
from toapis_async.wire.json_objects import json_in
from toapis_async.wire.plain_text import body_text, excerpt_of, is_markup, plain
from toapis_async.wire.scalars import name_of, number_of

_LONGEST_WAIT_SECONDS = 86_400.0
_WHAT_CHARS = 1_100  # an id and a model of the longest kind
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-oneapi-request-id", "x-amzn-requestid")
_FRONT_ID_HEADERS = ("cf-ray",)

_BY_MEANING: Mapping[Meaning, type[APIStatusError]] = {
    Meaning.MISSING_TASK: NotFoundError,
    Meaning.NO_QUOTA: InsufficientQuotaError,
    Meaning.BUSY: ServerError,
    Meaning.NO_MODEL: ModelUnavailableError,
    Meaning.POLICY: ContentPolicyError,
    Meaning.BAD_KEY: AuthenticationError,
    Meaning.TOO_FAST: RateLimitError,
}

_BY_STATUS: Mapping[int, type[APIStatusError | InvalidRequestError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: InsufficientQuotaError,
    403: PermissionDeniedError,
    404: NotFoundError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: ContentPolicyError,
    429: RateLimitError,
}


def error_from(reply: HttpReply, *, asked_for: str, now: float, submission: bool = True) -> ToAPIsError:
    """Return, not raise, the error that a refusing reply means.

    Args:
        reply: with a status of 300 and above, or a 2xx that says ``success: false``.
        asked_for: the call, for the message: ``POST /images/generations``.
        submission: whether the call may have made a task; False for one that is free, such as a look at a task.
        now: epoch seconds, to read a ``Retry-After`` that is a date.

    """
    said = json_in(reply.body)
    # A page and plain text are words of something in front of the gateway: shown, but never taken for its meaning.
    complaint = complaint_in(said) if type(said) in {dict, list} else Complaint(message=excerpt_of(reply))
    kind = _kind_of(reply.http_status, complaint.words)
    message = _sentence(asked_for, reply.http_status, complaint)
    hint = hint_for(
        http_status=reply.http_status,
        words=complaint.words,
        page=is_markup(body_text(reply)),
        submission=submission,
    )
    request_id = _request_id(reply, complaint)
    if issubclass(kind, InvalidRequestError):
        return kind(
            message,
            violations=(f"{complaint.param}: {complaint.message}",) if complaint.param else (),
            http_status=reply.http_status,
            code=complaint.code,
            request_id=request_id,
            task_id=complaint.task_id,
            hint=hint,
        )
    return kind(
        message,
        http_status=reply.http_status,
        code=complaint.code,
        request_id=request_id,
        task_id=complaint.task_id,
        retry_after_seconds=retry_after_seconds(reply, now=now),
        hint=hint,
    )


def upload_refused(reply: HttpReply) -> ToAPIsError:
    """Return, not raise, the error for an upload that was refused with ``success: false`` under 200."""
    error = error_from(reply, asked_for="the upload", now=0.0, submission=False)
    if type(error) is not APIStatusError:
        return error
    return InvalidRequestError(
        error.message, http_status=error.http_status, code=error.code, request_id=error.request_id, hint=error.hint
    )


def task_failed_error(task: GenerationTask) -> TaskFailedError:
    """Return, not raise, the error for a task that the gateway gave up: its reason, and what became of the money."""
    failure = task.error
    reason = "the gateway gave no reason" if failure is None else _coded(failure.code, failure.message)
    of_model = f" ({task.model})" if task.model else ""
    # Ids and models are the gateway's words as well: what looks like a key in them is blotted out here too.
    what = plain(f"Task {task.id}{of_model}", _WHAT_CHARS)
    return TaskFailedError(f"{what} failed: {reason}", task=task, hint=hint_for_failed_task(task))


def retry_after_seconds(reply: HttpReply, *, now: float) -> float | None:
    """Read ``Retry-After``, in seconds or as an HTTP date; None when it is absent, past or over a day."""
    value = header(reply, "retry-after")
    if value is None:
        return None
    seconds = number_of(value.strip())
    if seconds is None:
        seconds = _seconds_until(value, now)
    return seconds if seconds is not None and 0 <= seconds <= _LONGEST_WAIT_SECONDS else None


def header(reply: HttpReply, name: str) -> str | None:
    """Return a header by its lower-case name, whatever the case it came in."""
    value = reply.headers.get(name)
    if value is not None:
        return value
    return next((value for key, value in reply.headers.items() if key.lower() == name), None)


def _kind_of(http_status: int, words: str) -> type[APIStatusError | InvalidRequestError]:
    meaning = meaning_of(http_status, words)
    if meaning is not None:
        return _BY_MEANING[meaning]
    if http_status >= 500:
        return ServerError
    return _BY_STATUS.get(http_status, APIStatusError)


def _sentence(asked_for: str, http_status: int, complaint: Complaint) -> str:
    code = None if complaint.code == str(http_status) else complaint.code
    said = _coded(code, complaint.message)
    call = plain(asked_for)
    return f"{call[:1].upper()}{call[1:]}: HTTP {http_status}{f' {said}' if said else ' without a word'}"


def _coded(code: str | None, message: str) -> str:
    if code is None or code == message:
        return message
    return f"[{code}] {message}".rstrip()


def _request_id(reply: HttpReply, complaint: Complaint) -> str | None:
    for name in _REQUEST_ID_HEADERS:
        found = name_of(header(reply, name))
        if found is not None:
            return plain(found)
    if complaint.request_id is not None:
        return complaint.request_id
    for name in _FRONT_ID_HEADERS:
        found = name_of(header(reply, name))
        if found is not None:
            return plain(found)
    return None


def _seconds_until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
