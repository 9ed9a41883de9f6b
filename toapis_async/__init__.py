"""toapis_async: prompts in, image files on disk, through the ToAPIs gateway.

async with AsyncToAPIs() as client:
    task = await client.images.generate(prompt="a red fox in the snow", size="16:9")
    files = await client.images.download(task, "out/")
"""

from toapis_async._version import __version__
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
from toapis_async.policy.asking import GracePeriods
from toapis_async.policy.polling import FixedPolling, LearnedPolling
from toapis_async.policy.pricing import estimate
from toapis_async.storage.packaged_catalogue import catalogue_file, packaged_catalogue
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
