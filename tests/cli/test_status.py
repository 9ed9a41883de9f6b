"""``toapis status``: one task, in one normal form."""

import json
from pathlib import Path

import pytest

from toapis_async.testing import Constant, Fail, Fault, Refuse
from toapis_async.wire.tasks import task_in

SAMPLES = Path(__file__).parents[1] / "samples"
FORM = [
    "id",
    "kind",
    "status",
    "progress",
    "model",
    "urls",
    "cost",
    "error",
    "hint",
    "created_at",
    "completed_at",
    "expires_at",
]
# A picture in the reply itself is no task: nothing could be shown of it.
SHAPES = sorted({path.stem for path in SAMPLES.glob("status_*.json")} - {"status_tolerated_sync_b64"})
STATUSES = {"pending", "submitted", "queued", "in_progress", "completed", "failed", "unrecognised"}


@pytest.fixture
def replies(file_host, file_answer, monkeypatch):
    """``replies({path: body})``: a gateway that answers these status paths, and 404 to any other."""
    monkeypatch.setenv("TOAPIS_BASE_URL", file_host.base_url)
    monkeypatch.setenv("TOAPIS_API_KEY", "sk-test-test-test")
    missing = json.dumps({"error": {"code": "task_not_found", "message": "Task not found"}})

    def script(bodies):
        def answer(request):
            body = bodies.get(request.target)
            return file_answer(
                status=404 if body is None else 200,
                headers={"Content-Type": "application/json"},
                body=(missing if body is None else json.dumps(body)).encode(),
            )

        file_host.script = [answer]
        return file_host

    return script


async def test_another_tasks_reply_is_no_status(toapis, replies):
    """A reply about another task is not shown as the one that was asked for."""
    replies({"/v1/images/generations/task_1": {"id": "task_2", "status": "completed"}})
    ended = await toapis("status", "task_1", "--kind", "image", "--json")

    assert ended.code != 0
    assert ended.document["error"]["type"] == "UnreadableReplyError"


@pytest.mark.parametrize("sample", SHAPES)
async def test_every_shape_has_the_same_form(toapis, replies, sample):
    """Whatever a reply looks like, the form is the same, and its values are of the same types."""
    body = json.loads((SAMPLES / f"{sample}.json").read_text("utf-8"))
    name = task_in(body, kind="image", asked="task_1").id
    replies({f"/v1/images/generations/{name}": body})
    ended = await toapis("status", name, "--json")

    form = ended.document
    assert ended.code == 0, ended.err
    assert list(form) == FORM
    assert form["status"] in STATUSES
    assert all(url.startswith("http") for url in form["urls"])
    assert form["progress"] is None or 0 <= form["progress"] <= 100
    assert form["cost"] is None or form["cost"] >= 0
    assert (form["error"] is None) == (form["status"] != "failed")
    for name in ("created_at", "completed_at", "expires_at"):
        assert form[name] is None or form[name].endswith("Z")


async def test_videos_are_asked_for_when_there_is_no_such_image(toapis, replies):
    """Images come first, then videos, unless the kind is told."""
    body = {**json.loads((SAMPLES / "status_video_completed.json").read_text("utf-8")), "id": "task_1"}
    host = replies({"/v1/videos/generations/task_1": body})
    ended = await toapis("status", "task_1", "--json")

    assert (ended.code, ended.document["kind"]) == (0, "video")
    assert [one.target for one in host.requests] == ["/v1/images/generations/task_1", "/v1/videos/generations/task_1"]

    told = await toapis("status", "task_1", "--kind", "image", "--json")
    assert (told.code, told.document["error"]["type"]) == (3, "NotFoundError")


async def test_a_task_that_does_not_exist(toapis, replies):
    """Neither kind has it: the error says what to check."""
    replies({})
    ended = await toapis("status", "task_1")

    assert ended.code == 3
    assert "Check the id" in ended.err


async def test_for_people(toapis, replies):
    """Without --json each fact has a line, and foreign text cannot command the terminal."""
    replies({"/v1/images/generations/task_1": {"id": "task_1", "status": "wei\x1b[31mrd", "progress": "40%"}})
    ended = await toapis("status", "task_1")

    assert "progress     40 %" in ended.out
    assert "unrecognised" in ended.out
    assert "\x1b" not in ended.out


async def test_waiting_and_saving(toapis, gateway, quick, tmp_path):
    """--wait waits; a directory saves the files too; by client_business_id as well."""
    async with gateway(latency=Constant(0.5)) as sim:
        made = await toapis("generate", "a fox", "-o", tmp_path / "a", "--json", *quick)
        task_id = made.document["id"]
        own = next(iter(sim.books.by_client_business_id))
        ended = await toapis("status", own, "--wait", "-o", tmp_path / "b", "--json", *quick)

    assert ended.code == 0, ended.err
    assert ended.document["id"] == task_id
    assert ended.document["files"][0]["sha256"] == made.document["files"][0]["sha256"]


async def test_waiting_for_a_task_that_fails(toapis, gateway, quick, tmp_path):
    """A failed task is shown, and is exit code 3 only for those who waited for it."""
    async with gateway(faults=(Fault(where="task", what=Fail()),)):
        made = await toapis("generate", "a fox", "-o", tmp_path, *quick)
        task_id = made.err.partition("task ")[2].split(".")[0]
        looked = await toapis("status", task_id, "--json")
        waited = await toapis("status", task_id, "--wait", "--json", *quick)

    assert (looked.code, waited.code) == (0, 3)
    assert looked.document["status"] == waited.document["status"] == "failed"
    assert waited.document["error"]["message"]


async def test_patience(toapis, gateway, quick, tmp_path):
    """Who stops waiting is told that the task may still finish."""
    async with gateway(latency=Constant(60)):
        made = await toapis("generate", "a fox", "-o", tmp_path, "--patience", "0.3", *quick)

    assert made.code == 5
    assert "do not submit it again" in made.err


async def test_a_failed_task_that_was_charged_says_what_to_do(toapis, gateway, quick, tmp_path):
    """The status of a failed task ends with its next step, in words and in JSON."""
    async with gateway(faults=[Fault(where="task", what=Fail(refund=False))]) as sim:
        ended = await toapis("generate", "a fox", "-o", tmp_path / "out", "--json", *quick)
        (task_id,) = [task.id for task in sim.gateway.tasks.values()]
        shown = await toapis("status", task_id)
        form = (await toapis("status", task_id, "--json")).document

    assert ended.code == 3
    assert "next         It was charged although it failed" in shown.out
    assert form["hint"].startswith("It was charged although it failed")


async def test_a_broken_status_query_speaks_of_no_submission(toapis, gateway, quick):
    """A 502 to a question says that asking changes nothing."""
    broken = [Fault(where=where, what=Refuse(reply="html_502")) for where in ("query", "lookup")]
    async with gateway(faults=broken):
        ended = await toapis("status", "tsk_1", *quick)

    assert "submission" not in ended.err
    assert "Ask again in a while" in ended.err


async def test_the_raw_reply(toapis, replies):
    """--raw shows what the gateway said, unknown fields included, and in plain ASCII."""
    body = {"id": "task_1", "status": "queued", "colour\u001b[31m": "r\u00f6t", "nested": {"seen": [1, None]}}
    replies({"/v1/images/generations/task_1": body})
    ended = await toapis("status", "task_1", "--raw")

    assert (ended.code, ended.document) == (0, body)
    assert ended.out.isascii()
    assert "\x1b" not in ended.out
