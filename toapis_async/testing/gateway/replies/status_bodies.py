"""The documents that tell of a task, shape for shape as they were documented or seen."""

import math
from collections.abc import Sequence

from toapis_async.testing.gateway.accounts.account import CREDITS_PER_USD, decimal_text
from toapis_async.testing.gateway.replies.answers import as_json
from toapis_async.testing.gateway.replies.result_bodies import items_of, with_result
from toapis_async.testing.gateway.tasks import SimulatedTask
from toapis_async.testing.scenario.misbehaviour import Fail, Misbehaviour, StatusWord
from toapis_async.testing.scenario.settings import Scenario

_SETTLES_AFTER_SECONDS = 60
# As the pages of these models show their answers.
_WITHOUT_METADATA = ("vidu", "MiniMax-H3", "gemini-omni")
_WITHOUT_PROGRESS = ("gemini-omni",)


def created(task: SimulatedTask, scenario: Scenario, file_base: str, now: float) -> dict[str, object]:
    """The answer to a submission."""
    if scenario.created_form == "task_id_only":
        return {"task_id": task.id, "status": scenario.created_word}
    if scenario.created_form == "synchronous":
        return {"created": int(task.accepted_at), "data": items_of(task, scenario, file_base)}
    live = task.shown_id is not None and task.kind == "video"
    document: dict[str, object] = {"id": task.shown_id or task.id}
    if live:
        document["task_id"] = task.id
    if scenario.keeps_client_ids and task.client_business_id is not None:
        document["client_business_id"] = task.client_business_id
    document |= {
        "object": "video" if live or task.remixed_from else "generation.task",
        "model": task.model,
        "status": "" if live else scenario.created_word,
        "progress": 10 if scenario.created_word == "in_progress" and not live else 0,
        "created_at": int(task.accepted_at),
    }
    if task.model.startswith(_WITHOUT_PROGRESS):
        del document["progress"]
    _echo(document, task, live=live)
    if scenario.created_form == "current" and task.ended(now):
        document["status"], document["progress"] = task.standing(now)
        _tell_end(document, task, scenario, file_base, now, ())
    return document


def _echo(document: dict[str, object], task: SimulatedTask, *, live: bool) -> None:
    if task.remixed_from is not None:
        document |= {"remixed_from_video_id": task.remixed_from, **(task.metadata or {})}
        return
    bare = live or document["status"] == "in_progress" or task.model.startswith(_WITHOUT_METADATA)
    if task.metadata is not None and not bare:
        document["metadata"] = task.metadata


def status(
    task: SimulatedTask, scenario: Scenario, file_base: str, now: float, faults: Sequence[Misbehaviour] = ()
) -> bytes:
    """The answer to a status query."""
    word, progress = task.standing(now)
    expired = task.ended(now) and now >= task.expires_at
    key = (word, progress, expired, _billed(task, scenario, now), *(file.path for file in task.files), *faults)
    if task.last_body is None or task.last_body[0] != key:
        document = _status(task, scenario, word, progress)
        if task.ended(now):
            _tell_end(document, task, scenario, file_base, now, faults)
        for fault in faults:
            if isinstance(fault, StatusWord) and not task.ended(now):
                document["status"] = fault.word
        task.last_body = key, as_json(document)
    return task.last_body[1]


def _status(task: SimulatedTask, scenario: Scenario, word: str, progress: int) -> dict[str, object]:
    document: dict[str, object] = {"id": task.id}
    if scenario.keeps_client_ids and task.client_business_id is not None:
        document["client_business_id"] = task.client_business_id
    document |= {
        "object": "generation.task",
        "model": task.model,
        "status": word,
        "progress": progress,
        "created_at": int(task.accepted_at),
    }
    if task.makes == "character":
        document["metadata"] = {}
    return document


def _tell_end(
    document: dict[str, object],
    task: SimulatedTask,
    scenario: Scenario,
    file_base: str,
    now: float,
    faults: Sequence[Misbehaviour],
) -> None:
    billed = _billed(task, scenario, now)
    if billed is not None:
        document["billing"] = _billing(task, billed)
    if task.failure is not None:
        _tell_failure(document, task, task.failure)
        return
    if document["object"] != "video":
        document["completed_at"] = task.completed_at
    if task.makes != "character":
        document["expires_at"] = task.expires_at
    if task.usage is not None:
        document["usage"] = task.usage
    items = [] if now >= task.expires_at else items_of(task, scenario, file_base, faults)
    with_result(document, task, items, scenario, faults)


def _tell_failure(document: dict[str, object], task: SimulatedTask, failure: Fail) -> None:
    if failure.progress == 100 and document["object"] != "video":
        document["completed_at"] = task.completed_at
    if failure.form == "object":
        document["error"] = {"code": failure.code, "message": failure.message}
    elif failure.form == "text":
        document["error"] = failure.message
    elif failure.form == "fail_reason":
        document["fail_reason"] = failure.message
    if not failure.refund:
        # Counted as chat endpoints count: the sign that the request went through one.
        read = math.ceil(len(task.prompt) / 4)
        document["usage"] = {"prompt_tokens": read, "completion_tokens": 1, "total_tokens": read + 1}


def _billed(task: SimulatedTask, scenario: Scenario, now: float) -> str | None:
    if scenario.billing == "never":
        return None
    if task.failure is not None:
        return "refunded" if task.failure.refund else "settled"
    late = scenario.billing == "late" and now < task.ends_at + _SETTLES_AFTER_SECONDS
    return "pending" if late else "settled"


def _billing(task: SimulatedTask, billed: str) -> dict[str, object]:
    if billed == "pending":
        return {"status": billed}
    cost = task.settled_usd if billed == "settled" else task.settled_usd * 0
    return {
        "status": billed,
        "credits": decimal_text(cost * CREDITS_PER_USD),
        "cost_usd": decimal_text(cost),
    }
