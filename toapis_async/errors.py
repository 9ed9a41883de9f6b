"""Every error of the library, one family.

ToAPIsError
    ConfigurationError              a setting is wrong; nothing was sent
    InvalidRequestError             the request is wrong: our refusal, or the gateway's 400
    APIStatusError                  the gateway said no
        AuthenticationError         401
        InsufficientQuotaError      402, and quota refusals under other statuses
        PermissionDeniedError       403
        NotFoundError               404
        ContentPolicyError          422
        RateLimitError              429
        ModelUnavailableError       503 that is about the model, for good
        ServerError                 5xx
    APIConnectionError              no usable answer
        APITimeoutError
    UnreadableReplyError            a 2xx that cannot be decoded
    SubmissionUnknownError          it cannot be found out whether a task exists
    TaskFailedError                 the gateway gave the task up
    TaskTimeoutError                we stopped waiting; the task may still finish
    DownloadError                   the file could not be fetched; the task is paid for and can be fetched again
        LinkExpiredError
        TruncatedError
        ContentMismatchError
        IncompleteDownloadError     some of a task's files were saved, others not
    StorageError                    the disk said no: full, read-only, not allowed
    JournalError
        JournalLockedError          another process runs in this directory
        JournalDamagedError
    BudgetExceededError             the next submission would pass the cap
    WebhookVerificationError

Facts are attributes with units in their names; the text ends with the next step. All pickle; none has the key.
"""

import copyreg
from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from toapis_async.values.files import SavedFile
from toapis_async.values.tasks import GenerationTask


class Delivery(StrEnum):
    """What a broken exchange tells about the request."""

    NEVER = "never"
    """It did not leave this machine, or was not taken."""
    UNKNOWN = "unknown"
    """It may have arrived."""


class ToAPIsError(Exception):
    """The root of the family.

    Attributes:
        message: what happened.
        hint: what to do next; empty when there is nothing to do.
        lasting: whether trying again soon cannot help: a certificate that is not trusted, a proxy that refuses.

    """

    lasting = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        # Exception.__reduce__ replays positional arguments only, and ours are keywords.
        return copyreg.__newobj__, (type(self), *self.args), dict(self.__dict__)  # type: ignore[attr-defined]


class ConfigurationError(ToAPIsError):
    """A setting is missing or wrong. Raised before any input or output."""


class APIStatusError(ToAPIsError):
    """The gateway answered with an error.

    Attributes:
        http_status: of the reply.
        code: the gateway's own code as text, or None.
        request_id: what support asks for, or None.
        task_id: a task that the reply names all the same, or None.
        retry_after_seconds: how long the gateway asks to wait, or None.

    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int,
        code: str | None = None,
        request_id: str | None = None,
        task_id: str | None = None,
        retry_after_seconds: float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.http_status = http_status
        self.code = code
        self.request_id = request_id
        self.task_id = task_id
        self.retry_after_seconds = retry_after_seconds


class InvalidRequestError(ToAPIsError):
    """The request is wrong: refused by us against the catalogue, or by the gateway with 400.

    Attributes:
        violations: one sentence per wrong field, each naming field, value and what is allowed.
        http_status: 400 from the gateway; None when we refused and nothing was sent.
        code: the gateway's own code as text, or None.
        request_id: what support asks for, or None.
        task_id: a task that the refusal names all the same, or None.

    """

    def __init__(
        self,
        message: str,
        *,
        violations: tuple[str, ...] = (),
        http_status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        task_id: str | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.violations = violations
        self.http_status = http_status
        self.code = code
        self.request_id = request_id
        self.task_id = task_id

    @classmethod
    def refused(
        cls,
        violations: tuple[str, ...],
        *,
        what: str = "The request",
        hint: str = "Correct that and send it again; nothing was charged.",
    ) -> Self:
        """Make our own refusal from its violations."""
        return cls(f"{what} was not sent: " + "; ".join(violations), violations=violations, hint=hint)


class AuthenticationError(APIStatusError):
    """401: the key is missing, wrong or not active."""


class InsufficientQuotaError(APIStatusError):
    """402, or a quota refusal: the balance does not cover the task."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404, or the live service's ``task_not_exist``: nothing under that id or path."""


class ContentPolicyError(APIStatusError):
    """422: the prompt or a reference was refused by policy."""


class RateLimitError(APIStatusError):
    """429: too fast; not accepted and not charged."""


class ModelUnavailableError(APIStatusError):
    """503 that is about the model or its channel; trying again soon does not help."""


class ServerError(APIStatusError):
    """5xx: the gateway or what stands before it broke."""


class APIConnectionError(ToAPIsError):
    """No usable answer.

    Attributes:
        delivery: whether the request may have arrived.

    """

    def __init__(self, message: str, *, delivery: Delivery, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.delivery = delivery


class APITimeoutError(APIConnectionError):
    """The answer took longer than ``timeout`` allows."""


class UnreadableReplyError(ToAPIsError):
    """A 2xx whose body is not what the documentation promises.

    Attributes:
        http_status: of the reply.
        excerpt: the beginning of the body, for a report.

    """

    def __init__(self, message: str, *, http_status: int = 200, excerpt: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.http_status = http_status
        self.excerpt = excerpt


class SubmissionUnknownError(ToAPIsError):
    """It cannot be found out whether a task exists, so it is neither resent nor forgotten.

    Attributes:
        client_business_id: the reference to ask the gateway about.

    """

    def __init__(self, message: str, *, client_business_id: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.client_business_id = client_business_id


class TaskFailedError(ToAPIsError):
    """The gateway gave the task up.

    Attributes:
        task: as last seen; ``task.billing`` tells whether it was refunded.

    """

    def __init__(self, message: str, *, task: GenerationTask, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.task = task


class TaskTimeoutError(ToAPIsError):
    """We stopped waiting. The task may still finish: wait for it again, do not submit again.

    Attributes:
        task: as last seen; None where a time limit struck before one was known.
        client_business_id: the reference of the latest attempt, to ask the gateway about; None where nothing was sent
            or the task has to do.

    """

    def __init__(
        self, message: str, *, task: GenerationTask | None, client_business_id: str | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.task = task
        self.client_business_id = client_business_id


class DownloadError(ToAPIsError):
    """A file of a finished task could not be fetched. The task is paid for: fetch again, do not submit again.

    Attributes:
        url: without its query, which may carry a signature.
        http_status: of the file host's reply, or None without one.

    """

    def __init__(self, message: str, *, url: str = "", http_status: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.url = url
        self.http_status = http_status


class LinkExpiredError(DownloadError):
    """403, 404 or 410 from the file host: the link has died; the task may have a fresh one."""


class TruncatedError(DownloadError):
    """The transfer ended before the declared length, or the file before its own end."""


class ContentMismatchError(DownloadError):
    """What came is no image or video (an HTML page, an empty body, foreign bytes), or one that is damaged inside."""


class IncompleteDownloadError(DownloadError):
    """Some of a task's files were saved and others not.

    Attributes:
        files: what was saved, in the task's order.
        missing: why each other one was not, by its place in that order, from 0; stills beside videos come last.

    """

    def __init__(
        self, message: str, *, files: tuple[SavedFile, ...], missing: Mapping[int, ToAPIsError], hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.files: tuple[SavedFile, ...] = files
        self.missing: Mapping[int, ToAPIsError] = missing


class StorageError(ToAPIsError):
    """The disk refused: full, read-only, not allowed. The run can be resumed once that is mended.

    Attributes:
        path: what was being written.

    """

    def __init__(self, message: str, *, path: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class JournalError(ToAPIsError):
    """The journal of a run cannot be used.

    Attributes:
        path: of the journal.

    """

    def __init__(self, message: str, *, path: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class JournalLockedError(JournalError):
    """Another process runs in this directory."""


class JournalDamagedError(JournalError):
    """The file is no journal of ours, or is broken. Nothing was changed."""


class BudgetExceededError(ToAPIsError):
    """The next submission would pass ``max_cost_usd``. What was accepted is finished and kept."""


class WebhookVerificationError(ToAPIsError):
    """The webhook's signature, time or form is not right: do not act on it."""
