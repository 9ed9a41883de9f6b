"""Single calls of the client: what each takes and returns."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import assert_type

import aiohttp

from toapis_async import (
    AbandonedSubmission,
    AsyncToAPIs,
    AvailableModel,
    Balance,
    Billing,
    Catalogue,
    FixedPolling,
    GenerationTask,
    GracePeriods,
    ImageRequest,
    LearnedPolling,
    Model,
    RateLimits,
    SavedFile,
    TaskFailure,
    TaskFile,
    TaskStatus,
    Upload,
    VideoRequest,
    packaged_catalogue,
)


def note(abandoned: AbandonedSubmission) -> None:
    assert_type(abandoned.task, GenerationTask | None)


async def settings(http_session: aiohttp.ClientSession) -> None:
    AsyncToAPIs(
        api_key="sk-1",
        base_url="https://toapis.com/v1",
        http_session=http_session,
        timeout=60,
        max_retries=3,
        rate_limits="auto",
        polling=LearnedPolling(min_interval=5.0),
        validation="strict",
        catalogue=packaged_catalogue(),
        on_abandoned=note,
        grace=GracePeriods(),
    )
    AsyncToAPIs(rate_limits=None, polling=FixedPolling(5.0))
    AsyncToAPIs(
        rate_limits=RateLimits(submit_per_second=5, submit_burst=50, query_per_second=50, query_burst=500),
    )


async def images(client: AsyncToAPIs) -> None:
    task = await client.images.generate(
        prompt="a red fox in the snow",
        model="gemini-2.5-flash-image-preview",
        size="16:9",
        resolution="2K",
        reference_images=["style.png", "https://example.com/character.png"],
    )
    assert_type(task, GenerationTask)
    assert_type(await client.images.generate(ImageRequest("a red fox"), timeout_seconds=300), GenerationTask)
    assert_type(await client.images.edit(prompt="make it blue", reference_images=["mug.png"]), GenerationTask)
    assert_type(await client.images.submit(ImageRequest("a red fox")), GenerationTask)
    assert_type(await client.images.retrieve(task.id), GenerationTask)
    assert_type(await client.images.wait(task), GenerationTask)
    assert_type(await client.images.wait("task_1", timeout_seconds=60), GenerationTask)
    files = await client.images.download(task, "out/")
    assert_type(files, tuple[SavedFile, ...])
    assert_type(await client.images.download(task, Path("out")), tuple[SavedFile, ...])
    for file in files:
        assert_type(file.path, Path)
        assert_type(file.bytes, int)
        assert_type(file.sha256, str)
        assert_type(file.width, int | None)


async def videos(client: AsyncToAPIs) -> None:
    task = await client.videos.generate(prompt="waves at dusk", model="sora-2", duration=8)
    assert_type(task, GenerationTask)
    request = VideoRequest("waves at dusk", model="sora-2")
    assert_type(await client.videos.submit(request), GenerationTask)
    assert_type(await client.videos.retrieve(task.id), GenerationTask)
    assert_type(await client.videos.wait(task), GenerationTask)
    assert_type(await client.videos.remix(task, prompt="at dawn", model="sora-2"), GenerationTask)
    assert_type(await client.videos.extend(task.id, request), GenerationTask)
    assert_type(await client.videos.download(task, "out/"), tuple[SavedFile, ...])


def tasks(task: GenerationTask) -> None:
    assert_type(task.id, str)
    assert_type(task.status, TaskStatus)
    assert_type(task.urls, tuple[str, ...])
    assert_type(task.files, tuple[TaskFile, ...])
    assert_type(task.cost, Decimal | None)
    assert_type(task.billing, Billing | None)
    assert_type(task.error, TaskFailure | None)
    assert_type(task.expires_at, datetime | None)
    assert_type(task.finished, bool)
    assert_type(task.completed, bool)


async def around(client: AsyncToAPIs) -> None:
    assert_type(await client.uploads.image("style.png"), Upload)
    assert_type(await client.uploads.image(b"\x89PNG"), Upload)
    assert_type(await client.uploads.video(Path("clip.mp4")), Upload)
    assert_type(await client.account.balance(), Balance)
    assert_type(await client.account.user_balance(), Balance)
    models = await client.models.list(type="image")
    assert_type(models, tuple[AvailableModel, ...])
    for model in models:
        assert_type(model.id, str)
        assert_type(model.details, Model | None)
    assert_type(client.catalogue, Catalogue)
    assert_type(client.base_url, str)
    assert_type(client.abandoned, tuple[AbandonedSubmission, ...])


async def whole() -> None:
    async with AsyncToAPIs() as client:
        assert_type(client, AsyncToAPIs)
    await AsyncToAPIs(api_key="sk-1").aclose()
