"""A gateway that has no path for one kind of task, and one that has none at all."""

import json

import pytest

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest, NotFoundError, VideoRequest
from toapis_async.testing import Constant, Fault, Reply, Scenario, Simulator

IMAGES = [ImageRequest(f"fox {number}") for number in range(4)]
VIDEO = VideoRequest("a film", model="sora-2")
NO_PATH = Reply(
    http_status=404, body=json.dumps({"error": {"code": "", "message": "Invalid URL (POST /v1/videos/generations)"}})
)
WITHOUT_VIDEOS = Scenario(
    latency=Constant(0.05), files="small", tier=None, faults=(Fault(where="submit", what=NO_PATH, match="film"),)
)


async def run(sim, directory, requests, base_url=None):
    polling = FixedPolling(0.05)
    client = AsyncToAPIs(api_key=sim.api_key, base_url=base_url or sim.base_url, rate_limits=None, polling=polling)
    async with client, client.session(directory) as session:
        return [outcome async for outcome in session.stream(requests)]


@pytest.mark.parametrize("place", [0, 2, 4])
async def test_one_kind_has_no_path(tmp_path, place):
    """Wherever the video stands, first too, it fails alone and the images are made; nothing is charged for it."""
    async with Simulator(WITHOUT_VIDEOS) as sim:
        outcomes = await run(sim, tmp_path, [*IMAGES[:place], VIDEO, *IMAGES[place:]])

        assert {"a film"} == {outcome.item.request.prompt for outcome in outcomes if not outcome.ok}
        assert sim.books.accepted == 4


async def test_only_videos_are_wanted_and_none_can_be_made(tmp_path):
    """The base address is right, so each of them says what is wrong."""
    async with Simulator(WITHOUT_VIDEOS) as sim:
        outcomes = await run(sim, tmp_path, [VIDEO, VIDEO])

        assert [NotFoundError] * 2 == [type(outcome.error) for outcome in outcomes]
        assert sim.books.accepted == 0


async def test_no_kind_has_a_path(tmp_path):
    """A wrong base address ends the run at its first refusal."""
    async with Simulator(WITHOUT_VIDEOS) as sim:
        with pytest.raises(NotFoundError, match="Invalid URL"):
            await run(sim, tmp_path, IMAGES, f"{sim.base_url}/v1/wrong")

        assert sim.books.accepted == 0
