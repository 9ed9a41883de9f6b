"""The file host: no key wanted, Range and ETag honoured, dead links refused."""

import re
import zlib

import attrs
from aiohttp import web

from toapis_async.testing.gateway.replies.answers import Answer
from toapis_async.testing.gateway.replies.refusals import REFUSALS
from toapis_async.testing.gateway.replies.result_bodies import media_type
from toapis_async.testing.gateway.state import Gateway
from toapis_async.testing.gateway.tasks import ResultFile, SimulatedTask
from toapis_async.testing.scenario import misbehaviour as may
from toapis_async.testing.web.file_store import FileStore
from toapis_async.testing.web.responder import Faults, Responder
from toapis_async.testing.web.sending import FileReply, send

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def file_routes(responder: Responder, store: FileStore) -> list[web.RouteDef]:
    """The paths under which result files and uploads lie."""

    async def result(request: web.Request) -> web.StreamResponse:
        return await _result(responder, store, request)

    async def upload(request: web.Request) -> web.StreamResponse:
        responder.record_request(request, "file")
        found = responder.gateway.uploads.get(request.path)
        if found is None:
            return responder.respond("file", Answer(404, b"not found", "text/plain"))
        return responder.respond("file", Answer(200, found.content, found.mime_type))

    return [
        web.get("/generated/{name}", result),
        web.get("/images/{task_id}/{name}", result),
        web.get("/videos/{task_id}/{name}", result),
        web.get("/f/image/{name}", result),
        web.get("/uploads/{path:.+}", upload),
    ]


async def _result(responder: Responder, store: FileStore, request: web.Request) -> web.StreamResponse:
    gateway = responder.gateway
    responder.record_request(request, "file")
    found = gateway.files.get(request.path)
    if found is None:
        return responder.respond("file", Answer(404, b"not found", "text/plain"))
    task, file = found
    faults = gateway.faults.strike("file", task.prompt)
    refused = _refused(gateway, task, file, faults)
    if refused is not None:
        return responder.respond("file", refused)
    return await _sent(responder, store, request, task, file, faults)


def _refused(gateway: Gateway, task: SimulatedTask, file: ResultFile, faults: Faults) -> Answer | None:
    now = gateway.clock.now()
    for fault in faults:
        if isinstance(fault, may.ForbiddenUntilLookup):
            file.forbidden, file.renew = True, fault.fresh_url
    if file.forbidden or now >= task.expires_at or task.failure is not None:
        return REFUSALS["file_expired"]
    if not task.ended(now):
        return Answer(404, b"not found", "text/plain")
    return None


async def _sent(
    responder: Responder, store: FileStore, request: web.Request, task: SimulatedTask, file: ResultFile, faults: Faults
) -> web.StreamResponse:
    gateway = responder.gateway

    async def make(content_type: str) -> FileReply:
        content = await store.content(task, file)
        return _ranged(request, content, content_type, honoured=gateway.scenario.ranges)

    content_type = media_type(file.path)
    for fault in faults:
        if isinstance(fault, may.HtmlFile):
            return responder.respond("file", REFUSALS["html_200"])
        if isinstance(fault, may.WrongType):
            content_type = fault.content_type
    general = tuple(f for f in faults if isinstance(f, may.Refuse | may.Reply | may.Drop | may.Delay))
    replaced = await responder.apply_faults(request, "file", general)
    if replaced is not None:
        return replaced
    reply = await make(content_type)
    gateway.books.replies["file", reply.http_status] += 1
    response, sent = await send(request, reply, faults, gateway.clock)
    gateway.books.bytes_sent += sent
    if reply.reaches_end and sent == len(reply.part):
        gateway.enter_download(task)
    return response


def _ranged(request: web.Request, content: bytes, content_type: str, *, honoured: bool) -> FileReply:
    total, etag = len(content), f'"{zlib.crc32(content):08x}-{len(content):x}"'
    headers = {"Content-Type": content_type, "ETag": etag}
    whole = FileReply(200, content, {**headers, "Accept-Ranges": "bytes" if honoured else "none"}, reaches_end=True)
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if not honoured or asked is None or request.headers.get("If-Range", etag) != etag:
        return whole
    first, last = _bounds(asked[1], asked[2], total)
    if first >= total or first > last:
        return FileReply(416, b"", {**headers, "Content-Range": f"bytes */{total}"}, reaches_end=False)
    headers["Content-Range"] = f"bytes {first}-{last}/{total}"
    return attrs.evolve(
        whole, http_status=206, part=content[first : last + 1], headers=headers, reaches_end=last == total - 1
    )


def _bounds(first: str, last: str, total: int) -> tuple[int, int]:
    if not first:
        return (max(0, total - int(last)), total - 1) if last else (total, total)
    return int(first), min(total - 1, int(last)) if last else total - 1
