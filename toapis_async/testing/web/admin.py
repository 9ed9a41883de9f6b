"""Looking into the simulator from outside: the books and the clock. Not part of the gateway."""

from aiohttp import web

from toapis_async.testing.gateway.replies.answers import json_answer
from toapis_async.testing.gateway.replies.refusals import wrong_field
from toapis_async.testing.simulator_clock import SimulatorClock
from toapis_async.testing.web.responder import Responder


def admin_routes(responder: Responder, clock: SimulatorClock) -> list[web.RouteDef]:
    """``GET /__admin/books`` and ``POST /__admin/clock`` with ``{"advance": seconds}``."""

    async def books(request: web.Request) -> web.Response:
        responder.gateway.settle()
        return responder.respond("admin", json_answer(responder.gateway.books.as_document()))

    async def push(request: web.Request) -> web.Response:
        try:
            wanted = await request.json()
            clock.advance(float(wanted["advance"]))
        except (ValueError, TypeError, KeyError):
            return responder.respond("admin", wrong_field("advance", 'send {"advance": seconds}, zero or more'))
        return responder.respond("admin", json_answer({"now": clock.now()}))

    return [web.get("/__admin/books", books), web.post("/__admin/clock", push)]
