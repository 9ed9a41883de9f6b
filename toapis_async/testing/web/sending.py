"""Sending a file, whole or replaced."""

import attrs
from aiohttp import web

from toapis_async.clock import Clock
from toapis_async.testing.scenario.misbehaviour import Misbehaviour, Reset, SlowFile, Truncate
from toapis_async.testing.web.responder import reset

_CHUNK_BYTES = 65_536
_SLOW_STEP_SECONDS = 0.1


@attrs.frozen
class FileReply:
    """What a file request gets.

    Attributes:
        http_status: 200, 206 or 416.
        part: the bytes.
        headers: with type, ETag and range.
        reaches_end: whether the part goes to the end of the file.

    """

    http_status: int
    part: bytes = attrs.field(repr=False)
    headers: dict[str, str]
    reaches_end: bool = attrs.field(kw_only=True)


async def send(
    request: web.Request, reply: FileReply, faults: tuple[Misbehaviour, ...], clock: Clock
) -> tuple[web.StreamResponse, int]:
    """Send it; returns the response and how many bytes of the file went out."""
    if request.method == "HEAD":
        return web.Response(status=reply.http_status, body=reply.part, headers=reply.headers), 0
    if not faults and len(reply.part) <= _CHUNK_BYTES:
        return web.Response(status=reply.http_status, body=reply.part, headers=reply.headers), len(reply.part)
    cut = next((fault for fault in faults if isinstance(fault, Truncate | Reset)), None)
    slow = next((fault for fault in faults if isinstance(fault, SlowFile)), None)
    response = web.StreamResponse(status=reply.http_status, headers=reply.headers)
    if isinstance(cut, Truncate) and not cut.declared:
        response.enable_chunked_encoding()
    else:
        response.content_length = len(reply.part)
    part = reply.part if cut is None else reply.part[: int(len(reply.part) * cut.fraction)]
    sent = 0
    try:
        await response.prepare(request)
        sent = await _pour(response, part, None if slow is None else slow.bytes_per_second, clock)
        await _end(request, response, cut, clock)
    except ConnectionError:
        # The other side has gone; the books say how far it came.
        return response, sent
    return response, sent


async def _pour(response: web.StreamResponse, part: bytes, bytes_per_second: float | None, clock: Clock) -> int:
    step = _CHUNK_BYTES if bytes_per_second is None else max(1, int(bytes_per_second * _SLOW_STEP_SECONDS))
    for start in range(0, len(part), step):
        await response.write(part[start : start + step])
        if bytes_per_second is not None:
            await clock.sleep(_SLOW_STEP_SECONDS)
    return len(part)


async def _end(request: web.Request, response: web.StreamResponse, cut: Truncate | Reset | None, clock: Clock) -> None:
    transport = request.transport
    if cut is None or (isinstance(cut, Truncate) and not cut.declared):
        await response.write_eof()
    elif transport is not None and isinstance(cut, Truncate):
        transport.close()
    elif transport is not None:
        while transport.get_write_buffer_size() and not transport.is_closing():
            await clock.sleep(0.001)
        reset(request)
