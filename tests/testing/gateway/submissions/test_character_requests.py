"""Characters: what is refused, what comes out, and what can be done with it."""

import pytest

VIDEOS = "/v1/videos/generations"
GOOD = {"model": "sora-2", "url": "https://a.example/me.mp4", "timestamps": "1,3"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"timestamps": "1,1.5"}, "between 1-3 seconds"),
        ({"timestamps": "3,1"}, "between 1-3 seconds"),
        ({"timestamps": 3}, "between 1-3 seconds"),
        ({"url": None}, "'url' field is required"),
        ({"model": "kling-v3"}, "does not support character creation"),
        ({"url": "file:///me.mp4"}, "base64 image is not allowed"),
        ({"url": "http://10.0.0.1/me.mp4"}, "failed to fetch"),
    ],
)
async def test_wrong_ones_are_refused(running, fields, words):
    """400, and nothing is charged."""
    async with running() as (sim, caller):
        status, _, document = await caller.call("POST", VIDEOS, json={**GOOD, **fields})

        assert (status, words in document["error"]["message"], sim.books.accepted) == (400, True, 0)


async def test_a_task_that_is_not_there_makes_no_character(running):
    """404 for another user's task or none."""
    async with running() as (_, caller):
        wish = {"model": "sora-2", "from_task": "tsk_vid_none", "timestamps": "0,2"}

        assert (await caller.call("POST", VIDEOS, json=wish))[0] == 404


async def test_a_finished_character_has_names_and_a_picture(running):
    """At its own path and at that of videos; ordinary tasks are not found at its own path."""
    async with running() as (sim, caller):
        video = await caller.submit(path=VIDEOS, model="sora-2")
        wish = {"model": "sora-2", "from_task": video["id"], "timestamps": "0,2"}
        made = (await caller.call("POST", VIDEOS, json=wish))[2]
        sim.clock.advance(2)

        task = (await caller.call("GET", f"/v1/characters_tasks/{made['id']}"))[2]

        (character,) = task["result"]["data"]["characters"]
        assert (task["status"], task["result"]["type"]) == ("completed", "character")
        assert set(character) == {"id", "display_name", "profile_picture_url", "username"}
        _, headers, picture = await caller.call("GET", character["profile_picture_url"], key=False)
        assert (headers["Content-Type"], picture[:2]) == ("image/jpeg", b"\xff\xd8")
        assert (await caller.look(made["id"], "videos"))["result"] == task["result"]
        assert (await caller.call("GET", f"/v1/characters_tasks/{video['id']}"))[0] == 404
