"""The gateway's task object, in every shape it was seen in (contract §2.2 and §8)."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from toapis_async.values.tasks import Billing, GenerationTask, Kind, TaskFailure, TaskFile, TaskStatus
from toapis_async.wire.complaints import complaint_in
from toapis_async.wire.json_objects import JsonObject
from toapis_async.wire.plain_text import plain
from toapis_async.wire.scalars import amount_of, id_of, moment_of, name_of, percent_of

_STATUS_CHARS = 80
_URL_CHARS = 8192
# Far above what any model makes in one task: images, layers, or frames.
_MOST_FILES = 64

_STATUSES: Mapping[str, TaskStatus] = {
    "pending": TaskStatus.PENDING,
    "submitted": TaskStatus.SUBMITTED,
    "queued": TaskStatus.QUEUED,
    "in_progress": TaskStatus.IN_PROGRESS,
    "completed": TaskStatus.COMPLETED,
    "failed": TaskStatus.FAILED,
    # Seen in clients and webhooks, not in the documentation of the status endpoint:
    "not_start": TaskStatus.PENDING,
    "processing": TaskStatus.IN_PROGRESS,
    "running": TaskStatus.IN_PROGRESS,
    "generating": TaskStatus.IN_PROGRESS,
    "succeeded": TaskStatus.COMPLETED,
    "succeed": TaskStatus.COMPLETED,
    "success": TaskStatus.COMPLETED,
    "done": TaskStatus.COMPLETED,
    "failure": TaskStatus.FAILED,
    "error": TaskStatus.FAILED,
    "cancelled": TaskStatus.FAILED,
    "canceled": TaskStatus.FAILED,
    "expired": TaskStatus.FAILED,
    "rejected": TaskStatus.FAILED,
}

# Where the links may stand, by evidence (contract §8.2); the first place that has any wins.
_LINK_PLACES: tuple[tuple[str, ...], ...] = (
    ("result", "data"),
    ("url",),
    ("video_url",),
    ("result",),
    ("data",),
    ("output",),
    ("outputs",),
    ("images",),
    ("metadata", "url"),
)
_NO_REASON = "the gateway gave no reason"


def task_in(whole: JsonObject, *, kind: Kind, asked: str | None = None) -> GenerationTask | None:
    """Read a task from a JSON object; None when it holds none. Never raises.

    Args:
        whole: the object, or one that holds the task under ``data``.
        kind: of the task.
        asked: the id to use when the object has a status but no id.

    """
    said = _unwrapped(whole)
    task_id = _id_in(said, asked)
    if task_id is None:
        return None
    word, status = _status_in(said.get("status"))
    metadata, reference = said.get("metadata"), said.get("client_business_id")
    if reference is None and type(metadata) is dict:
        reference = metadata.get("client_business_id")
    usage = said.get("usage")
    return GenerationTask(
        id=task_id,
        kind=kind,
        status=status,
        status_text=word,
        progress=percent_of(said.get("progress")),
        model=name_of(said.get("model")),
        client_business_id=None if reference is None else name_of(reference),
        files=_files_in(said) if status is TaskStatus.COMPLETED else (),
        created_at=moment_of(said.get("created_at") or said.get("submitted_at")),
        completed_at=moment_of(said.get("completed_at") or said.get("finished_at")),
        expires_at=moment_of(said.get("expires_at")),
        error=_failure_in(said, word) if status is TaskStatus.FAILED else None,
        billing=_billing_in(said.get("billing")) if "billing" in said else None,
        usage=usage if type(usage) is dict else None,
        raw=whole,
    )


def address_of(value: object) -> str | None:
    """Read an ``http(s)`` address; whether it may be fetched is judged where it is fetched."""
    if type(value) is not str:
        return None
    url = value.strip()
    if not url[:8].lower().startswith(("https://", "http://")) or len(url) > _URL_CHARS:
        return None
    return url if url.isprintable() and " " not in url else None


def _unwrapped(whole: JsonObject) -> JsonObject:
    if "id" in whole or "task_id" in whole:
        return whole
    inner = whole.get("data")
    if type(inner) is not dict:
        return whole
    # The status of a wrapper ("success") is the call's and not the task's.
    is_task = "status" in inner or "task_id" in inner or ("id" in inner and "status" not in whole)
    return inner if is_task else whole


def _id_in(said: JsonObject, asked: str | None) -> str | None:
    if asked is not None and said.get("id") == asked:
        return asked
    first, second = id_of(said.get("id")), id_of(said.get("task_id"))
    if asked is not None and asked in {first, second}:
        return asked
    if first is not None and second is not None:
        # Live video envelope: `task_id` is the one that can be looked up.
        return second if said.get("object") == "video" else first
    return first or second or (asked if "status" in said else None)


def _status_in(word: object) -> tuple[str, TaskStatus]:
    known = _STATUSES.get(word) if type(word) is str else None
    return _unusual(word) if known is None else (str(word), known)


def _unusual(word: object) -> tuple[str, TaskStatus]:
    text = plain(word if type(word) is str else "" if word is None else str(name_of(word) or ""), _STATUS_CHARS)
    known = _STATUSES.get(text.lower().replace("-", "_").replace(" ", "_"), TaskStatus.UNRECOGNISED)
    return text, known


def _files_in(said: JsonObject) -> tuple[TaskFile, ...]:
    for place in _LINK_PLACES:
        found: Any = said
        for key in place:
            found = found.get(key) if type(found) is dict else None
        files = _files_of(found)
        if files:
            return files
    return ()


def _files_of(found: object) -> tuple[TaskFile, ...]:
    items = found if type(found) is list else (found,)
    return tuple(islice((file for item in items if (file := _file_of(item)) is not None), _MOST_FILES))


def _file_of(item: object) -> TaskFile | None:
    if type(item) is not dict:
        url = address_of(item)
        return None if url is None else TaskFile(url=url)
    url = address_of(item.get("url"))
    if url is None:
        return None
    return TaskFile(url=url, format=name_of(item.get("format")), last_frame_url=address_of(item.get("last_frame_url")))


def _failure_in(said: JsonObject, word: str) -> TaskFailure:
    # Only the keys of a reason: `code` and `type` of the task itself may mean something else.
    complaint = complaint_in({key: said.get(key) for key in ("error", "fail_reason", "message")})
    if complaint.code is None and not complaint.message:
        return TaskFailure(code=word or None, message=_NO_REASON)
    return TaskFailure(code=complaint.code, message=complaint.message or _NO_REASON)


def _billing_in(said: object) -> Billing | None:
    if type(said) is not dict:
        return None
    status, credits_said, cost = name_of(said.get("status")), amount_of(said.get("credits")), said.get("cost_usd")
    billing = Billing(status=status, credits=credits_said, cost_usd=amount_of(cost))
    return None if billing == Billing(status=None) else billing
