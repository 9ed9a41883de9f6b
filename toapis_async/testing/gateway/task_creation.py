"""Making a task out of an accepted submission: its id, its fate, its files."""

import math
import zlib
from collections.abc import Sequence
from random import Random

from toapis_async.testing.gateway.pictures import Picture, format_of, pixels_of, resolution_of, seed_of
from toapis_async.testing.gateway.pricing import price_of
from toapis_async.testing.gateway.request_parsing import Submission
from toapis_async.testing.gateway.tasks import ResultFile, SimulatedTask
from toapis_async.testing.scenario.misbehaviour import Fail, Misbehaviour, Stall
from toapis_async.testing.scenario.settings import Scenario

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIXES = {"image": "tsk_img_", "video": "tsk_vid_"}


def make_task(
    submission: Submission,
    user_id: int,
    number: int,
    now: float,
    scenario: Scenario,
    rng: Random,
    fate: Sequence[Misbehaviour],
    remixed_from: SimulatedTask | None,
) -> SimulatedTask:
    """The task as it will be; whether and when it ends is decided here."""
    model = submission.model or (remixed_from.model if remixed_from is not None else "")
    task_id = f"{_PREFIXES[submission.kind]}{_ulid(now, rng)}"
    takes = scenario.latency_of(model).draw(rng) + sum(f.seconds for f in fate if isinstance(f, Stall))
    live = submission.kind == "video" and scenario.video_envelope == "live"
    task = SimulatedTask(
        id=task_id,
        kind=submission.kind,
        number=number,
        user_id=user_id,
        model=model,
        prompt=submission.prompt,
        client_business_id=submission.client_business_id,
        accepted_at=now,
        ends_at=now + takes,
        words=scenario.words,
        failure=next((f for f in fate if isinstance(f, Fail)), None),
        price_usd=price_of(submission, scenario),
        link_life=scenario.link_life,
        metadata=_echo(submission) if remixed_from is None else _continued(submission),
        shown_id=f"video_{rng.getrandbits(64):016x}" if live else None,
        remixed_from=None if remixed_from is None else remixed_from.id,
        callback_url=submission.callback_url,
    )
    if math.isfinite(task.ends_at):
        task.files = tuple(_files(task, submission, scenario))
    return task


def _files(task: SimulatedTask, submission: Submission, scenario: Scenario) -> list[ResultFile]:
    if submission.kind == "video":
        return [ResultFile(f"/videos/{task.id}/{task.completed_at}_{_tag(task, 0)}.mp4", None)]
    count = submission.body.get("n", 1)
    size = submission.body.get("size")
    width, height = pixels_of(size if isinstance(size, str) else None, resolution_of(submission.body, task.model))
    # Small files are PNGs unless something else is asked for: those need no Pillow.
    usual = scenario.image_format or ("png" if scenario.files == "small" else None)
    form = format_of(submission.body, task.model, usual)
    files = []
    for number in range(count if isinstance(count, int) else 1):
        seed = seed_of(f"{submission.body.get('seed', '')}{task.prompt}", number)
        picture = Picture(task.prompt, width, height, form, seed, f"{task.id} {number}")
        name = f"{task.completed_at}_{_tag(task, number)}.{picture.extension}"
        folder = "/generated" if count == 1 else f"/images/{task.id}"
        files.append(ResultFile(f"{folder}/{name}", picture))
    return files


def _tag(task: SimulatedTask, number: int) -> str:
    return f"{zlib.crc32(f'{task.id}|{number}'.encode()):08x}"


def _ulid(now: float, rng: Random) -> str:
    value = (int(now * 1000) << 80) | rng.getrandbits(80)
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def _echo(submission: Submission) -> dict[str, object]:
    """Image submissions echo nothing; video ones the mapped ratio."""
    ratio = submission.body.get("aspect_ratio")
    return {"aspect_ratio": ratio} if submission.kind == "video" and isinstance(ratio, str) else {}


def _continued(submission: Submission) -> dict[str, object]:
    """What the answer to a remix says at its top level; the seconds are a text there."""
    return {"seconds": str(submission.body.get("duration", 5)), "size": submission.body.get("size", "1280x720")}
