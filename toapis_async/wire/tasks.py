"""The gateway's task object, in every shape it was seen in: ``docs/contract.md#looking-at-a-task``."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from toapis_async.policy.files.signatures import sniff
from toapis_async.values.tasks import Billing, GenerationTask, Kind, TaskFailure, TaskFile, TaskStatus
from toapis_async.wire.complaints import complaint_in
from toapis_async.wire.json_objects import JsonObject
from toapis_async.wire.plain_text import plain
from toapis_async.wire.scalars import amount_of, id_of, moment_of, name_of, percent_of

_STATUS_CHARS = 80
_URL_CHARS = 65_536
_EXCERPT_CHARS = 200
# Where a file stands that came inside the reply, by the habit of other image services.
_INLINE_KEYS = ("b64_json", "image_base64", "base64", "b64")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{64}")
_SECRETS_OF_ADDRESSES = re.compile(r"\?[^\s\"']*")

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

# Where the links may stand, by evidence; the first place that has any wins.
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
_NO_FILES: tuple[tuple[TaskFile, ...], list[object]] = ((), [])
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
    files, others = _files_in(said) if status is TaskStatus.COMPLETED else _NO_FILES
    return GenerationTask(
        id=task_id,
        kind=kind,
        status=status,
        status_text=word,
        progress=percent_of(said.get("progress")),
        model=name_of(said.get("model")),
        client_business_id=None if reference is None else name_of(reference),
        files=files,
        unread=tuple(_shown(entry) for entry in others),
        created_at=moment_of(said.get("created_at") or said.get("submitted_at")),
        completed_at=moment_of(said.get("completed_at") or said.get("finished_at")),
        expires_at=moment_of(said.get("expires_at")),
        error=_failure_in(said, word) if status is TaskStatus.FAILED else None,
        billing=_billing_in(said.get("billing")) if "billing" in said else None,
        usage=usage if type(usage) is dict else None,
        raw=whole,
    )


def ids_in(task: GenerationTask) -> frozenset[str]:
    """Give every id by which the reply that *task* was read from calls it; some video tasks have two."""
    said = _unwrapped(dict(task.raw))
    ids = (id_of(said.get("id")), id_of(said.get("task_id")))
    return frozenset(task_id for task_id in (task.id, *ids) if task_id is not None)


def address_of(value: object) -> str | None:
    """Read an ``http(s)`` address; whether it may be fetched is judged where it is fetched."""
    if type(value) is not str:
        return None
    url = value.strip()
    if not url[:8].lower().startswith(("https://", "http://")) or len(url) > _URL_CHARS:
        return None
    return url if url.isprintable() and " " not in url else None


def file_address_of(value: object) -> str | None:
    """Read where a file is: an ``http(s)`` address, whole or relative to the gateway, or a ``data:`` address.

    Spaces inside it stay: they are quoted where it is fetched. ``files.example/a.png`` could be a host or a folder,
    and is neither.
    """
    if type(value) is not str:
        return None
    url = value.strip()
    if url[:5].lower() == "data:":
        return url if "," in url else None
    if not url[:8].lower().startswith(("https://", "http://", "/")) or len(url) > _URL_CHARS:
        return None
    return url if url.isprintable() and url.strip("/") else None


def result_excerpt(task: GenerationTask) -> str:
    """Return, for an error, the beginning of what a reply has where links should stand; empty when it has nothing."""
    said = _unwrapped(dict(task.raw))
    places = {key: said[key] for key, *_ in _LINK_PLACES if key != "metadata" and said.get(key)}
    return _shown(places) if places else ""


def _shown(value: object) -> str:
    """Return the beginning of a value as one line of JSON, for people."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return ""
    # What follows a question mark in an address may be as good as a key.
    return plain(_SECRETS_OF_ADDRESSES.sub("", text[: 4 * _EXCERPT_CHARS]), _EXCERPT_CHARS)


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


def _files_in(said: JsonObject) -> tuple[tuple[TaskFile, ...], list[object]]:
    """Read the files of the first place that has any, and what else stands there."""
    for place in _LINK_PLACES:
        found: Any = said
        for key in place:
            found = found.get(key) if type(found) is dict else None
        entries = found if type(found) is list else [found]
        files = [_file_of(entry) for entry in entries]
        if any(files):
            others = [entry for entry, file in zip(entries, files, strict=True) if file is None]
            return tuple(file for file in files if file is not None), others
    return _NO_FILES


def _file_of(item: object) -> TaskFile | None:
    if type(item) is not dict:
        url = _file_at(item)
        return None if url is None else TaskFile(url=url)
    inline = (_inlined(item.get(key)) for key in _INLINE_KEYS)
    url = _file_at(item.get("url")) or next(filter(None, inline), None)
    if url is None:
        return None
    still = _file_at(item.get("last_frame_url"))
    return TaskFile(url=url, format=name_of(item.get("format")), last_frame_url=still)


def _file_at(value: object) -> str | None:
    """Read an address, or a file that stands in place of one: JPEG in base64 begins with a slash, as addresses do."""
    begins_as_base64 = type(value) is str and _BASE64.match(value) is not None
    if begins_as_base64 and sniff(b64decode(str(value)[:64], altchars=b"-_")) is not None:
        return _inlined(value)
    return file_address_of(value)


def _inlined(value: object) -> str | None:
    """Read a file that came as base64 text, as a ``data:`` address; its own bytes say what it is."""
    if type(value) is not str:
        return None
    if value[:5].lower() == "data:":
        return file_address_of(value)
    return f"data:;base64,{value}" if _BASE64.match(value) else None


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
