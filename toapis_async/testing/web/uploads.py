"""Reference files that users send."""

import itertools

from aiohttp import BodyPartReader, web

from toapis_async.testing.gateway import uploads
from toapis_async.testing.gateway.replies.answers import Answer
from toapis_async.testing.gateway.replies.refusals import not_a_success
from toapis_async.testing.web.responder import Responder


def upload_routes(responder: Responder) -> list[web.RouteDef]:
    """Images and videos, each at its own path."""
    numbers = itertools.count(1)

    async def image(request: web.Request) -> web.Response:
        return await _upload(responder, request, "image", next(numbers))

    async def video(request: web.Request) -> web.Response:
        return await _upload(responder, request, "video", next(numbers))

    return [web.post("/v1/uploads/images", image), web.post("/v1/uploads/videos", video)]


async def _upload(responder: Responder, request: web.Request, kind: str, number: int) -> web.Response:
    gateway = responder.gateway
    responder.record_request(request, "upload")
    account = responder.authenticate(request)
    if account is None:
        return responder.unauthorized(request, "upload")
    content = await _file_of(request)

    def make(_: object) -> Answer:
        if content is None:
            return not_a_success("No file uploaded")
        upload = uploads.store(content, kind, account.user_id, gateway.clock.now(), number)
        if isinstance(upload, Answer):
            return upload
        gateway.uploads[upload.path] = upload
        gateway.books.bytes_uploaded += len(content)
        return uploads.stored(upload, gateway.base_url)

    return await responder.answer(request, "upload", "", make)


async def _file_of(request: web.Request) -> bytes | None:
    """The form's ``file``; None when there is none."""
    if not request.content_type.startswith("multipart/"):
        return None
    content = None
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == "file":
            content = bytes(await part.read())
    return content
