"""After a lost reply: what lookups by our reference show."""

import pytest

from toapis_async.client.asking import RECENT_TASK_AGE_SECONDS, find_submission, look_once
from toapis_async.errors import APIConnectionError, AuthenticationError, Delivery
from toapis_async.policy.money.asking import Verdict

MISSING = {"error": {"code": 404, "message": "Task not found", "type": "not_found_error"}}
FOUND = {"id": "tsk_1", "status": "queued", "client_business_id": "ours-1"}


def asked(gateway):
    return [request.path.rsplit("/", 1)[1] for request in gateway.transport.requests]


async def test_a_task_is_found_after_a_lag(scripted_gateway, json_reply):
    """Misses before the grace period has passed prove nothing; the task that turns up is adopted."""
    gateway = scripted_gateway([*[json_reply(MISSING, 404)] * 3, json_reply(FOUND)])
    found = await find_submission(gateway, "ours-1", "image", grace_seconds=15)
    assert found.id == "tsk_1"
    assert asked(gateway) == ["ours-1"] * 4
    assert gateway.client_ids.keeps is True


async def test_a_clean_miss_is_proof_where_references_are_kept(scripted_gateway, json_reply):
    """Where a lookup has found a task before, clean misses over the grace period prove that there is none."""
    gateway = scripted_gateway(lambda _: json_reply(MISSING, 404))
    gateway.client_ids.keeps = True
    assert Verdict.NOT_ACCEPTED is await find_submission(gateway, "ours-1", "image", grace_seconds=15)
    assert gateway.clock.monotonic() >= 15


async def test_a_late_miss_is_as_old_as_its_question(scripted_gateway, json_reply):
    """A miss that was asked for within the grace period proves nothing, however late its answer comes."""

    def slowly(_):
        gateway.clock.advance(20)
        return json_reply(MISSING, 404)

    gateway = scripted_gateway(slowly)
    gateway.client_ids.keeps = True
    assert Verdict.NOT_ACCEPTED is await find_submission(gateway, "ours-1", "image", grace_seconds=15)
    assert asked(gateway) == ["ours-1"] * 2


async def test_a_clean_miss_is_no_proof_elsewhere(scripted_gateway, json_reply):
    """Where nothing has shown that references are kept, the doubt stays."""
    gateway = scripted_gateway(lambda _: json_reply(MISSING, 404))
    assert Verdict.UNKNOWN is await find_submission(gateway, "ours-1", "image", grace_seconds=15)


async def test_nothing_is_proved_while_asking_fails(scripted_gateway, json_reply):
    """Lookups that fail themselves prove nothing, and are given up after twice the grace period."""
    gateway = scripted_gateway(lambda _: json_reply({"error": {"message": "boom"}}, 500))
    gateway.client_ids.keeps = True
    assert Verdict.UNKNOWN is await find_submission(gateway, "ours-1", "image", grace_seconds=15)
    assert 30 <= gateway.clock.monotonic() <= 45


async def test_another_task_is_not_ours(scripted_gateway, json_reply):
    """A gateway that answers any lookup with some task has not found ours."""
    gateway = scripted_gateway([json_reply({**FOUND, "client_business_id": "someone-else"})])
    assert await look_once(gateway, "ours-1", "image") is False
    assert gateway.client_ids.keeps is None


async def test_an_error_under_200_is_neither_our_task_nor_a_miss(scripted_gateway, json_reply):
    """A reply that names no task settles nothing, though it has a status that reads as failed."""
    gateway = scripted_gateway([json_reply({"status": "error", "message": "task not exist"})])
    assert await look_once(gateway, "ours-1", "image") is False
    assert gateway.client_ids.keeps is None


async def test_a_page_of_a_proxy_is_no_miss(scripted_gateway, json_reply):
    """A 404 that is not the gateway's own word proves nothing."""
    gateway = scripted_gateway([json_reply("<html><title>404</title></html>", 404)])
    assert await look_once(gateway, "ours-1", "image") is False


async def test_a_broken_connection_is_no_miss(scripted_gateway):
    """A lookup without a reply proves nothing."""
    gateway = scripted_gateway([APIConnectionError("gone", delivery=Delivery.NEVER)])
    assert await look_once(gateway, "ours-1", "image") is False


async def test_a_refused_key_ends_the_asking(scripted_gateway, json_reply):
    """Nothing can be asked with a key that is refused."""
    gateway = scripted_gateway([json_reply({"error": {"code": "unauthorized", "message": "Invalid API key"}}, 401)])
    with pytest.raises(AuthenticationError):
        await find_submission(gateway, "ours-1", "image", grace_seconds=15)


@pytest.mark.parametrize(
    ("recent_found", "keeps", "expected"),
    [(True, True, Verdict.NOT_ACCEPTED), (False, False, Verdict.UNKNOWN)],
)
async def test_a_recent_task_tells_what_a_miss_means(scripted_gateway, json_reply, recent_found, keeps, expected):
    """A task that certainly exists is looked up by its reference, to learn whether a miss means anything here."""

    def answer(request):
        if request.path.endswith("recent-1") and recent_found:
            return json_reply({"id": "tsk_recent", "status": "queued"})
        return json_reply(MISSING, 404)

    gateway = scripted_gateway(answer)
    gateway.client_ids.recent_task = ("recent-1", "tsk_recent", "image", -RECENT_TASK_AGE_SECONDS)
    assert expected is await find_submission(gateway, "ours-1", "image", grace_seconds=15)
    assert keeps is gateway.client_ids.keeps


async def test_a_young_task_is_not_asked_for(scripted_gateway, json_reply):
    """A task that may just not be found yet proves nothing about the gateway."""
    gateway = scripted_gateway(lambda _: json_reply(MISSING, 404))
    gateway.client_ids.recent_task = ("recent-1", "tsk_recent", "image", 0.0)
    await find_submission(gateway, "ours-1", "image", grace_seconds=RECENT_TASK_AGE_SECONDS - 6)
    assert "recent-1" not in asked(gateway)
