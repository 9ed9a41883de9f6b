"""Sessions: streams, runs and jobs, and a match over every way in which an item can end."""

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import assert_never, assert_type

from toapis_async import (
    AsyncToAPIs,
    Event,
    Failed,
    FixedPolling,
    GenerationSession,
    GenerationTask,
    ImageRequest,
    Item,
    ItemSaved,
    Job,
    Outcome,
    OutcomeStream,
    Report,
    Saved,
    SavedFile,
    Statistics,
    SubmissionUnknownError,
    TaskFailedError,
    ToAPIsError,
    Unfinished,
    VideoRequest,
)


def told(outcome: Outcome) -> str:
    match outcome:
        case Saved(item=item, files=files, cost=cost):
            assert_type(item, Item)
            assert_type(files, tuple[SavedFile, ...])
            assert_type(cost, Decimal | None)
            return f"{item.key}: {files[0].path}"
        case Failed(error=TaskFailedError(task=task)):
            assert_type(task, GenerationTask)
            return f"the gateway gave {task.id} up"
        case Failed(item=item, error=error):
            assert_type(error, ToAPIsError)
            return f"{item.key}: {error.message}"
        case Unfinished(error=SubmissionUnknownError(client_business_id=reference)):
            return f"look {reference} up"
        case Unfinished(item=item):
            return f"{item.key}: resume"


def exhaustive(outcome: Outcome) -> int:
    match outcome:
        case Saved():
            return 0
        case Failed():
            return 3
        case Unfinished():
            return 5
        case _:
            assert_never(outcome)


def common(outcome: Outcome) -> None:
    assert_type(outcome.ok, bool)
    assert_type(outcome.item.key, str)
    assert_type(outcome.item.request, ImageRequest | VideoRequest)
    assert_type(outcome.files, tuple[SavedFile, ...])
    assert_type(outcome.error, ToAPIsError | None)
    assert_type(outcome.task, GenerationTask | None)
    assert_type(outcome.cost, Decimal | None)


def prompts() -> Iterator[ImageRequest]:
    yield ImageRequest("a red fox")


async def arriving() -> AsyncIterator[ImageRequest | VideoRequest]:
    yield VideoRequest("waves", model="sora-2")


def hear(event: Event) -> None:
    assert_type(event.task_id, str | None)
    match event:
        case ItemSaved(files=files, cost_usd=cost):
            assert_type(files, tuple[SavedFile, ...])
            assert_type(cost, Decimal | None)
        case _:
            pass


async def streams(client: AsyncToAPIs) -> None:
    session = client.session(
        "out/",
        max_concurrency=500,
        download_workers=16,
        journal=True,
        durable=True,
        polling=FixedPolling(5.0),
        patience_seconds=900,
        max_cost_usd="20",
        on_unknown="report",
        retry_failed=False,
        on_event=hear,
    )
    assert_type(session, GenerationSession)
    async with session:
        assert_type(session.stream(prompts()), OutcomeStream)
        async for outcome in session.stream([ImageRequest("a"), VideoRequest("b", model="sora-2")]):
            assert_type(outcome, Saved | Failed | Unfinished)
        stream = session.stream(arriving())
        async for _ in stream:
            break
        await stream.aclose()
        async for _ in session.resume():
            pass


async def runs(client: AsyncToAPIs) -> Report:
    async with client.session(Path("out"), max_cost_usd=Decimal(5)) as session:
        report = await session.run(prompts())
        assert_type(report, Report)
        assert_type(report.cost_usd, Decimal)
        assert_type(report.complete, bool)
        assert_type(report.stopped_by, ToAPIsError | None)
        assert_type(session.statistics, Statistics)
        assert_type(session.report, Report)
        assert_type(session.directory, Path | None)
        assert_type(session.uri, str)
        session.drain()
        await session.remember("note", "started by hand")
        return report


async def jobs(client: AsyncToAPIs) -> None:
    async with client.session("out/") as session:
        job = await session.submit(ImageRequest("a red fox"))
        assert_type(job, Job)
        assert_type(job.done, bool)
        outcome = await job
        assert_type(outcome, Saved | Failed | Unfinished)
