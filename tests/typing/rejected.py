"""What a type checker has to refuse; an ignore that hides nothing is an error of its own."""

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest, RateLimits, VideoRequest

ImageRequest()  # type: ignore[call-arg]
ImageRequest(17)  # type: ignore[arg-type]
ImageRequest("a red fox", "model")  # type: ignore[call-arg]
ImageRequest("a red fox", reference_images=[1])  # type: ignore[list-item]
ImageRequest("a red fox", reference_images=5)  # type: ignore[arg-type]
ImageRequest("a red fox", width=512)  # type: ignore[call-arg]
VideoRequest("waves")  # type: ignore[call-arg]
ImageRequest("a red fox").n = 2  # type: ignore[misc]

AsyncToAPIs(rate_limits="platinum")  # type: ignore[arg-type]
AsyncToAPIs(validation="loose")  # type: ignore[arg-type]
AsyncToAPIs(key="sk-1")  # type: ignore[call-arg]
RateLimits(submit_per_second=5)  # type: ignore[call-arg]
FixedPolling("5")  # type: ignore[arg-type]


async def calls(client: AsyncToAPIs) -> None:
    await client.images.generate("a red fox")  # type: ignore[arg-type]
    await client.images.generate(prompt="x", duration=8)  # type: ignore[call-arg]
    await client.images.submit(VideoRequest("x", model="m"))  # type: ignore[arg-type]
    await client.models.list("pictures")  # type: ignore[arg-type]
    client.session("out", on_unknown="guess")  # type: ignore[arg-type]
    client.session()  # type: ignore[call-arg]
