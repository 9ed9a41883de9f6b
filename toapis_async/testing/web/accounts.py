"""Balance, models, tokens, uploads, and the paths that are only there to refuse."""

import itertools

from aiohttp import BodyPartReader, web

from toapis_async.testing.gateway import offers, reading, uploads
from toapis_async.testing.gateway.answers import Answer, said
from toapis_async.testing.gateway.refusals import REFUSALS, invalid_url, not_a_success
from toapis_async.testing.gateway.tokens import new_token
from toapis_async.testing.web.desk import Desk


def account_routes(desk: Desk) -> list[web.RouteDef]:
    """The routes of contract §2, rows 8 to 13."""
    numbers = itertools.count(1)

    async def balance(request: web.Request) -> web.Response:
        return await _balance(desk, request)

    async def models(request: web.Request) -> web.Response:
        desk.note(request, "models")
        if desk.account(request) is None:
            return desk.unauthorized(request, "models")
        kind = request.query.get("type", "text")
        return await desk.answer(request, "models", kind, lambda _: said(offers.listing(kind)))

    async def upload_image(request: web.Request) -> web.Response:
        return await _upload(desk, request, "image", next(numbers))

    async def upload_video(request: web.Request) -> web.Response:
        return await _upload(desk, request, "video", next(numbers))

    async def token(request: web.Request) -> web.Response:
        desk.note(request, "tokens")
        account = desk.account(request)
        if account is None:
            return desk.respond("tokens", REFUSALS["unauthorized_numeric"])
        body = reading.document(await request.read())
        if isinstance(body, Answer):
            return desk.respond("tokens", body)
        return desk.respond("tokens", new_token(desk.gateway, account, body, desk.rng, next(numbers)))

    async def chat(request: web.Request) -> web.Response:
        desk.note(request, "other")
        return desk.respond("other", REFUSALS["invalid_apitype"])

    return [
        *(web.get(f"{prefix}{path}", balance) for prefix in ("", "/v1") for path in ("/balance", "/user/balance")),
        web.get("/v1/models", models),
        web.post("/v1/tokens", token),
        web.post("/v1/uploads/images", upload_image),
        web.post("/v1/uploads/videos", upload_video),
        *(web.post(f"/v1/{path}", chat) for path in ("chat/completions", "responses", "messages")),
    ]


def last_route(desk: Desk) -> web.RouteDef:
    """Whatever is nowhere else, a doubled ``/v1`` above all."""

    async def nowhere(request: web.Request) -> web.Response:
        desk.note(request, "other")
        return desk.respond("other", invalid_url(request.method, request.path))

    return web.route("*", "/{path:.*}", nowhere)


async def _balance(desk: Desk, request: web.Request) -> web.Response:
    desk.note(request, "balance")
    account = desk.account(request)
    if account is None:
        return desk.respond("balance", REFUSALS["unauthorized_numeric"])
    desk.gateway.settle()
    return await desk.answer(request, "balance", "", lambda _: said(account.balance()))


async def _upload(desk: Desk, request: web.Request, kind: str, number: int) -> web.Response:
    gateway = desk.gateway
    desk.note(request, "upload")
    account = desk.account(request)
    if account is None:
        return desk.unauthorized(request, "upload")
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

    return await desk.answer(request, "upload", "", make)


async def _file_of(request: web.Request) -> bytes | None:
    """The form's ``file``; None when there is none."""
    if not request.content_type.startswith("multipart/"):
        return None
    content = None
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == "file":
            content = bytes(await part.read())
    return content
