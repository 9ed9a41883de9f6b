"""What a finished task made: its files by address, in every place and form that was seen, or the files themselves."""

from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import urlsplit

from toapis_async.testing.gateway.small_files import small_mp4, small_picture
from toapis_async.testing.gateway.tasks import ResultFile, SimulatedTask
from toapis_async.testing.scenario.misbehaviour import Misbehaviour, MoveUrl, UrlForm, UrlPlace, WithoutUrl
from toapis_async.testing.scenario.settings import Scenario

INLINE: tuple[UrlForm, ...] = ("data_uri", "b64_json")
MEDIA_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "svg": "image/svg+xml",
    "mp4": "video/mp4",
}


def media_type(path: str) -> str:
    """By the extension of a result file's path."""
    return MEDIA_TYPES[path.rpartition(".")[2]]


def small_file(file: ResultFile, task: SimulatedTask, about_bytes: int) -> bytes:
    """A result file that costs nothing to make."""
    if file.picture is None:
        return small_mp4(task.id, task.number, about_bytes)
    return small_picture(file.picture, about_bytes)


def url_form(scenario: Scenario, faults: Sequence[Misbehaviour]) -> UrlForm:
    """How addresses are written in this reply; the last fault that says so wins."""
    said = [fault.form for fault in faults if isinstance(fault, MoveUrl) and fault.form is not None]
    return said[-1] if said else scenario.url_form


def items_of(
    task: SimulatedTask, scenario: Scenario, file_base: str, faults: Sequence[Misbehaviour] = ()
) -> list[dict[str, object]]:
    """One entry for each file, as it stands in ``result.data``."""
    form = url_form(scenario, faults)
    items = []
    for file in task.files:
        item: dict[str, object] = _written(file, task, scenario, file_base, form)
        if task.makes == "video":
            item["format"] = "mp4"
        if file.last_frame is not None:
            still = _written(file.last_frame, task, scenario, file_base, form)
            item["last_frame_url"] = still.get("url", still.get("b64_json"))
        items.append(item)
    return items


def with_result(
    document: dict[str, object],
    task: SimulatedTask,
    items: list[dict[str, object]],
    scenario: Scenario,
    faults: Sequence[Misbehaviour],
) -> None:
    """Put the entries where the scenario and the faults want them."""
    if task.makes == "character":
        document["result"] = {"type": "character", "data": {"characters": [_character(task, items)] if items else []}}
        return
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
        document |= _elsewhere(place, items, task)


def _elsewhere(place: UrlPlace, items: list[dict[str, object]], task: SimulatedTask) -> dict[str, object]:
    first = _address(items[0])
    places: dict[UrlPlace, dict[str, object]] = {
        "top_level": {"url": first},
        "both": {"url": first},
        "video_url": {"video_url": first},
        "data": {"data": items},
        "output": {"output": items},
        "metadata": {"metadata": {"url": first}},
        "strings": {"result": {"type": task.kind, "data": [_address(item) for item in items]}},
        "result_url": {"result": {"url": first}},
    }
    return places[place]


def _address(item: dict[str, object]) -> object:
    return item.get("url", item.get("b64_json"))


def _written(
    file: ResultFile, task: SimulatedTask, scenario: Scenario, file_base: str, form: UrlForm
) -> dict[str, object]:
    if form in INLINE:
        content = b64encode(small_file(file, task, scenario.small_bytes)).decode()
        if form == "b64_json":
            return {"b64_json": content}
        return {"url": f"data:{media_type(file.path)};base64,{content}"}
    host = urlsplit(file_base).netloc
    forms: dict[UrlForm, str] = {
        "absolute": f"{file_base}{file.path}",
        "relative": file.path,
        "protocol_relative": f"//{host}{file.path}",
        "spaced": f" {file_base}{file.path}\n",
    }
    return {"url": forms[form]}


def _character(task: SimulatedTask, items: list[dict[str, object]]) -> dict[str, object]:
    tag = task.id.rpartition("_")[2].lower()
    return {
        "id": f"ch_{tag}",
        "display_name": f"Character {task.number}",
        "profile_picture_url": _address(items[0]),
        "username": f"simulated.{tag[-10:]}",
    }
