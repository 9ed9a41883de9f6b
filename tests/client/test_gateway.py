"""What every call shares: patience for questions, none for single looks."""

import pytest

from toapis_async.errors import NotFoundError, ServerError, UnreadableReplyError
from toapis_async.values.tasks import GenerationTask, TaskStatus
from toapis_async.wire.account_decoding import balance_from
from toapis_async.wire.decoding import task_from
from toapis_async.wire.encoding import balance

TASK = {"id": "tsk_1", "status": "in_progress", "progress": 40}


async def test_a_look_is_one_exchange(scripted_gateway, json_reply):
    """A look that fails is not repeated; whoever waits decides."""
    gateway = scripted_gateway([json_reply({"error": {"message": "boom"}}, 500)])
    with pytest.raises(ServerError):
        await gateway.look("tsk_1", "image")
    assert [request.path for request in gateway.transport.requests] == ["/images/generations/tsk_1"]


async def test_the_same_bytes_are_read_once(scripted_gateway, json_reply):
    """A look that brings what the one before it brought gives the same task; another one gives another."""
    answers = [{"id": "tsk_1", "status": "queued"}] * 2 + [{"id": "tsk_1", "status": "completed"}]
    gateway = scripted_gateway(lambda _: json_reply(answers.pop(0)))
    look = gateway.looks_at(GenerationTask(id="tsk_1", kind="image", status=TaskStatus.QUEUED))
    first, second, third = [await look() for _ in range(3)]
    assert first is second
    assert third.completed


async def test_a_garbled_reply_is_asked_for_again(scripted_gateway, json_reply):
    """A 200 that breaks off says nothing about the task; the next one does."""
    gateway = scripted_gateway([json_reply('{"id": "tsk_1", "stat'), json_reply(TASK)])
    assert (await gateway.retrieve("tsk_1", "image")).status is TaskStatus.IN_PROGRESS
    assert len(gateway.transport.requests) == 2


async def test_retrieving_is_patient(scripted_gateway, json_reply):
    """A 500 and a 429 on the way are waited out."""
    gateway = scripted_gateway(
        [
            json_reply({"error": {"message": "boom"}}, 500),
            json_reply({"error": {"message": "slow down"}}, 429, **{"Retry-After": "7"}),
            json_reply(TASK),
        ]
    )
    task = await gateway.retrieve("tsk_1", "image")
    assert (task.status, task.progress) == (TaskStatus.IN_PROGRESS, 40)
    assert 0.75 + 7 <= gateway.clock.monotonic() <= 1.25 + 7 * 1.1


async def test_what_is_not_there_is_not_asked_for_again(scripted_gateway, json_reply):
    """A 404 ends the question at once, and a strange id cannot leave its path segment."""
    gateway = scripted_gateway([json_reply({"error": {"code": 404, "message": "Task not found"}}, 404)])
    with pytest.raises(NotFoundError):
        await gateway.retrieve("../../v1/balance?x=1", "video")
    (request,) = gateway.transport.requests
    assert request.path.startswith("/videos/generations/")
    assert not set("?#") & set(request.path)
    assert "/../" not in request.path


async def test_asking_spends_the_clients_retries(scripted_gateway, json_reply):
    """After max_retries repetitions the last failure comes out."""
    gateway = scripted_gateway(lambda _: json_reply({"error": {"message": "boom"}}, 502))
    with pytest.raises(ServerError):
        await gateway.ask(balance(), balance_from, asked_for="the balance")
    assert len(gateway.transport.requests) == 4


def test_a_watch_knows_its_kind_model_and_resolution(scripted_gateway):
    """Latencies of different models and resolutions are learned apart."""
    gateway = scripted_gateway([])
    for resolution, took in (("1K", 10.0), ("4K", 90.0)):
        watch = gateway.watch("image", "gemini-2.5-flash-image-preview", resolution)
        watch.finished(took - 1, took)
        watch.gone()
    text = gateway.latencies.to_text()
    assert "1K" in text
    assert "4K" in text


OTHERS = [
    {"id": "tsk_2", "status": "completed", "result": {"data": [{"url": "https://f.example/2.png"}]}},
    {"task_id": "tsk_2", "status": "failed", "error": {"message": "no"}},
    {"id": "tsk_2", "status": "completed", "client_business_id": "ours-2"},
    {"code": "success", "data": {"task_id": "tsk_2", "status": "SUCCESS"}},
]


@pytest.mark.parametrize("other", OTHERS)
async def test_another_tasks_reply_is_not_ours(scripted_gateway, json_reply, other):
    """A status that names another task is an unreadable reply, whatever it says; the next look is answered."""
    gateway = scripted_gateway([json_reply(other), json_reply(TASK)])
    look = gateway.looks_at(GenerationTask(id="tsk_1", kind="image", status=TaskStatus.QUEUED))
    with pytest.raises(UnreadableReplyError):
        await look()
    assert (await look()).id == "tsk_1"


@pytest.mark.parametrize("other", OTHERS)
async def test_retrieving_asks_again_after_another_tasks_reply(scripted_gateway, json_reply, other):
    """A fresh link is never another task's."""
    gateway = scripted_gateway([json_reply(other), json_reply(TASK)])
    assert (await gateway.retrieve("tsk_1", "image")).id == "tsk_1"
    assert len(gateway.transport.requests) == 2


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({"id": "tsk_1", "status": "queued"}, "tsk_1"),
        ({"id": "video_9", "task_id": "tsk_1", "object": "video", "status": "queued"}, "tsk_1"),
        ({"id": "tsk_1", "task_id": "other", "status": "queued"}, "tsk_1"),
        ({"status": "queued"}, "tsk_1"),
        ({"id": "tsk_1", "status": "queued", "client_business_id": "never-heard-of"}, "tsk_1"),
    ],
)
async def test_a_reply_that_names_the_task_in_any_way_is_ours(scripted_gateway, json_reply, reply, expected):
    """Either id is enough, and so is none."""
    gateway = scripted_gateway([json_reply(reply)])
    look = gateway.looks_at(GenerationTask(id="tsk_1", kind="video", status=TaskStatus.QUEUED))
    assert expected == (await look()).id


async def test_a_task_of_two_ids_answers_by_either(scripted_gateway, json_reply):
    """Where the answer to the submission gave two ids, a status under the other one is ours, and keeps our id."""
    created = {"id": "video_9", "task_id": "tsk_1", "object": "video", "status": ""}
    gateway = scripted_gateway([json_reply({"id": "video_9", "object": "video", "status": "queued"})])
    task = task_from(json_reply(created), kind="video")
    assert (task.id, (await gateway.looks_at(task)()).id) == ("tsk_1", "tsk_1")


async def test_a_lookup_by_reference_brings_the_task(scripted_gateway, json_reply):
    """Asked for by ``client_business_id``, the reply names its own id, and the reference."""
    gateway = scripted_gateway([json_reply({**TASK, "client_business_id": "order-17"})])
    assert (await gateway.retrieve("order-17", "image")).id == "tsk_1"
