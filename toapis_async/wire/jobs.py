"""Results of a web application's jobs <-> JSON text."""

import json
from pathlib import Path
from typing import Any

from toapis_async.values.files import SavedFile
from toapis_async.values.jobs import StoredResult
from toapis_async.wire.records import decode_file, encode_file

_FACTS = ("task_id", "cost_usd", "error_type", "error_message")


def encode_result(result: StoredResult, directory: Path) -> str:
    """Write a result; paths below ``directory`` relative to it, so that it can be moved."""
    body: dict[str, Any] = {name: value for name in _FACTS if (value := getattr(result, name)) is not None}
    if result.files:
        body["files"] = [encode_file(file, directory) for file in result.files]
    return json.dumps(body, separators=(",", ":"))


def decode_result(text: str, directory: Path) -> StoredResult:
    """Read what ``encode_result`` wrote.

    Raises:
        ValueError: the text is damaged.

    """
    try:
        body = json.loads(text)
        files: tuple[SavedFile, ...] = tuple([decode_file(row, directory) for row in body.pop("files", ())])
        return StoredResult(files=files, **body)
    except (AttributeError, TypeError) as error:
        raise ValueError(f"no result of a job: {error}") from error
