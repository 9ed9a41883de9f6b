"""toapis_async: prompts in, image files on disk, through the ToAPIs gateway.

async with AsyncToAPIs() as client:
    task = await client.images.generate(prompt="a red fox in the snow", size="16:9")
    files = await client.images.download(task, "out/")
"""

from importlib import import_module

from toapis_async._version import __version__ as __version__

# Names are fetched when they are asked for, so that a program that only mentions the package starts at once. Type
# checkers and editors read the same names in ``__init__.pyi``; a test holds the two together.
_HOMES = {
    "async_client": ("AsyncToAPIs",),
    "batch.runs.job": ("Job",),
    "batch.outcomes": (
        "Failed",
        "Item",
        "Outcome",
        "Report",
        "Saved",
        "Statistics",
        "Unfinished",
    ),
    "batch.incoming.rows": ("rows",),
    "batch.session": ("GenerationSession",),
    "batch.runs.stream": ("OutcomeStream",),
    "client.models": ("AvailableModel",),
    "client.orphans": ("AbandonedSubmission",),
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
        "IncompleteDownloadError",
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
    "policy.money.asking": ("GracePeriods",),
    "policy.pace.rate_limit_status": ("RateLimitStatus",),
    "policy.requests.pricing": ("estimate",),
    "policy.waiting.polling": (
        "FixedPolling",
        "LearnedPolling",
        "Polling",
    ),
    "ports.completion": ("CompletionSource",),
    "ports.events": (
        "AttemptBegun",
        "AttemptSettled",
        "CallBegun",
        "CallEnded",
        "EarlierOutputFound",
        "Event",
        "GatewayChanged",
        "HeldUp",
        "ItemFailed",
        "ItemSaved",
        "ItemSkipped",
        "ItemUnfinished",
        "LimitChanged",
        "Observer",
        "SessionClosed",
        "TaskFinished",
        "TaskLate",
        "TaskLookedAt",
        "TransferBegun",
        "TransferDone",
        "TransferRetried",
    ),
    "ports.sink": (
        "Draft",
        "Sink",
    ),
    "storage.files.memory_sink": ("MemorySink",),
    "storage.inputs.catalogue_file": ("catalogue_file",),
    "storage.inputs.packaged_catalogue": ("packaged_catalogue",),
    "telemetry.metrics": ("Metrics",),
    "transport.rate_limiter": ("RateLimiter",),
    "values.account": ("Balance",),
    "values.catalogue": (
        "Catalogue",
        "Model",
    ),
    "values.exchange": ("Purpose",),
    "values.files": (
        "FileBytes",
        "SavedFile",
    ),
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

__all__ = sorted([*_HOME_OF, "__version__"])  # noqa: PLE0605


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
