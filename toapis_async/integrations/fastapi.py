"""FastAPI: a lifespan, dependencies, answers for errors, and routes for jobs. Needs the extra ``fastapi``."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel
from starlette.routing import Route

from toapis_async.async_client import AsyncToAPIs
from toapis_async.errors import ToAPIsError
from toapis_async.integrations.error_responses import MEDIA_TYPE, headers, problem, title_of
from toapis_async.integrations.job_store import JobStore, OpenSession
from toapis_async.values.jobs import StoredJob, StoredState
from toapis_async.webhooks.inbox import WebhookInbox

Lifespan: TypeAlias = Callable[[FastAPI], AbstractAsyncContextManager[None]]

# Proxies cut what is silent for a minute.
_PULSE_SECONDS = 15.0
_SHOWN_INLINE = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "video/mp4"})


def lifespan(
    client: Callable[[], AsyncToAPIs],
    directory: str | Path,
    *,
    session: OpenSession | None = None,
    keep_seconds: float | None = None,
    beside: Iterable[AbstractAsyncContextManager[object]] = (),
) -> Lifespan:
    """Return a lifespan that opens a client and a ``JobStore``, for ``FastAPI(lifespan=…)``.

    Args:
        client: makes the client, in the event loop of the worker.
        directory: of the jobs of all workers.
        session, keep_seconds: as for ``JobStore``.
        beside: what to open before the client and to close after it, such as a ``RedisWebhookInbox``.

    """

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for one in beside:
                await stack.enter_async_context(one)
            app.state.toapis = opened = await stack.enter_async_context(client())
            jobs = JobStore(opened, directory, session=session, keep_seconds=keep_seconds)
            app.state.toapis_jobs = await stack.enter_async_context(jobs)
            yield

    return live


def answer_errors(app: FastAPI) -> None:
    """Answer every error of the library by its kind, without the gateway's words, paths or keys."""

    async def answer(_: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, ToAPIsError):
            raise error
        body = problem(error)
        status = body["status"]
        return JSONResponse(
            body, status if isinstance(status, int) else 500, headers=headers(error), media_type=MEDIA_TYPE
        )

    app.add_exception_handler(ToAPIsError, answer)


def take_webhooks(app: FastAPI, path: str, inbox: WebhookInbox) -> None:
    """Take the gateway's webhooks at exactly this path: a mount would redirect there, which the gateway counts as lost.

    Args:
        app: the application.
        path: such as ``/toapis``.
        inbox: the client's own.

    """
    app.router.routes.append(Route(path, endpoint=inbox.asgi(), include_in_schema=False))


# Coroutines: FastAPI would run a plain function in a thread, for every request.
async def _client(request: Request) -> AsyncToAPIs:
    client: AsyncToAPIs = request.app.state.toapis
    return client


async def _jobs(request: Request) -> JobStore:
    jobs: JobStore = request.app.state.toapis_jobs
    return jobs


Client = Annotated[AsyncToAPIs, Depends(_client)]
"""The client, as a parameter of a route."""

Jobs = Annotated[JobStore, Depends(_jobs)]
"""The jobs, as a parameter of a route."""


class FileView(BaseModel):
    """A file of a job, as its owner sees it."""

    index: int
    mime: str
    bytes: int
    sha256: str
    width: int | None
    height: int | None


class JobView(BaseModel):
    """A job, as its owner sees it: ``files/{index}`` below its own address is a file of it."""

    id: str
    state: StoredState
    created_at: float
    files: list[FileView]
    error: str | None
    title: str | None

    @classmethod
    def of(cls, job: StoredJob) -> "JobView":
        """Show a job: neither the prompt, nor the cost, nor the words of an error."""
        error = job.result.error_type
        return cls(
            id=job.id,
            state=job.state,
            created_at=job.created_at,
            files=[
                FileView(
                    index=index,
                    mime=file.mime,
                    bytes=file.bytes,
                    sha256=file.sha256,
                    width=file.width,
                    height=file.height,
                )
                for index, file in enumerate(job.result.files)
            ],
            error=error,
            title=None if error is None else title_of(error),
        )


def job_router() -> APIRouter:
    """Return the routes ``/{id}``, ``/{id}/events`` and ``/{id}/files/{index}``; put your own checks before them.

    ``DELETE /{id}`` cancels a job that still stands in line, and answers 409 for any other: that may be paid for.

    Whoever knows an id can read its job, so ids have to be hard to guess or the routes to be behind a dependency of
    yours: ``app.include_router(job_router(), prefix="/jobs", dependencies=[Depends(owner)])``.
    """
    router = APIRouter()

    @router.get("/{job_id}")
    async def state(job_id: str, jobs: Jobs) -> JobView:
        """Tell how a job stands."""
        return JobView.of(await _found(jobs, job_id))

    @router.delete("/{job_id}", responses={409: {"model": JobView}})
    async def cancel(job_id: str, jobs: Jobs, response: Response) -> JobView:
        """Cancel a job that still stands in line; 409 and how it stands where it does not."""
        job = await jobs.cancel(job_id)
        if job is None:
            raise HTTPException(404)
        if job.state != "cancelled":
            response.status_code = 409
        return JobView.of(job)

    @router.get("/{job_id}/events")
    async def events(job_id: str, jobs: Jobs) -> StreamingResponse:
        """Tell how a job stands whenever that changes, as server-sent events, until it has ended."""
        await _found(jobs, job_id)
        return StreamingResponse(
            _server_sent(jobs, job_id),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    @router.get("/{job_id}/files/{index}")
    async def file(job_id: str, index: int, jobs: Jobs) -> FileResponse:
        """Send a file of a job."""
        files = (await _found(jobs, job_id)).result.files
        if not 0 <= index < len(files):
            raise HTTPException(404)
        found = files[index]
        inline = found.mime in _SHOWN_INLINE  # an SVG is a program of whoever drew it
        return FileResponse(
            found.path,
            media_type=found.mime,
            filename=found.name,
            content_disposition_type="inline" if inline else "attachment",
            headers={"ETag": f'"{found.sha256}"', "X-Content-Type-Options": "nosniff"},
        )

    return router


async def _found(jobs: JobStore, job_id: str) -> StoredJob:
    job = await jobs.find(job_id)
    if job is None:
        raise HTTPException(404)
    return job


async def _server_sent(jobs: JobStore, job_id: str) -> AsyncIterator[str]:
    last: JobView | None = None
    async for job in jobs.follow(job_id, pulse_seconds=_PULSE_SECONDS):
        view = JobView.of(job)
        yield ": still\n\n" if view == last else f"event: {view.state}\ndata: {view.model_dump_json()}\n\n"
        last = view
