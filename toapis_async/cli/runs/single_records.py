"""What the manifest says of a task that was made by itself, outside any run."""

from toapis_async.errors import TaskFailedError, ToAPIsError
from toapis_async.values.files import SavedFile
from toapis_async.values.records import ItemRecord, ItemState
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import GenerationTask


def record_of(
    request: GenerationRequest,
    task: GenerationTask,
    *,
    files: tuple[SavedFile, ...],
    error: ToAPIsError | None,
    submitted_at: float,
    ended_at: float,
) -> ItemRecord:
    """Say how a task ended: saved with its files, failed, or paid for and yet to be fetched.

    Args:
        request: what was asked for.
        task: as last seen; its id is the key.
        files: that were saved; empty where it did not come to that.
        error: why not, or None.
        submitted_at, ended_at: epoch seconds.

    """
    failed = isinstance(error, TaskFailedError)
    return ItemRecord(
        key=task.id,
        state=ItemState.SAVED if files else ItemState.FAILED if failed else ItemState.ACCEPTED,
        attempt=1,
        client_business_id=task.client_business_id or "",
        request=request,
        task_id=task.id,
        kind=task.kind,
        expires_at=None if task.expires_at is None else task.expires_at.timestamp(),
        cost_usd=None if task.cost is None else str(task.cost),
        files=files,
        error_type=None if error is None else type(error).__name__,
        error_message=None if error is None else str(error),
        intended_at=submitted_at,
        ended_at=ended_at,
    )
