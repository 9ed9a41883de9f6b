"""What the gallery's page knows of one item: plain JSON, with whatever a manifest may hold made safe to show."""

import math
import stat
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from toapis_async.policy.money.reasons import Reason, reason_of
from toapis_async.values.files import SavedFile, is_address
from toapis_async.wire.manifest import ManifestEntry

Json: TypeAlias = dict[str, object]
"""Goes to the page as it is; None and empty texts are left out."""

_LARGEST = 10**9


def latest(entries: Iterable[ManifestEntry]) -> list[ManifestEntry]:
    """Keep the last entry of each item, in the order in which they ended."""
    by_id: dict[str, ManifestEntry] = {}
    for entry in entries:
        by_id.pop(entry.id, None)
        by_id[entry.id] = entry
    return list(by_id.values())


def item_of(entry: ManifestEntry, directory: Path, thumbnails: Mapping[str, str]) -> Json:
    """Make what the page knows of an item.

    Args:
        entry: of the manifest.
        directory: where its files are looked for.
        thumbnails: addresses by the file's sha256.

    """
    submitted, accepted, ended = map(_seconds, (entry.submitted_at, entry.accepted_at, entry.ended_at))
    return _without_gaps(
        {
            "id": entry.id,
            "status": entry.status,
            "prompt": str(entry.prompt),
            "model": _text(entry.model),
            "size": " ".join(filter(None, (_text(entry.size), _text(entry.resolution)))),
            "cost": None if entry.cost_usd is None else _number(entry.cost_usd),
            "seed": None if entry.seed is None else str(entry.seed)[:40],
            "looks": _number(entry.looks),
            "submitted": submitted,
            "accepted": accepted,
            "ended": ended,
            "task": _text(entry.task_id),
            "error": _text(entry.error_message) or _text(entry.error_type),
            "reason": reason_for(entry).slug if is_trouble(entry) else None,
            "files": [_file(file, directory, thumbnails) for file in entry.files],
        }
    )


def is_trouble(entry: ManifestEntry) -> bool:
    """Tell whether an item did not end with all that it should have."""
    return entry.status != "saved" or not entry.files


def reason_for(entry: ManifestEntry) -> Reason:
    """Return why an item did not end well."""
    return reason_of(_text(entry.error_type) or None, _text(entry.error_message))


def address_of(file: SavedFile) -> str:
    """Return a file's address relative to the page; the dot keeps a colon from being read as a scheme.

    A file that is not on this machine has a link only where browsers go.
    """
    if is_address(file.uri):
        return file.uri if file.uri.startswith("https://") else "#"
    return "./" + quote(file.path.as_posix(), safe="/", errors="surrogatepass")


def _file(file: SavedFile, directory: Path, thumbnails: Mapping[str, str]) -> Json:
    width, height = _pixels(file.width), _pixels(file.height)
    return _without_gaps(
        {
            "path": address_of(file),
            "name": file.uri if is_address(file.uri) else file.path.as_posix(),
            "thumbnail": thumbnails.get(file.sha256),
            "video": True if file.mime.startswith("video/") else None,
            "width": width if height else None,
            "height": height if width else None,
            "bytes": _number(file.bytes),
            "missing": None if is_address(file.uri) or _is_ordinary(directory / file.path) else True,
        }
    )


def _is_ordinary(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def _without_gaps(body: Json) -> Json:
    return {name: value for name, value in body.items() if value is not None and value not in ("", [])}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(value: object) -> float | None:
    """Return what can be drawn and added up: finite, not negative, below a milliard."""
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever a manifest holds
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0 <= number < _LARGEST else None


def _pixels(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value < 10**6 else None


def _seconds(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        return round(aware.timestamp(), 3)
    except (OverflowError, ValueError, OSError):
        return None
