"""The public names; see ``__init__.py``."""

from toapis_async._version import __version__ as __version__
from toapis_async.async_client import (
    AsyncToAPIs as AsyncToAPIs,
)
from toapis_async.batch.incoming.rows import (
    rows as rows,
)
from toapis_async.batch.outcomes import (
    Failed as Failed,
)
from toapis_async.batch.outcomes import (
    Item as Item,
)
from toapis_async.batch.outcomes import (
    Outcome as Outcome,
)
from toapis_async.batch.outcomes import (
    Report as Report,
)
from toapis_async.batch.outcomes import (
    Saved as Saved,
)
from toapis_async.batch.outcomes import (
    Statistics as Statistics,
)
from toapis_async.batch.outcomes import (
    Unfinished as Unfinished,
)
from toapis_async.batch.runs.job import (
    Job as Job,
)
from toapis_async.batch.runs.stream import (
    OutcomeStream as OutcomeStream,
)
from toapis_async.batch.session import (
    GenerationSession as GenerationSession,
)
from toapis_async.client.models import (
    AvailableModel as AvailableModel,
)
from toapis_async.client.orphans import (
    AbandonedSubmission as AbandonedSubmission,
)
from toapis_async.clock import (
    Clock as Clock,
)
from toapis_async.clock import (
    SystemClock as SystemClock,
)
from toapis_async.errors import (
    APIConnectionError as APIConnectionError,
)
from toapis_async.errors import (
    APIStatusError as APIStatusError,
)
from toapis_async.errors import (
    APITimeoutError as APITimeoutError,
)
from toapis_async.errors import (
    AuthenticationError as AuthenticationError,
)
from toapis_async.errors import (
    BudgetExceededError as BudgetExceededError,
)
from toapis_async.errors import (
    ConfigurationError as ConfigurationError,
)
from toapis_async.errors import (
    ContentMismatchError as ContentMismatchError,
)
from toapis_async.errors import (
    ContentPolicyError as ContentPolicyError,
)
from toapis_async.errors import (
    Delivery as Delivery,
)
from toapis_async.errors import (
    DownloadError as DownloadError,
)
from toapis_async.errors import (
    IncompleteDownloadError as IncompleteDownloadError,
)
from toapis_async.errors import (
    InsufficientQuotaError as InsufficientQuotaError,
)
from toapis_async.errors import (
    InvalidRequestError as InvalidRequestError,
)
from toapis_async.errors import (
    JournalDamagedError as JournalDamagedError,
)
from toapis_async.errors import (
    JournalError as JournalError,
)
from toapis_async.errors import (
    JournalLockedError as JournalLockedError,
)
from toapis_async.errors import (
    LinkExpiredError as LinkExpiredError,
)
from toapis_async.errors import (
    ModelUnavailableError as ModelUnavailableError,
)
from toapis_async.errors import (
    NotFoundError as NotFoundError,
)
from toapis_async.errors import (
    PermissionDeniedError as PermissionDeniedError,
)
from toapis_async.errors import (
    RateLimitError as RateLimitError,
)
from toapis_async.errors import (
    ServerError as ServerError,
)
from toapis_async.errors import (
    StorageError as StorageError,
)
from toapis_async.errors import (
    SubmissionUnknownError as SubmissionUnknownError,
)
from toapis_async.errors import (
    TaskFailedError as TaskFailedError,
)
from toapis_async.errors import (
    TaskTimeoutError as TaskTimeoutError,
)
from toapis_async.errors import (
    ToAPIsError as ToAPIsError,
)
from toapis_async.errors import (
    TruncatedError as TruncatedError,
)
from toapis_async.errors import (
    UnreadableReplyError as UnreadableReplyError,
)
from toapis_async.errors import (
    WebhookVerificationError as WebhookVerificationError,
)
from toapis_async.policy.money.asking import (
    GracePeriods as GracePeriods,
)
from toapis_async.policy.pace.rate_limit_status import (
    RateLimitStatus as RateLimitStatus,
)
from toapis_async.policy.requests.pricing import (
    estimate as estimate,
)
from toapis_async.policy.waiting.polling import (
    FixedPolling as FixedPolling,
)
from toapis_async.policy.waiting.polling import (
    LearnedPolling as LearnedPolling,
)
from toapis_async.policy.waiting.polling import (
    Polling as Polling,
)
from toapis_async.ports.completion import (
    CompletionSource as CompletionSource,
)
from toapis_async.ports.events import (
    AttemptBegun as AttemptBegun,
)
from toapis_async.ports.events import (
    AttemptSettled as AttemptSettled,
)
from toapis_async.ports.events import (
    CallBegun as CallBegun,
)
from toapis_async.ports.events import (
    CallEnded as CallEnded,
)
from toapis_async.ports.events import (
    EarlierOutputFound as EarlierOutputFound,
)
from toapis_async.ports.events import (
    Event as Event,
)
from toapis_async.ports.events import (
    GatewayChanged as GatewayChanged,
)
from toapis_async.ports.events import (
    HeldUp as HeldUp,
)
from toapis_async.ports.events import (
    ItemFailed as ItemFailed,
)
from toapis_async.ports.events import (
    ItemSaved as ItemSaved,
)
from toapis_async.ports.events import (
    ItemSkipped as ItemSkipped,
)
from toapis_async.ports.events import (
    ItemUnfinished as ItemUnfinished,
)
from toapis_async.ports.events import (
    LimitChanged as LimitChanged,
)
from toapis_async.ports.events import (
    Observer as Observer,
)
from toapis_async.ports.events import (
    SessionClosed as SessionClosed,
)
from toapis_async.ports.events import (
    TaskFinished as TaskFinished,
)
from toapis_async.ports.events import (
    TaskLate as TaskLate,
)
from toapis_async.ports.events import (
    TaskLookedAt as TaskLookedAt,
)
from toapis_async.ports.events import (
    TransferBegun as TransferBegun,
)
from toapis_async.ports.events import (
    TransferDone as TransferDone,
)
from toapis_async.ports.events import (
    TransferRetried as TransferRetried,
)
from toapis_async.ports.sink import (
    Draft as Draft,
)
from toapis_async.ports.sink import (
    Sink as Sink,
)
from toapis_async.storage.files.memory_sink import (
    MemorySink as MemorySink,
)
from toapis_async.storage.inputs.catalogue_file import (
    catalogue_file as catalogue_file,
)
from toapis_async.storage.inputs.packaged_catalogue import (
    packaged_catalogue as packaged_catalogue,
)
from toapis_async.telemetry.metrics import (
    Metrics as Metrics,
)
from toapis_async.transport.rate_limiter import (
    RateLimiter as RateLimiter,
)
from toapis_async.values.account import (
    Balance as Balance,
)
from toapis_async.values.catalogue import (
    Catalogue as Catalogue,
)
from toapis_async.values.catalogue import (
    Model as Model,
)
from toapis_async.values.exchange import (
    Purpose as Purpose,
)
from toapis_async.values.files import (
    FileBytes as FileBytes,
)
from toapis_async.values.files import (
    SavedFile as SavedFile,
)
from toapis_async.values.limits import (
    RateLimits as RateLimits,
)
from toapis_async.values.requests import (
    ImageRequest as ImageRequest,
)
from toapis_async.values.requests import (
    RoleReference as RoleReference,
)
from toapis_async.values.requests import (
    VideoRequest as VideoRequest,
)
from toapis_async.values.tasks import (
    Billing as Billing,
)
from toapis_async.values.tasks import (
    GenerationTask as GenerationTask,
)
from toapis_async.values.tasks import (
    TaskFailure as TaskFailure,
)
from toapis_async.values.tasks import (
    TaskFile as TaskFile,
)
from toapis_async.values.tasks import (
    TaskStatus as TaskStatus,
)
from toapis_async.values.uploads import (
    Upload as Upload,
)
from toapis_async.values.webhooks import (
    WebhookEvent as WebhookEvent,
)
from toapis_async.wire.webhooks import (
    verify_webhook as verify_webhook,
)

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AbandonedSubmission",
    "AsyncToAPIs",
    "AttemptBegun",
    "AttemptSettled",
    "AuthenticationError",
    "AvailableModel",
    "Balance",
    "Billing",
    "BudgetExceededError",
    "CallBegun",
    "CallEnded",
    "Catalogue",
    "Clock",
    "CompletionSource",
    "ConfigurationError",
    "ContentMismatchError",
    "ContentPolicyError",
    "Delivery",
    "DownloadError",
    "Draft",
    "EarlierOutputFound",
    "Event",
    "Failed",
    "FileBytes",
    "FixedPolling",
    "GatewayChanged",
    "GenerationSession",
    "GenerationTask",
    "GracePeriods",
    "HeldUp",
    "ImageRequest",
    "IncompleteDownloadError",
    "InsufficientQuotaError",
    "InvalidRequestError",
    "Item",
    "ItemFailed",
    "ItemSaved",
    "ItemSkipped",
    "ItemUnfinished",
    "Job",
    "JournalDamagedError",
    "JournalError",
    "JournalLockedError",
    "LearnedPolling",
    "LimitChanged",
    "LinkExpiredError",
    "MemorySink",
    "Metrics",
    "Model",
    "ModelUnavailableError",
    "NotFoundError",
    "Observer",
    "Outcome",
    "OutcomeStream",
    "PermissionDeniedError",
    "Polling",
    "RateLimitError",
    "RateLimits",
    "Report",
    "RoleReference",
    "Saved",
    "SavedFile",
    "ServerError",
    "SessionClosed",
    "Sink",
    "Statistics",
    "StorageError",
    "SubmissionUnknownError",
    "SystemClock",
    "TaskFailedError",
    "TaskFailure",
    "TaskFile",
    "TaskFinished",
    "TaskLate",
    "TaskLookedAt",
    "TaskStatus",
    "TaskTimeoutError",
    "ToAPIsError",
    "TransferBegun",
    "TransferDone",
    "TransferRetried",
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
