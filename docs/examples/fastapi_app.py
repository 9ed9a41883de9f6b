"""Posters on order: ``uvicorn fastapi_app:app --workers 2 --timeout-graceful-shutdown 1``.

``POST /posters`` answers 202 with an id at once; ``GET /posters/{id}`` tells how it stands, ``/posters/{id}/events``
tells it as it changes, ``/posters/{id}/files/0`` is the picture. The gateway's webhooks go to ``/toapis``.
"""

import gc
import os
from typing import Annotated

from fastapi import FastAPI, Header
from pydantic import BaseModel, Field

from toapis_async import AsyncToAPIs, ImageRequest
from toapis_async.integrations.fastapi import (
    Client,
    Jobs,
    JobView,
    answer_errors,
    job_router,
    lifespan,
    take_webhooks,
)
from toapis_async.limits import SharedRateLimits
from toapis_async.webhooks import RedisWebhookInbox

# Shared by the workers: a webhook reaches any of them.
inbox = RedisWebhookInbox(os.environ["REDIS_URL"], secrets=os.environ["TOAPIS_WEBHOOK_SECRET"])


def open_client() -> AsyncToAPIs:
    """Make each worker's client; they keep the limits of the account together."""
    gc.freeze()  # what was loaded stays: full collections need not walk it, and pause the event loop for less long
    return AsyncToAPIs(webhooks=inbox, rate_limits=SharedRateLimits.on_this_machine())


app = FastAPI(lifespan=lifespan(open_client, os.environ["POSTERS"], beside=[inbox]))
take_webhooks(app, "/toapis", inbox)
app.include_router(job_router(), prefix="/posters")
answer_errors(app)


class Poster(BaseModel):
    """What a customer may wish for."""

    prompt: str = Field(max_length=2000)
    size: str = "1:1"


@app.post("/posters", status_code=202)
async def order(poster: Poster, jobs: Jobs, idempotency_key: Annotated[str | None, Header()] = None) -> JobView:
    """Take an order; the same key again, after a lost answer, is the same order."""
    request = ImageRequest(poster.prompt, size=poster.size, priority=0)
    return JobView.of(await jobs.submit(request, id=idempotency_key))


@app.get("/health")
async def health(client: Client) -> dict[str, int]:
    """Tell a few figures of this worker."""
    metrics = client.metrics()
    return {"pid": os.getpid(), "in_flight": metrics.in_flight, "looks": metrics.looks, "saved": metrics.saved}
