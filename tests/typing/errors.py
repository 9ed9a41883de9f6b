"""Errors: one root, and facts as attributes."""

from collections.abc import Mapping
from typing import assert_type

from toapis_async import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncToAPIs,
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    ContentMismatchError,
    ContentPolicyError,
    Delivery,
    DownloadError,
    GenerationTask,
    IncompleteDownloadError,
    InsufficientQuotaError,
    InvalidRequestError,
    JournalDamagedError,
    JournalError,
    JournalLockedError,
    LinkExpiredError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    SavedFile,
    ServerError,
    StorageError,
    SubmissionUnknownError,
    TaskFailedError,
    TaskTimeoutError,
    ToAPIsError,
    TruncatedError,
    UnreadableReplyError,
    WebhookVerificationError,
)

STOPS: tuple[type[ToAPIsError], ...] = (
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    ContentPolicyError,
    InsufficientQuotaError,
    JournalDamagedError,
    JournalError,
    JournalLockedError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
    StorageError,
    UnreadableReplyError,
    WebhookVerificationError,
)
FILES: tuple[type[DownloadError], ...] = (LinkExpiredError, TruncatedError, ContentMismatchError)


async def handled(client: AsyncToAPIs) -> GenerationTask | None:
    try:
        return await client.images.generate(prompt="a red fox")
    except InvalidRequestError as error:
        assert_type(error.violations, tuple[str, ...])
    except TaskFailedError as error:
        assert_type(error.task, GenerationTask)
    except TaskTimeoutError as error:
        assert_type(error.task, GenerationTask | None)
    except IncompleteDownloadError as error:
        assert_type(error.files, tuple[SavedFile, ...])
        assert_type(error.missing, Mapping[int, ToAPIsError])
    except SubmissionUnknownError as error:
        assert_type(error.client_business_id, str)
    except RateLimitError as error:
        assert_type(error.retry_after_seconds, float | None)
    except APIStatusError as error:
        assert_type(error.http_status, int)
        assert_type(error.request_id, str | None)
    except (APITimeoutError, APIConnectionError) as error:
        assert_type(error.delivery, Delivery)
    except ToAPIsError as error:
        assert_type(error.message, str)
        assert_type(error.hint, str)
    return None
