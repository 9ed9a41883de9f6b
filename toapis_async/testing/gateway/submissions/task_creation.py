"""Making a task out of an accepted submission: its id, its fate, its files."""

import math
import zlib
from collections.abc import Sequence
from random import Random

from toapis_async.testing.gateway.pictures import Picture, format_of, pixels_of, resolution_of, seed_of
from toapis_async.testing.gateway.submissions.pricing import Quote
from toapis_async.testing.gateway.submissions.request_parsing import Submission
from toapis_async.testing.gateway.tasks import ResultFile, SimulatedTask
from toapis_async.testing.scenario.misbehaviour import Fail, Misbehaviour, Stall
from toapis_async.testing.scenario.settings import Scenario

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIXES = {"image": "tsk_img_", "video": "tsk_vid_"}


def make_task(
    submission: Submission,
    cost: Quote,
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
        makes=submission.makes,
        number=number,
        user_id=user_id,
        model=model,
        prompt=submission.prompt,
        client_business_id=submission.client_business_id,
        accepted_at=now,
        ends_at=now + takes,
        words=scenario.words,
        failure=next((f for f in fate if isinstance(f, Fail)), None),
        price_usd=cost.charged_usd,
        settled_usd=cost.settled_usd,
        usage=cost.usage,
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
    if task.makes == "character":
        portrait = Picture(task.id, 256, 256, "jpeg", seed_of(task.id, 0), task.id)
        return [ResultFile(f"/f/image/character_{task.id}.jpg", portrait)]
    if task.makes == "video":
        return [_video(task, submission, scenario)]
    size = submission.body.get("size")
    width, height = pixels_of(size if isinstance(size, str) else None, resolution_of(submission.body, task.model))
    # Small files are PNGs unless something else is asked for.
    usual = scenario.image_format or ("png" if scenario.files == "small" else None)
    form = format_of(submission.body, task.model, usual)
    files = []
    for number in range(submission.n):
        seed = seed_of(f"{submission.body.get('seed', '')}{task.prompt}", number)
        picture = Picture(task.prompt, width, height, form, seed, f"{task.id} {number}")
        folder = "/generated" if submission.n == 1 else f"/images/{task.id}"
        files.append(ResultFile(f"{folder}/{_name(task, number)}.{picture.extension}", picture))
    return files


def _video(task: SimulatedTask, submission: Submission, scenario: Scenario) -> ResultFile:
    film = ResultFile(f"{scenario.video_folder}/{task.id}/{_name(task, 0)}.mp4", None)
    if submission.body.get("return_last_frame") is True:
        still = Picture(task.prompt, 1280, 720, "png", seed_of(task.prompt, 1), f"{task.id} last frame")
        film.last_frame = ResultFile(f"/images/{task.id}/{_name(task, 1)}.png", still)
    return film


def _name(task: SimulatedTask, number: int) -> str:
    return f"{task.completed_at}_{_tag(task, number)}"


def _tag(task: SimulatedTask, number: int) -> str:
    return f"{zlib.crc32(f'{task.id}|{number}'.encode()):08x}"


def _ulid(now: float, rng: Random) -> str:
    value = (int(now * 1000) << 80) | rng.getrandbits(80)
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def _echo(submission: Submission) -> dict[str, object]:
    """Image submissions echo nothing; video ones the mapped ratio, or size and seconds."""
    if submission.model == "sora-2-official":
        return _continued(submission)
    ratio = submission.body.get("aspect_ratio")
    return {"aspect_ratio": ratio} if submission.kind == "video" and isinstance(ratio, str) else {}


def _continued(submission: Submission) -> dict[str, object]:
    """Size and seconds as sora echoes them; the seconds are a text there."""
    return {"size": submission.body.get("size", "1280x720"), "seconds": str(submission.body.get("duration", 5))}
