"""Posters as tasks of taskiq: ``taskiq worker taskiq_app:broker``, and ``make_poster.kiq("a red fox")`` elsewhere.

A broker delivers a message again when a worker dies. The message's id names the job, so that its picture is bought
once however often it comes.
"""

import os
from typing import Annotated

from taskiq import AsyncBroker, Context, InMemoryBroker, TaskiqDepends, TaskiqEvents, TaskiqState

from toapis_async import AsyncToAPIs, ImageRequest
from toapis_async.integrations.job_store import JobStore
from toapis_async.limits import SharedRateLimits

if "REDIS_URL" in os.environ:
    from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

    url = os.environ["REDIS_URL"]
    broker: AsyncBroker = RedisStreamBroker(url).with_result_backend(RedisAsyncResultBackend(url))
else:
    broker = InMemoryBroker(await_inplace=False)


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def begin(state: TaskiqState) -> None:
    """Open a client and the jobs in each worker; they keep the limits of the account together."""
    state.client = await AsyncToAPIs(rate_limits=SharedRateLimits.on_this_machine()).__aenter__()
    state.jobs = await JobStore(state.client, os.environ["POSTERS"]).__aenter__()


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def end(state: TaskiqState) -> None:
    """Park what is under way, for the next worker."""
    await state.jobs.aclose()
    await state.client.aclose()


@broker.task
async def make_poster(prompt: str, context: Annotated[Context, TaskiqDepends()]) -> list[str]:
    """Make a poster and return where its files are."""
    jobs: JobStore = context.state.jobs
    job = await jobs.submit(ImageRequest(prompt), id=context.message.task_id)
    done = await jobs.wait(job.id)
    if done is None or not done.result.files:
        raise RuntimeError("no poster came of it")
    return [file.uri for file in done.result.files]
