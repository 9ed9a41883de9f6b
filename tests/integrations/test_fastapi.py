"""The FastAPI parts, in one process, over the real protocol of ASGI."""

import asyncio
import json
import stat

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest
from toapis_async.integrations.fastapi import (
    Client,
    Jobs,
    JobView,
    answer_errors,
    job_router,
    lifespan,
    take_webhooks,
)
from toapis_async.testing import Constant, Fail, Fault, Refuse, Scenario, Simulator
from toapis_async.webhooks import WebhookInbox


class Wish(BaseModel):
    prompt: str
    size: str = "1:1"
    output_format: str | None = None


@pytest.fixture
def app_of(tmp_path):
    """Make an application and a browser for it; inside it lives."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def run(**settings):
        settings = {"files": "small", "latency": Constant(0.05), **settings}
        async with Simulator(Scenario(**settings)) as sim:
            inbox = WebhookInbox("s" * 32)

            def client():
                options = {"rate_limits": None, "polling": FixedPolling(0.05), "webhooks": inbox}
                return AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url, **options)

            app = FastAPI(lifespan=lifespan(client, tmp_path / "jobs"))
            take_webhooks(app, "/toapis", inbox)
            app.include_router(job_router(), prefix="/jobs")
            answer_errors(app)

            @app.post("/jobs", status_code=202)
            async def order(wish: Wish, jobs: Jobs) -> JobView:
                return JobView.of(await jobs.submit(ImageRequest(wish.prompt, size=wish.size)))

            @app.post("/now")
            async def now(wish: Wish, client: Client) -> str:
                return (await client.images.generate(ImageRequest(wish.prompt))).id

            async with app.router.lifespan_context(app):
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://app") as browser:
                    yield sim, browser, app

    return run


async def ended(browser, job_id):
    while (job := (await browser.get(f"/jobs/{job_id}")).json())["state"] not in {"saved", "failed"}:
        await asyncio.sleep(0.01)
    return job


async def test_a_job_from_its_order_to_its_file(app_of):
    """202 with an id, a state to ask for, a file with its type, and neither prompt nor path in anything."""
    async with app_of() as (_, browser, _):
        ordered = await browser.post("/jobs", json={"prompt": "a secret fox"})
        assert (ordered.status_code, ordered.json()["state"]) == (202, "queued")
        job = await ended(browser, ordered.json()["id"])
        picture = await browser.get(f"/jobs/{job['id']}/files/0")
        assert (await browser.get(f"/jobs/{job['id']}/files/1")).status_code == 404
        assert (await browser.get(f"/jobs/{job['id']}/files/-1")).status_code == 404
    assert (job["state"], job["error"]) == ("saved", None)
    assert (picture.headers["content-type"], len(picture.content)) == (
        job["files"][0]["mime"],
        job["files"][0]["bytes"],
    )
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert picture.headers["etag"] == f'"{job["files"][0]["sha256"]}"'
    assert "secret" not in json.dumps(job)
    assert "worker-0" not in json.dumps(job)


async def test_a_job_is_told_as_it_changes(app_of):
    """Server-sent events: each state once, the last one last, and the stream ends."""
    async with app_of(latency=Constant(0.3)) as (_, browser, _):
        job_id = (await browser.post("/jobs", json={"prompt": "a fox"})).json()["id"]
        told = await browser.get(f"/jobs/{job_id}/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    events = [part.split("\n") for part in told.text.strip().split("\n\n")]
    names = [lines[0].removeprefix("event: ") for lines in events]
    assert names == [json.loads(lines[1].removeprefix("data: "))["state"] for lines in events]
    assert names[-1] == "saved"
    assert sorted(set(names), key=names.index) == names


async def test_what_is_not_there_is_not_found(app_of):
    """An unknown job has no state, no events and no files, whatever it is called."""
    async with app_of() as (_, browser, _):
        for path in ("nobody", "nobody/events", "nobody/files/0", "%2e%2e%2fjobs.sqlite3", "a%00b"):
            assert (await browser.get(f"/jobs/{path}")).status_code == 404


async def test_errors_are_answered_by_their_kind(app_of):
    """A wrong request is the caller's, a refusal is the service's; the body is a problem as RFC 9457 has it."""
    refused = Fault(where="submit", what=Refuse(reply="insufficient_quota"))
    async with app_of(faults=[refused]) as (_, browser, _):
        wrong = await browser.post("/jobs", json={"prompt": "a fox", "size": "7:77"})
        poor = await browser.post("/now", json={"prompt": "a fox"})
    assert (wrong.status_code, wrong.headers["content-type"]) == (422, "application/problem+json")
    assert "size" in wrong.json()["violations"][0]
    assert (poor.status_code, poor.json()["error"]) == (503, "InsufficientQuotaError")


async def test_a_failed_job_says_so_in_our_words(app_of):
    """The gateway's words stay inside."""
    failed = Fault(where="task", what=Fail(message="the prompt 'a fox' is bad"))
    async with app_of(faults=[failed]) as (_, browser, _):
        job = await ended(browser, (await browser.post("/jobs", json={"prompt": "a fox"})).json()["id"])
    assert (job["state"], job["error"], job["files"]) == ("failed", "TaskFailedError", [])
    assert "a fox" not in json.dumps(job)


async def test_webhooks_are_taken_at_their_very_path(app_of):
    """No redirect, which the gateway does not follow; forgeries are refused, other methods too."""
    async with app_of() as (_, browser, _):
        assert (await browser.post("/toapis", content=b"{}")).status_code == 400
        assert (await browser.get("/toapis")).status_code == 405
        assert (await browser.post("/toapis", content=b"x" * 2_000_000)).status_code == 413


async def test_an_svg_is_not_shown_in_place(app_of):
    """It is a program of whoever drew it: it is handed over as a file."""
    async with app_of(image_format="svg") as (_, browser, app):
        job = await ended(browser, (await browser.post("/jobs", json={"prompt": "a fox"})).json()["id"])
        picture = await browser.get(f"/jobs/{job['id']}/files/0")
        assert picture.headers["content-type"].startswith("image/svg+xml")
        assert picture.headers["content-disposition"].startswith("attachment")
        assert stat.S_ISREG((app.state.toapis_jobs.directory / "jobs.sqlite3").stat().st_mode)


async def test_delete_cancels_what_has_not_been_sent(app_of):
    """An order in line is cancelled; one that is made, or is there, is answered with 409 and stays."""
    async with app_of(latency=Constant(0.1)) as (sim, browser, app):
        app.state.toapis_jobs._own.session.pause()
        ids = [(await browser.post("/jobs", json={"prompt": f"fox {n}"})).json()["id"] for n in range(20)]
        last = await browser.delete(f"/jobs/{ids[-1]}")
        assert (last.status_code, last.json()["state"]) == (200, "cancelled")
        assert (await browser.delete(f"/jobs/{ids[-1]}")).json()["state"] == "cancelled"
        assert (await browser.delete("/jobs/nobody")).status_code == 404
        app.state.toapis_jobs._own.session.unpause()
        assert (await ended(browser, ids[0]))["state"] == "saved"
        first = await browser.delete(f"/jobs/{ids[0]}")
        assert (first.status_code, first.json()["state"]) == (409, "saved")
        for job_id in ids[:-1]:
            await ended(browser, job_id)
        assert sim.books.accepted == 19
