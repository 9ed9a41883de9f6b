"""``client.videos``: the same verbs, and what follows a finished video."""

import pytest

from toapis_async import InvalidRequestError, VideoRequest
from toapis_async.client.videos import video_request


def test_prompt_and_model_are_needed():
    """Videos have no default model."""
    with pytest.raises(InvalidRequestError) as caught:
        video_request(None, {})
    assert caught.value.violations == ("prompt is missing", "model is missing")
    assert VideoRequest("a fox", model="m", duration=5) == video_request(
        None, {"prompt": "a fox", "model": "m", "duration": 5}
    )


async def test_generate_and_download(live, tmp_path):
    """A video is submitted to its own endpoint, waited for and saved."""
    async with live() as (_, client):
        task = await client.videos.generate(prompt="a fox runs", model="sora-2")
        assert (task.kind, task.completed) == ("video", True)
        (file,) = await client.videos.download(task, tmp_path)
        assert file.mime == "video/mp4"


async def test_a_finished_video_can_be_remixed(live):
    """A remix is a submission of its own about an earlier task."""
    async with live() as (sim, client):
        task = await client.videos.generate(prompt="a fox runs", model="sora-2")
        remixed = await client.videos.remix(task, prompt="the fox sleeps", model="sora-2")
        assert remixed.id != task.id
        assert (await client.videos.wait(remixed)).completed
        assert sim.books.posts == 2


async def test_what_a_model_cannot_do_is_refused(live):
    """A model without the action is named, together with those that have it; nothing is sent."""
    async with live() as (sim, client):
        able = {model.id for model in client.catalogue if "extend" in model.actions}
        unable = next(m.id for m in client.catalogue if m.kind == "video" and m.complete and "extend" not in m.actions)
        with pytest.raises(InvalidRequestError) as caught:
            await client.videos.extend("tsk_1", prompt="on and on", model=unable)
        assert able
        assert any(model in caught.value.message for model in able)
        assert sim.books.posts == 0
