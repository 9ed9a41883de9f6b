"""The documents that tell of a task, shape for shape as in the samples."""

from collections.abc import Sequence

from toapis_async.testing.gateway.accounts.account import CREDITS_PER_USD, decimal_text
from toapis_async.testing.gateway.replies.answers import as_json
from toapis_async.testing.gateway.tasks import SimulatedTask
from toapis_async.testing.scenario.misbehaviour import Misbehaviour, MoveUrl, StatusWord, UrlPlace, WithoutUrl
from toapis_async.testing.scenario.settings import Scenario

_SETTLES_AFTER_SECONDS = 60


def created(task: SimulatedTask, scenario: Scenario) -> dict[str, object]:
    """The answer to a submission."""
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
        "progress": 0,
        "created_at": int(task.accepted_at),
    }
    if task.remixed_from is not None:
        document |= {"remixed_from_video_id": task.remixed_from, **(task.metadata or {})}
    elif task.metadata is not None and not live:
        document["metadata"] = task.metadata
    return document


def status(
    task: SimulatedTask, scenario: Scenario, base_url: str, now: float, faults: Sequence[Misbehaviour] = ()
) -> bytes:
    """The answer to a status query."""
    word, progress = task.standing(now)
    expired = word == "completed" and now >= task.expires_at
    billed = _billed(task, scenario, now)
    key = (word, progress, expired, billed, tuple(file.path for file in task.files), tuple(faults))
    if task.last_body is None or task.last_body[0] != key:
        document = _status(task, scenario, word, progress)
        if billed is not None and word in {"completed", "failed"}:
            document["billing"] = _billing(task, billed)
        if word == "completed":
            _add_result(document, task, [] if expired else _items(task, base_url), scenario, faults)
        elif word == "failed" and task.failure is not None:
            document["error"] = {"code": task.failure.code, "message": task.failure.message}
        else:
            for fault in faults:
                if isinstance(fault, StatusWord):
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
    if word == "completed":
        document |= {"completed_at": task.completed_at, "expires_at": task.expires_at}
    return document


def _billed(task: SimulatedTask, scenario: Scenario, now: float) -> str | None:
    if scenario.billing == "never":
        return None
    if task.failure is not None:
        return "refunded"
    late = scenario.billing == "late" and now < task.ends_at + _SETTLES_AFTER_SECONDS
    return "pending" if late else "settled"


def _billing(task: SimulatedTask, billed: str) -> dict[str, object]:
    if billed == "pending":
        return {"status": billed}
    cost = task.price_usd if billed == "settled" else task.price_usd * 0
    return {
        "status": billed,
        "credits": decimal_text(cost * CREDITS_PER_USD),
        "cost_usd": decimal_text(cost),
    }


def _items(task: SimulatedTask, base_url: str) -> list[dict[str, object]]:
    items: list[dict[str, object]] = []
    for file in task.files:
        item: dict[str, object] = {"url": f"{base_url}{file.path}"}
        if task.kind == "video":
            item["format"] = "mp4"
        items.append(item)
    return items


def _add_result(
    document: dict[str, object],
    task: SimulatedTask,
    items: list[dict[str, object]],
    scenario: Scenario,
    faults: Sequence[Misbehaviour],
) -> None:
    place = scenario.url_place
    for fault in faults:
        if isinstance(fault, WithoutUrl):
            items = []
            if fault.result == "missing":
                return
        elif isinstance(fault, MoveUrl):
            place = fault.place
    if place in {"result", "both"} or not items:
        document["result"] = {"type": task.kind, "data": items}
    if items and place != "result":
        document |= _elsewhere(place, items)


def _elsewhere(place: UrlPlace, items: list[dict[str, object]]) -> dict[str, object]:
    first = items[0]["url"]
    places: dict[UrlPlace, dict[str, object]] = {
        "top_level": {"url": first},
        "both": {"url": first},
        "video_url": {"video_url": first},
        "data": {"data": items},
        "output": {"output": items},
        "metadata": {"metadata": {"url": first}},
    }
    return places[place]
