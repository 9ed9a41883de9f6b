"""Results as JSON. Amounts are numbers in USD, times are ISO 8601 in UTC, what is not known is null."""

from datetime import UTC, datetime
from decimal import Decimal

from toapis_async.batch.outcomes import Failed, Outcome, Report, Saved, Unfinished
from toapis_async.errors import ToAPIsError
from toapis_async.policy.money.hints import hint_for_failed_task
from toapis_async.values.account import Balance
from toapis_async.values.files import SavedFile
from toapis_async.values.tasks import GenerationTask, TaskStatus

Form = dict[str, object]


# A file that came inside the reply stands in place of its address, with all its megabytes.
_SHOWN_CHARS = 65_536


def usd_number(amount: Decimal | None) -> float | int | None:
    """Return an amount as a JSON number."""
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def task_form(task: GenerationTask) -> Form:
    """Return the one normal form of a task."""
    return {
        "id": task.id,
        "kind": task.kind,
        "status": task.status.value,
        "progress": task.progress,
        "model": task.model,
        "urls": [url if len(url) <= _SHOWN_CHARS else url[:64] + "…" for url in task.urls],
        "cost": usd_number(task.cost),
        "error": None if task.error is None else {"code": task.error.code, "message": task.error.message},
        "hint": hint_for_failed_task(task) if task.status is TaskStatus.FAILED else None,
        "created_at": _moment(task.created_at),
        "completed_at": _moment(task.completed_at),
        "expires_at": _moment(task.expires_at),
    }


def file_form(file: SavedFile) -> Form:
    """Return a saved file."""
    return {
        "path": file.uri,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "mime": file.mime,
        "width": file.width,
        "height": file.height,
    }


def error_form(error: ToAPIsError) -> Form:
    """Return an error with what to do about it."""
    return {"type": type(error).__name__, "message": error.message, "hint": error.hint}


def outcome_form(outcome: Outcome) -> Form:
    """Return how an item ended."""
    task, request = outcome.task, outcome.item.request
    return {
        "type": "outcome",
        "id": outcome.item.key,
        "status": outcome_status(outcome),
        "files": [file_form(file) for file in outcome.files],
        "missing_files": outcome.missing if isinstance(outcome, Saved) else 0,
        "task_id": None if task is None else task.id,
        "model": request.model,
        "prompt": request.prompt,
        "cost_usd": usd_number(outcome.cost),
        "error": None if outcome.error is None else error_form(outcome.error),
    }


def outcome_status(outcome: Outcome) -> str:
    """Return how an item ended, in a word."""
    match outcome:
        case Saved(resumed=True):
            return "skipped"
        case Saved():
            return "saved"
        case Failed():
            return "failed"
        case Unfinished():
            return "unknown" if outcome.unknown else "unfinished" if outcome.sent else "not_sent"


def report_form(report: Report, *, left: int, exit_code: int) -> Form:
    """Return a run in numbers; *left* requests of the input were not taken from it."""
    return {
        "type": "report",
        "directory": str(report.directory),
        "saved": report.saved,
        "skipped": report.skipped,
        "failed": report.failed,
        "unfinished": report.unfinished,
        "unknown": report.unknown,
        "not_sent": report.not_sent + left,
        "short": report.short,
        "cost_usd": usd_number(report.cost_usd),
        "without_cost": report.unpriced,
        "spent_usd": usd_number(report.spent_usd),
        "committed_usd": usd_number(report.committed_usd),
        "without_estimate": report.unestimated,
        "seconds": round(report.seconds, 3),
        "stopped_by": None if report.stopped_by is None else error_form(report.stopped_by),
        "exit_code": exit_code,
    }


def balance_form(balance: Balance) -> Form:
    """Return what is left."""
    return {
        "remaining_usd": usd_number(balance.remaining_usd),
        "used_usd": usd_number(balance.used_usd),
        "remaining_credits": usd_number(balance.remaining_credits),
        "used_credits": usd_number(balance.used_credits),
        "unlimited": balance.unlimited,
    }


def _moment(when: datetime | None) -> str | None:
    return None if when is None else when.astimezone(UTC).isoformat().replace("+00:00", "Z")
