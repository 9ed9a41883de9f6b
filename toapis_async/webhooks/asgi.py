"""The smallest ASGI application that takes webhooks: a POST in, a status out."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TypeAlias

Message: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[MutableMapping[str, object], Receive, Send], Awaitable[None]]
Take: TypeAlias = Callable[[bytes, Mapping[str, str]], Awaitable[int]]


class WebhookApp:
    """The application; an object, since Starlette takes a function for an endpoint of its own kind.

    Args:
        take: takes a body and its headers, and returns the status.
        max_body_bytes: a longer body is refused before it has been read to its end.

    """

    def __init__(self, take: Take, *, max_body_bytes: int) -> None:
        self._take = take
        self._most = max_body_bytes

    async def __call__(self, scope: MutableMapping[str, object], receive: Receive, send: Send) -> None:
        """Answer one request, or live as long as a server."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif scope.get("method") != "POST":
            await _answer(send, 405)
        else:
            body = await _whole(receive, self._most)
            if body is not None:
                await _answer(send, 413 if len(body) > self._most else await self._take(body, _headers(scope)))


async def _whole(receive: Receive, most: int) -> bytes | None:
    """Read a body, or a little more than the most; None when the other side has gone."""
    parts, size, more = [], 0, True
    while more and size <= most:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        if isinstance(part, bytes):
            parts.append(part)
            size += len(part)
        more = bool(message.get("more_body", False))
    return b"".join(parts)


def _headers(scope: MutableMapping[str, object]) -> dict[str, str]:
    pairs = scope.get("headers")
    if not isinstance(pairs, list | tuple):
        return {}
    return {bytes(name).decode("latin-1"): bytes(value).decode("latin-1") for name, value in pairs}


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0")]
    if status == 413:
        headers.append((b"connection", b"close"))  # the rest of the body is not read
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
