"""Checking a request before it is sent. Needs: AsyncToAPIs.check"""

from toapis_async import AsyncToAPIs, ImageRequest, VideoRequest


def check(client: AsyncToAPIs) -> None:
    client.check(ImageRequest("a red fox", reference_images=["a.png"]))
    client.check(VideoRequest("waves", model="sora-2"))
