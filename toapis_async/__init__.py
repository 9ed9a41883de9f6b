"""toapis_async: prompts in, image files on disk, through the ToAPIs gateway.

async with AsyncToAPIs() as client:
    task = await client.images.generate(prompt="a red fox in the snow", size="16:9")
    files = await client.images.download(task, "out/")
"""

from importlib import import_module
from typing import TYPE_CHECKING

from toapis_async._version import __version__

if TYPE_CHECKING:
    from toapis_async.batch.jobs import Job
    from toapis_async.batch.outcomes import Failed, Item, Outcome, Report, Saved, Statistics, Unfinished
    from toapis_async.batch.session import GenerationSession
    from toapis_async.batch.stream import OutcomeStream
    from toapis_async.client.keeping import AbandonedSubmission
    from toapis_async.client.models import AvailableModel
    from toapis_async.clock import Clock, SystemClock
    from toapis_async.errors import (
        APIConnectionError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BudgetExceededError,
        ConfigurationError,
        ContentMismatchError,
        ContentPolicyError,
        Delivery,
        DownloadError,
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
    from toapis_async.front_door import AsyncToAPIs
    from toapis_async.policy.money.asking import GracePeriods
    from toapis_async.policy.requests.pricing import estimate
    from toapis_async.policy.waiting.polling import FixedPolling, LearnedPolling
    from toapis_async.storage.reading.catalogue_file import catalogue_file
    from toapis_async.storage.reading.packaged_catalogue import packaged_catalogue
    from toapis_async.values.account import Balance
    from toapis_async.values.catalogue import Catalogue, Model
    from toapis_async.values.events import Happening, SessionEvent
    from toapis_async.values.files import SavedFile
    from toapis_async.values.limits import RateLimits
    from toapis_async.values.requests import ImageRequest, RoleReference, VideoRequest
    from toapis_async.values.tasks import Billing, GenerationTask, TaskFailure, TaskFile, TaskStatus
    from toapis_async.values.uploads import Upload
    from toapis_async.values.webhooks import WebhookEvent
    from toapis_async.wire.webhooks import verify_webhook

# Names are fetched when they are asked for, so that a program that only mentions the package starts at once.
_HOMES = {
    "batch.jobs": ("Job",),
    "batch.outcomes": (
        "Failed",
        "Item",
        "Outcome",
        "Report",
        "Saved",
        "Statistics",
        "Unfinished",
    ),
    "batch.session": ("GenerationSession",),
    "batch.stream": ("OutcomeStream",),
    "client.keeping": ("AbandonedSubmission",),
    "client.models": ("AvailableModel",),
    "clock": (
        "Clock",
        "SystemClock",
    ),
    "errors": (
        "APIConnectionError",
        "APIStatusError",
        "APITimeoutError",
        "AuthenticationError",
        "BudgetExceededError",
        "ConfigurationError",
        "ContentMismatchError",
        "ContentPolicyError",
        "Delivery",
        "DownloadError",
        "InsufficientQuotaError",
        "InvalidRequestError",
        "JournalDamagedError",
        "JournalError",
        "JournalLockedError",
        "LinkExpiredError",
        "ModelUnavailableError",
        "NotFoundError",
        "PermissionDeniedError",
        "RateLimitError",
        "ServerError",
        "StorageError",
        "SubmissionUnknownError",
        "TaskFailedError",
        "TaskTimeoutError",
        "ToAPIsError",
        "TruncatedError",
        "UnreadableReplyError",
        "WebhookVerificationError",
    ),
    "front_door": ("AsyncToAPIs",),
    "policy.money.asking": ("GracePeriods",),
    "policy.waiting.polling": (
        "FixedPolling",
        "LearnedPolling",
    ),
    "policy.requests.pricing": ("estimate",),
    "storage.reading.catalogue_file": ("catalogue_file",),
    "storage.reading.packaged_catalogue": ("packaged_catalogue",),
    "values.account": ("Balance",),
    "values.catalogue": (
        "Catalogue",
        "Model",
    ),
    "values.events": (
        "Happening",
        "SessionEvent",
    ),
    "values.files": ("SavedFile",),
    "values.limits": ("RateLimits",),
    "values.requests": (
        "ImageRequest",
        "RoleReference",
        "VideoRequest",
    ),
    "values.tasks": (
        "Billing",
        "GenerationTask",
        "TaskFailure",
        "TaskFile",
        "TaskStatus",
    ),
    "values.uploads": ("Upload",),
    "values.webhooks": ("WebhookEvent",),
    "wire.webhooks": ("verify_webhook",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AbandonedSubmission",
    "AsyncToAPIs",
    "AuthenticationError",
    "AvailableModel",
    "Balance",
    "Billing",
    "BudgetExceededError",
    "Catalogue",
    "Clock",
    "ConfigurationError",
    "ContentMismatchError",
    "ContentPolicyError",
    "Delivery",
    "DownloadError",
    "Failed",
    "FixedPolling",
    "GenerationSession",
    "GenerationTask",
    "GracePeriods",
    "Happening",
    "ImageRequest",
    "InsufficientQuotaError",
    "InvalidRequestError",
    "Item",
    "Job",
    "JournalDamagedError",
    "JournalError",
    "JournalLockedError",
    "LearnedPolling",
    "LinkExpiredError",
    "Model",
    "ModelUnavailableError",
    "NotFoundError",
    "Outcome",
    "OutcomeStream",
    "PermissionDeniedError",
    "RateLimitError",
    "RateLimits",
    "Report",
    "RoleReference",
    "Saved",
    "SavedFile",
    "ServerError",
    "SessionEvent",
    "Statistics",
    "StorageError",
    "SubmissionUnknownError",
    "SystemClock",
    "TaskFailedError",
    "TaskFailure",
    "TaskFile",
    "TaskStatus",
    "TaskTimeoutError",
    "ToAPIsError",
    "TruncatedError",
    "Unfinished",
    "UnreadableReplyError",
    "Upload",
    "VideoRequest",
    "WebhookEvent",
    "WebhookVerificationError",
    "__version__",
    "catalogue_file",
    "estimate",
    "packaged_catalogue",
    "verify_webhook",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
