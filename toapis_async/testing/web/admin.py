"""Looking into the simulator from outside: the books and the clock. Not part of the gateway."""

from aiohttp import web

from toapis_async.testing.gateway.answers import said
from toapis_async.testing.gateway.refusals import wrong_field
from toapis_async.testing.moving_clock import MovingClock
from toapis_async.testing.web.desk import Desk


def admin_routes(desk: Desk, clock: MovingClock) -> list[web.RouteDef]:
    """``GET /__admin/books`` and ``POST /__admin/clock`` with ``{"advance": seconds}``."""

    async def books(request: web.Request) -> web.Response:
        desk.gateway.settle()
        return desk.respond("admin", said(desk.gateway.books.as_document()))

    async def push(request: web.Request) -> web.Response:
        try:
            wanted = await request.json()
            clock.advance(float(wanted["advance"]))
        except (ValueError, TypeError, KeyError):
            return desk.respond("admin", wrong_field("advance", 'send {"advance": seconds}, zero or more'))
        return desk.respond("admin", said({"now": clock.now()}))

    return [web.get("/__admin/books", books), web.post("/__admin/clock", push)]
