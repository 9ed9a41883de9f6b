"""Webhooks: an inbox that is mounted in a web application."""

from typing import assert_type

from aiohttp import web

from toapis_async import WebhookEvent
from toapis_async.webhooks import RedisWebhookInbox, WebhookInbox


def hear(event: WebhookEvent) -> None:
    assert_type(event.id, str)


async def mounted(body: bytes, headers: dict[str, str]) -> None:
    inbox = WebhookInbox(secrets="whsec")
    assert_type(await inbox.receive(body, headers), int)
    app = web.Application()
    app.router.add_post("/toapis", inbox.aiohttp_handler)
    inbox.asgi()
    WebhookInbox(["new", "old"], on_event=hear)
    async with RedisWebhookInbox("redis://127.0.0.1", secrets="whsec") as shared:
        assert_type(shared, RedisWebhookInbox)
