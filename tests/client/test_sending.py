"""From a request with local files to an accepted task."""

import pytest

from toapis_async import VideoRequest

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.mark.parametrize("action", ["remix", "extend"])
async def test_what_follows_a_video_uploads_again_too(live, action):
    """A remix or an extension whose upload the gateway has lost is mended as any submission is."""
    async with live(client={"validation": "off"}) as (sim, client):
        request = VideoRequest("the fox sleeps", model="sora-2", reference_images=[PNG])
        task = await client.videos.generate(prompt="a fox runs", model="sora-2")
        await client.uploads.image(PNG)
        sim.forget_uploads()
        accepted = await getattr(client.videos, action)(task, request)
        assert accepted.id
        assert (sim.books.requests["upload"], sim.books.accepted) == (2, 2)
