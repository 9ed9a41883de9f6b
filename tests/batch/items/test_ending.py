"""What an error means for an item and for its run."""

import pytest

from toapis_async.batch.items.ending import outcome_of, stops, stops_at_once
from toapis_async.batch.outcomes import Failed, Item
from toapis_async.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    ContentPolicyError,
    Delivery,
    DownloadError,
    InsufficientQuotaError,
    InvalidRequestError,
    JournalError,
    LinkExpiredError,
    ModelUnavailableError,
    NotFoundError,
    RateLimitError,
    ServerError,
    StorageError,
    SubmissionUnknownError,
    TaskFailedError,
    TaskTimeoutError,
)
from toapis_async.values.requests import ImageRequest
from toapis_async.values.tasks import GenerationTask, TaskStatus

TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.QUEUED)
ITEM = Item(key="fox", request=ImageRequest("a fox"))


@pytest.mark.parametrize(
    ("error", "task", "expected"),
    [
        (TaskFailedError("x", task=TASK), TASK, "Failed"),
        (ContentPolicyError("x", http_status=422), None, "Failed"),
        (InvalidRequestError("x"), None, "Failed"),
        (ModelUnavailableError("x", http_status=503), None, "Failed"),
        (ServerError("x", http_status=500), None, "Failed"),
        (ServerError("x", http_status=500), TASK, "Unfinished"),
        (TaskTimeoutError("x", task=TASK), TASK, "Unfinished"),
        (SubmissionUnknownError("x", client_business_id="c"), None, "Unfinished"),
        (RateLimitError("x", http_status=429), None, "Unfinished"),
        (DownloadError("x"), TASK, "Unfinished"),
        (LinkExpiredError("x"), TASK, "Unfinished"),
        (StorageError("x"), TASK, "Unfinished"),
        (JournalError("x"), None, "Unfinished"),
        (APIConnectionError("x", delivery=Delivery.NEVER), None, "Unfinished"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_may_still_become_a_file_is_unfinished(error, task, expected):
    """Failed is only what waiting and resuming cannot change; whatever is paid for stays resumable."""
    assert expected == type(outcome_of(ITEM, error, task, stopping=stops(error))).__name__


@pytest.mark.parametrize(
    ("error", "all_of_them", "at_once"),
    [
        (AuthenticationError("x", http_status=401), True, True),
        (InsufficientQuotaError("x", http_status=402), True, False),
        (ConfigurationError("x"), True, True),
        (StorageError("x"), True, True),
        (JournalError("x"), True, True),
        (APIConnectionError("x", delivery=Delivery.NEVER), True, True),
        (APIConnectionError("x", delivery=Delivery.UNKNOWN), False, None),
        (InvalidRequestError("x"), False, None),
        (RateLimitError("x", http_status=429), False, None),
        (TaskFailedError("x", task=TASK), False, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_every_item_would_meet_stops_the_run(error, all_of_them, at_once):
    """A refused key or a dead disk ends everything at once; an empty account lets what is paid for be finished."""
    assert all_of_them is stops(error)
    assert at_once in {None, stops_at_once(error)}


def test_a_path_that_is_missing_for_one_kind_ends_no_run():
    """Where the base address is right the others go on, and the item has failed: nothing of it was taken."""
    error = NotFoundError("Invalid URL (POST /v1/videos/generations)", http_status=404)

    assert [stops(error, has_paths=known) for known in (False, True)] == [True, False]
    assert isinstance(outcome_of(ITEM, error, None, stopping=False), Failed)
    assert stops(AuthenticationError("x", http_status=401), has_paths=True)
