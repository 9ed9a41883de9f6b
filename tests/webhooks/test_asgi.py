"""The ASGI application, mounted in FastAPI and on its own."""

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Route

from toapis_async.webhooks import WebhookInbox


@pytest.fixture
def inbox(secret):
    """An inbox with one secret."""
    return WebhookInbox(secret, max_body_bytes=5000)


def client(app):
    """A caller of an application, without a socket."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://app")


async def test_a_route_of_starlette_takes_it_at_exactly_its_path(inbox, delivery):
    """No redirect stands between the gateway and the inbox."""
    body, headers = delivery()
    async with client(Starlette(routes=[Route("/toapis", inbox.asgi())])) as http:
        assert [(await http.post("/toapis", content=body, headers=headers)).status_code] == [200]
        assert (await http.get("/toapis")).status_code == 405
    assert (await inbox.news("tsk_1", 0)).id == "tsk_1"


async def test_it_mounts_in_fastapi(inbox, delivery):
    """A POST below the mount is a delivery, with or without a slash."""
    app = FastAPI()
    app.mount("/toapis", inbox.asgi())
    body, headers = delivery()
    async with client(app) as http:
        replies = [await http.post(path, content=body, headers=headers) for path in ("/toapis", "/toapis/")]

    statuses = {reply.status_code for reply in replies}
    assert statuses <= {200, 307}  # Starlette may redirect the one without a slash
    assert 200 in statuses
    assert (await inbox.news("tsk_1", 0)).id == "tsk_1"


@pytest.mark.parametrize(("method", "status"), [("GET", 405), ("PUT", 405), ("POST", 400)])
async def test_anything_else_is_refused_without_detail(inbox, method, status):
    """No body says why."""
    async with client(inbox.asgi()) as http:
        reply = await http.request(method, "/")

    assert (reply.status_code, reply.content) == (status, b"")


async def test_a_large_body_is_refused_before_its_end(inbox):
    """What is over the limit is not read on."""
    read = []

    async def receive():
        read.append(1)
        return {"type": "http.request", "body": b"x" * 4000, "more_body": True}

    sent = []

    async def send(message):
        sent.append(message)

    await inbox.asgi()({"type": "http", "method": "POST", "headers": []}, receive, send)

    assert sent[0]["status"] == 413
    assert len(read) == 2


async def test_a_caller_that_goes_away_is_not_answered(inbox):
    """A body that breaks off is no delivery."""
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await inbox.asgi()({"type": "http", "method": "POST", "headers": []}, receive, send)

    assert sent == []


async def test_it_lives_on_its_own(inbox):
    """A server's start and stop are answered, and a websocket is closed."""
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent = []

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message["type"])

    await inbox.asgi()({"type": "lifespan"}, receive, send)
    await inbox.asgi()({"type": "websocket"}, receive, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]
