"""One line of ``manifest.jsonl``: how an item ended, for people and their scripts."""

import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, Literal, TypeAlias, get_args

import attrs

from toapis_async.errors import SubmissionUnknownError, ToAPIsError
from toapis_async.values.columns import CarriedColumns
from toapis_async.values.files import SavedFile, is_address
from toapis_async.values.records import ItemRecord, ItemState
from toapis_async.values.requests import missing_files
from toapis_async.wire.records import Root, relative_name

EntryStatus: TypeAlias = Literal["saved", "failed", "unknown", "unfinished", "not_sent"]
"""``unknown``: it cannot be said whether the gateway has, and charges for, the item. ``unfinished``: it is paid for,
and a later run of the directory fetches it. ``not_sent``: nothing of it is at the gateway, a later run sends it."""

_STATUSES: dict[ItemState, EntryStatus] = {
    ItemState.SAVED: "saved",
    ItemState.FAILED: "failed",
    ItemState.INTENDED: "unknown",
    ItemState.OPEN: "not_sent",
    ItemState.ACCEPTED: "unfinished",
    ItemState.FINISHED: "unfinished",
}
_KNOWN: dict[str, EntryStatus] = {status: status for status in get_args(EntryStatus)}
_IF_SAID = ("size", "resolution", "seed")
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
# Columns may hold dates, exact amounts and bytes: they are written as text.
_readable = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), default=str).encode
_ascii = json.JSONEncoder(separators=(", ", ": "), default=str).encode


@attrs.frozen(kw_only=True)
class ManifestEntry:
    """A line read back.

    Attributes:
        id: the item's key.
        status: how it ended.
        files: their paths are relative to the output directory; those at an address have all of it.
        missing: files that were asked for and did not come.
        task_id: the gateway's, or None when nothing was accepted.
        client_business_id: of the last attempt.
        model, prompt, size, resolution, seed: as asked for; None where nothing was.
        request_digest: of everything that was asked for; None in manifests of earlier versions.
        looks: how often the task was looked at before it had finished, or None where that was not written down.
        cost_usd: USD, or None where the gateway did not say.
        submitted_at, accepted_at, expires_at, ended_at: UTC, or None.
        error_type, error_message: why it did not end well, or None.
        context: columns of the user's table that went along with the item, or None.

    """

    id: str
    status: EntryStatus
    files: tuple[SavedFile, ...] = ()
    missing: int = 0
    task_id: str | None = None
    client_business_id: str | None = None
    model: str | None = None
    prompt: str = ""
    size: str | None = None
    resolution: str | None = None
    seed: int | None = None
    request_digest: str | None = None
    looks: int | None = None
    cost_usd: Decimal | None = None
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    error_type: str | None = None
    error_message: str | None = None
    context: dict[str, Any] | None = None


def manifest_line(
    record: ItemRecord,
    *,
    directory: Root | None = None,
    status: EntryStatus | None = None,
    error: ToAPIsError | None = None,
    looks: int | None = None,
    context: object = None,
) -> str:
    """Write the line of an item, without its line end.

    Args:
        record: what the journal holds of it.
        directory: the output directory, as the paths of the files begin; None when all lie directly in it. Files
            that are elsewhere, at an address, are written with their whole ``uri``.
        status: how it ended; None takes it from the record's state.
        error: why; None takes what the record has.
        looks: how often its task was looked at until it had finished; None leaves it out. The journal does not hold
            it, so that a manifest which is made anew goes without.
        context: what goes along with the item; only columns that were to be carried are written.

    """
    request = record.request
    missing = missing_files(request, len(record.files)) if record.state is ItemState.SAVED else 0
    body = {
        "id": record.key,
        "status": status or _STATUSES[record.state],
        "files": [_file(file, directory) for file in record.files],
        **({"missing": missing} if missing else {}),
        "task_id": record.task_id,
        "client_business_id": record.client_business_id,
        "model": request.model,
        "prompt": request.prompt,
        **{name: said for name in _IF_SAID if (said := getattr(request, name, None)) is not None},
        **({} if record.digest is None else {"request_digest": record.digest}),
        **({} if looks is None else {"looks": looks}),
        **({"context": context} if isinstance(context, CarriedColumns) else {}),
        "cost_usd": record.cost_usd,
        "submitted_at": _utc(record.intended_at),
        "accepted_at": _utc(record.accepted_at),
        "expires_at": _utc(record.expires_at),
        "ended_at": _utc(record.ended_at),
        "error": _error(record, error),
    }
    line = _readable(body)
    if line.isascii():
        return line
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate, which no UTF-8 file can hold
        return _ascii(body)
    # JSON may hold these as they are, but many programs end a line at them.
    return line.translate(_LINE_ENDS)


def _file(file: SavedFile, directory: Root | None) -> dict[str, object]:
    remote = is_address(file.uri)
    return {
        "path": file.name if directory is None or remote else relative_name(file.uri, directory),
        **({"uri": file.uri} if remote else {}),
        "bytes": file.bytes,
        "sha256": file.sha256,
        "mime": file.mime,
        "width": file.width,
        "height": file.height,
    }


def _error(record: ItemRecord, error: ToAPIsError | None) -> dict[str, str] | None:
    if error is not None:
        return {"type": type(error).__name__, "message": str(error)}
    if record.error_type is not None:
        return {"type": record.error_type, "message": record.error_message or ""}
    if record.state is not ItemState.INTENDED:
        return None
    doubt = f"Whether the gateway has the attempt {record.client_business_id} is not known."
    return {"type": SubmissionUnknownError.__name__, "message": doubt}


def _utc(at: float | None) -> str | None:
    if at is None:
        return None
    try:
        second, micros = divmod(round(at * 1_000_000), 1_000_000)
        return f"{_to_the_second(second)}.{micros // 1000:03d}Z"
    except (OverflowError, ValueError, OSError):
        return None


@lru_cache(maxsize=64)
def _to_the_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat(timespec="seconds").removesuffix("+00:00")


def manifest_entry_from(line: str) -> ManifestEntry:
    """Read a line back.

    Raises:
        ValueError: it is no line of a manifest.

    """
    try:
        body = json.loads(line)
        error = body.get("error") or {}
        return ManifestEntry(
            id=_text(body["id"]),
            status=_KNOWN[body["status"]],
            files=tuple(_saved_file(file) for file in body.get("files") or ()),
            missing=int(body.get("missing") or 0),
            task_id=body.get("task_id"),
            client_business_id=body.get("client_business_id"),
            model=body.get("model"),
            prompt=body.get("prompt") or "",
            size=body.get("size"),
            resolution=body.get("resolution"),
            seed=body.get("seed"),
            request_digest=body.get("request_digest"),
            looks=body.get("looks"),
            cost_usd=_amount(body.get("cost_usd")),
            submitted_at=_date(body.get("submitted_at")),
            accepted_at=_date(body.get("accepted_at")),
            expires_at=_date(body.get("expires_at")),
            ended_at=_date(body.get("ended_at")),
            error_type=error.get("type"),
            error_message=error.get("message"),
            context=body.get("context"),
        )
    except (AttributeError, KeyError, TypeError, OverflowError, RecursionError) as wrong:
        raise ValueError(f"no line of a manifest: {wrong}") from wrong


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _saved_file(body: dict[str, Any]) -> SavedFile:
    path, uri = PurePath(body["path"]), body.get("uri")
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"no line of a manifest: {path} leads out of the output directory")
    if uri is not None and not is_address(uri):
        raise ValueError(f"no line of a manifest: {uri} is no address")
    return SavedFile(
        uri=Path(path) if uri is None else uri,
        bytes=int(body["bytes"]),
        sha256=str(body["sha256"]),
        mime=str(body["mime"]),
        width=body.get("width"),
        height=body.get("height"),
    )


def _amount(text: object) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None


def _date(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
