"""Webhooks taken by an aiohttp application."""

from aiohttp import web

from toapis_async.webhooks.asgi import Take
from toapis_async.webhooks.receiving import TOO_LARGE


async def answer(request: web.Request, take: Take, *, max_body_bytes: int) -> web.Response:
    """Answer a delivery with the status that ``take`` gives it, and an empty body."""
    parts, size = [], 0
    async for part in request.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > max_body_bytes:
            return web.Response(status=TOO_LARGE)
    return web.Response(status=await take(b"".join(parts), request.headers))
