"""Rows of an engine as requests, and outcomes as the columns that are added to the rows."""

from collections.abc import Mapping, Sequence
from typing import cast

import attrs

from toapis_async.batch.incoming.rows import rows as requests_of
from toapis_async.batch.outcomes import Outcome
from toapis_async.errors import InvalidRequestError, ToAPIsError
from toapis_async.integrations.chunk_config import ChunkConfig
from toapis_async.policy.files.naming import item_key
from toapis_async.policy.money.chunks import run_reference
from toapis_async.values.files import SavedFile
from toapis_async.values.requests import GenerationRequest

COLUMNS = (
    "ok",
    "path",
    "sha256",
    "bytes",
    "mime",
    "width",
    "height",
    "task_id",
    "cost_usd",
    "resumed",
    "error_type",
    "error",
    "files",
)
"""What is added to each row: whether there is a file, what is known of the first one, why there is none; all files."""

FILE_FIELDS = ("path", "sha256", "bytes", "mime", "width", "height")
"""What is known of each of ``files``."""

Row = Mapping[str, object]
Result = dict[str, object]


def read_rows(rows: Sequence[Row], config: ChunkConfig) -> list[GenerationRequest | InvalidRequestError]:
    """Make a request of each row, named and with the run's own reference, or say why it is none."""
    seen: dict[str, int] = {}
    read: list[GenerationRequest | InvalidRequestError] = []
    for row in rows:
        try:
            (request,) = requests_of([dict(row)], columns=config.fields)
        except InvalidRequestError as error:
            read.append(error)
            continue
        bare = item_key(request, 0)
        seen[bare] = seen.get(bare, 0) + 1
        key = item_key(request, seen[bare] - 1)
        read.append(attrs.evolve(request, id=key, client_business_id=run_reference(config.run_id, key)))
    return read


def failed(error: ToAPIsError) -> Result:
    """Return the columns of a row that has no file."""
    return {
        **dict.fromkeys(COLUMNS),
        "ok": False,
        "resumed": False,
        "error_type": type(error).__name__,
        "error": str(error),
        "files": [],
    }


def result_of(outcome: Outcome) -> Result:
    """Return the columns of an outcome."""
    result = dict.fromkeys(COLUMNS) if outcome.error is None else failed(outcome.error)
    result["task_id"] = None if outcome.task is None else outcome.task.id
    if outcome.ok:
        files = [
            {"path": file.uri, **{name: getattr(file, name) for name in FILE_FIELDS[1:]}} for file in outcome.files
        ]
        cost = None if outcome.cost is None else float(outcome.cost)
        resumed = getattr(outcome, "resumed", False)
        result |= {"ok": True, **files[0], "cost_usd": cost, "resumed": resumed, "files": files}
    return result


def saved_files(result: Result) -> list[SavedFile] | None:
    """Return the files of columns that were made before; None where an earlier version has made them."""
    files = cast("list[dict[str, object]] | None", result.get("files"))
    if files is None:
        return None
    return [SavedFile(uri=str(file["path"]), **{name: file[name] for name in FILE_FIELDS[1:]}) for file in files]  # type: ignore[arg-type]
