"""Submitting tasks and asking about them."""

from collections.abc import Mapping
from typing import Literal

from aiohttp import web

from toapis_async.testing.gateway.model_list import Product
from toapis_async.testing.gateway.replies.answers import Answer
from toapis_async.testing.gateway.replies.refusals import REFUSALS
from toapis_async.testing.gateway.replies.result_bodies import INLINE, url_form
from toapis_async.testing.gateway.replies.status_bodies import status
from toapis_async.testing.gateway.submissions import request_parsing
from toapis_async.testing.gateway.submitting import allowance, rated, submit
from toapis_async.testing.gateway.tasks import SimulatedTask
from toapis_async.testing.web.responder import Faults, Responder
from toapis_async.testing.web.webhooks import WebhookSender
from toapis_async.values.tasks import Kind


def task_routes(responder: Responder, webhooks: WebhookSender) -> list[web.RouteDef]:
    """Submissions, status queries, remixes and extensions; the singular ``video`` path is an alias."""

    async def image(request: web.Request) -> web.Response:
        return await _submission(responder, webhooks, request, "image")

    async def video(request: web.Request) -> web.Response:
        return await _submission(responder, webhooks, request, "video")

    async def remix(request: web.Request) -> web.Response:
        return await _submission(responder, webhooks, request, "video", request.match_info["video_id"])

    async def image_status(request: web.Request) -> web.Response:
        return await _look(responder, request, "image")

    async def video_status(request: web.Request) -> web.Response:
        return await _look(responder, request, "video")

    async def character_status(request: web.Request) -> web.Response:
        return await _look(responder, request, "character")

    return [
        web.post("/v1/images/generations", image),
        web.post("/v1/images/edits", image),
        web.post("/v1/videos/generations", video),
        web.post("/v1/video/generations", video),
        web.post("/v1/videos/{video_id}/remix", remix),
        web.post("/v1/videos/{video_id}/extend", remix),
        web.get("/v1/images/generations/{name}", image_status),
        web.get("/v1/videos/generations/{name}", video_status),
        web.get("/v1/video/generations/{name}", video_status),
        web.get("/v1/characters_tasks/{name}", character_status),
    ]


async def _submission(
    responder: Responder, webhooks: WebhookSender, request: web.Request, kind: Kind, source_id: str | None = None
) -> web.Response:
    gateway = responder.gateway
    responder.record_request(request, "submit")
    body = await _body(request)
    known: Mapping[str, object] = {} if isinstance(body, Answer) else body
    prompt = request_parsing.prompt_of(known)
    for entry in gateway.entries(prompt, request_parsing.client_id_of(known)):
        entry.posts += 1
    account = responder.authenticate(request)
    if account is None:
        return responder.unauthorized(request, "submit")
    source: SimulatedTask | None = None
    if source_id is not None:
        source = gateway.find(account, "video", source_id)
        if source is None:
            return responder.respond("submit", REFUSALS["task_not_found"])

    def make(faults: Faults) -> Answer:
        answer = submit(gateway, account, body, kind, source)
        if answer.task_id is not None:
            webhooks.watch(gateway.tasks[answer.task_id], account)
        return answer

    return await responder.answer(request, "submit", prompt, make)


async def _body(request: web.Request) -> dict[str, object] | Answer:
    """JSON, or the multipart form of ``/v1/images/edits``, whose fields are texts."""
    if request.content_type != "multipart/form-data":
        return request_parsing.document(await request.read())
    form = await request.post()
    body: dict[str, object] = {}
    for name, value in form.items():
        if not isinstance(value, str):
            return REFUSALS["invalid_request"]
        body[name] = int(value) if name == "n" and value.isdecimal() else value
    return body


async def _look(responder: Responder, request: web.Request, kind: Product) -> web.Response:
    gateway = responder.gateway
    name = request.match_info["name"]
    known = gateway.tasks.get(name)
    where: Literal["query", "lookup"] = "query" if known is not None else "lookup"
    responder.record_request(request, where)
    account = responder.authenticate(request)
    if account is None:
        return responder.unauthorized(request, where)
    task = gateway.find(account, kind, name)
    if task is not None:
        for entry in gateway.entries(task.prompt, task.client_business_id):
            entry.looks += 1

    def make(faults: Faults) -> Answer:
        refused = allowance(gateway, account.query)
        if refused is not None:
            return refused
        if task is None:
            return rated(gateway, account.query, REFUSALS["task_not_found"])
        gateway.renew_links(task)
        now = gateway.clock.now()
        body = status(task, gateway.scenario, gateway.file_url, now, faults)
        if task.ended(now) and url_form(gateway.scenario, faults) in INLINE:
            gateway.enter_download(task)
        return rated(gateway, account.query, Answer(200, body))

    return await responder.answer(request, where, task.prompt if task is not None else name, make)
