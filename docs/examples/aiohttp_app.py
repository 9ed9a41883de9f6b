"""Posters on order with aiohttp.web: ``python aiohttp_app.py 8080``."""

import os
import sys
from collections.abc import AsyncIterator

from aiohttp import web

from toapis_async import AsyncToAPIs, ImageRequest, ToAPIsError
from toapis_async.integrations.error_responses import MEDIA_TYPE, headers, problem
from toapis_async.integrations.job_store import JobStore
from toapis_async.webhooks import WebhookInbox

JOBS = web.AppKey("JOBS", JobStore)
routes = web.RouteTableDef()
inbox = WebhookInbox(os.environ["TOAPIS_WEBHOOK_SECRET"])


async def toapis(app: web.Application) -> AsyncIterator[None]:
    """Keep a client and the jobs for as long as the application runs."""
    async with AsyncToAPIs(webhooks=inbox) as client, JobStore(client, os.environ["POSTERS"]) as jobs:
        app[JOBS] = jobs
        yield  # noqa: ASYNC119  # the form that aiohttp asks for


@web.middleware
async def errors(request: web.Request, handler) -> web.StreamResponse:  # noqa: ANN001
    """Answer errors by their kind, without anything that strangers should not read."""
    try:
        return await handler(request)
    except ToAPIsError as error:
        body = problem(error)
        return web.json_response(body, status=body["status"], headers=headers(error), content_type=MEDIA_TYPE)


@routes.post("/posters")
async def order(request: web.Request) -> web.Response:
    """Take an order."""
    wish = await request.json()
    job = await request.app[JOBS].submit(ImageRequest(wish["prompt"]), id=request.headers.get("Idempotency-Key"))
    return web.json_response({"id": job.id, "state": job.state}, status=202)


@routes.get("/posters/{id}")
async def state(request: web.Request) -> web.Response:
    """Tell how an order stands, at once or, with ``?wait=20``, when it has ended."""
    seconds = float(request.query.get("wait", 0))
    job = await request.app[JOBS].wait(request.match_info["id"], timeout_seconds=seconds)
    if job is None:
        raise web.HTTPNotFound
    return web.json_response({"id": job.id, "state": job.state, "files": len(job.result.files)})


@routes.get("/posters/{id}/picture")
async def picture(request: web.Request) -> web.FileResponse:
    """Send the picture."""
    job = await request.app[JOBS].find(request.match_info["id"])
    if job is None or not job.result.files:
        raise web.HTTPNotFound
    return web.FileResponse(job.result.files[0].path, headers={"X-Content-Type-Options": "nosniff"})


def make_app() -> web.Application:
    """Put the application together."""
    app = web.Application(middlewares=[errors])
    app.cleanup_ctx.append(toapis)
    app.router.add_post("/toapis", inbox.aiohttp_handler)
    app.add_routes(routes)
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=int(sys.argv[1]), shutdown_timeout=1)
