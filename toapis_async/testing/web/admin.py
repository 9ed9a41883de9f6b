"""Looking into the simulator from outside: the books, the clock, the webhook. Not part of the gateway."""

import math
from typing import Protocol

from aiohttp import web

from toapis_async.errors import ConfigurationError
from toapis_async.testing.gateway.replies.answers import Answer, json_answer
from toapis_async.testing.gateway.replies.refusals import wrong_field
from toapis_async.testing.simulator_clock import SimulatorClock
from toapis_async.testing.web.responder import Responder


class Console(Protocol):
    """What can be set from outside."""

    clock: SimulatorClock

    def set_webhook(self, url: str, *, secret: str | None = None) -> str:
        """Set up the first user's webhook; returns the secret."""
        ...


def admin_routes(console: Console, responder: Responder) -> list[web.RouteDef]:
    """``GET /__admin/books``, ``POST /__admin/clock`` and ``POST /__admin/webhook``."""

    async def books(request: web.Request) -> web.Response:
        responder.gateway.settle()
        return responder.respond("admin", json_answer(responder.gateway.books.as_document()))

    async def advance(request: web.Request) -> web.Response:
        return responder.respond("admin", _advance(console, await _body(request)))

    async def webhook(request: web.Request) -> web.Response:
        return responder.respond("admin", _set_webhook(console, await _body(request)))

    return [
        web.get("/__admin/books", books),
        web.post("/__admin/clock", advance),
        web.post("/__admin/webhook", webhook),
    ]


async def _body(request: web.Request) -> dict[str, object]:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _advance(console: Console, body: dict[str, object]) -> Answer:
    seconds = body.get("advance")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        return wrong_field("advance", 'send {"advance": seconds}, zero or more')
    console.clock.advance(seconds)
    return json_answer({"now": console.clock.now()})


def _set_webhook(console: Console, body: dict[str, object]) -> Answer:
    url, secret = body.get("url"), body.get("secret")
    if not isinstance(url, str) or not isinstance(secret, str | None):
        return wrong_field("url", 'send {"url": "http://127.0.0.1:8000/hook"}, and "secret" if you have one')
    try:
        return json_answer({"secret": console.set_webhook(url, secret=secret)})
    except ConfigurationError as error:
        return wrong_field("url", str(error))
