"""Balance, models, tokens, uploads, and the paths that are only there to refuse."""

import itertools

from aiohttp import BodyPartReader, web

from toapis_async.testing.gateway import model_list, request_parsing, uploads
from toapis_async.testing.gateway.replies.answers import Answer, json_answer
from toapis_async.testing.gateway.replies.refusals import REFUSALS, invalid_url, not_a_success
from toapis_async.testing.gateway.tokens import new_token
from toapis_async.testing.web.responder import Responder


def account_routes(responder: Responder) -> list[web.RouteDef]:
    """Balance, models, tokens, uploads and chat."""
    numbers = itertools.count(1)

    async def balance(request: web.Request) -> web.Response:
        return await _balance(responder, request)

    async def models(request: web.Request) -> web.Response:
        responder.record_request(request, "models")
        if responder.authenticate(request) is None:
            return responder.unauthorized(request, "models")
        kind = request.query.get("type", "text")
        return await responder.answer(request, "models", kind, lambda _: json_answer(model_list.listing(kind)))

    async def upload_image(request: web.Request) -> web.Response:
        return await _upload(responder, request, "image", next(numbers))

    async def upload_video(request: web.Request) -> web.Response:
        return await _upload(responder, request, "video", next(numbers))

    async def token(request: web.Request) -> web.Response:
        responder.record_request(request, "tokens")
        account = responder.authenticate(request)
        if account is None:
            return responder.respond("tokens", REFUSALS["unauthorized_numeric"])
        body = request_parsing.document(await request.read())
        if isinstance(body, Answer):
            return responder.respond("tokens", body)
        return responder.respond("tokens", new_token(responder.gateway, account, body, responder.rng, next(numbers)))

    async def chat(request: web.Request) -> web.Response:
        responder.record_request(request, "other")
        return responder.respond("other", REFUSALS["invalid_apitype"])

    return [
        *(web.get(f"{prefix}{path}", balance) for prefix in ("", "/v1") for path in ("/balance", "/user/balance")),
        web.get("/v1/models", models),
        web.post("/v1/tokens", token),
        web.post("/v1/uploads/images", upload_image),
        web.post("/v1/uploads/videos", upload_video),
        *(web.post(f"/v1/{path}", chat) for path in ("chat/completions", "responses", "messages")),
    ]


def last_route(responder: Responder) -> web.RouteDef:
    """Whatever is nowhere else, a doubled ``/v1`` above all."""

    async def nowhere(request: web.Request) -> web.Response:
        responder.record_request(request, "other")
        return responder.respond("other", invalid_url(request.method, request.path))

    return web.route("*", "/{path:.*}", nowhere)


async def _balance(responder: Responder, request: web.Request) -> web.Response:
    responder.record_request(request, "balance")
    account = responder.authenticate(request)
    if account is None:
        return responder.respond("balance", REFUSALS["unauthorized_numeric"])
    responder.gateway.settle()
    return await responder.answer(request, "balance", "", lambda _: json_answer(account.balance()))


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
