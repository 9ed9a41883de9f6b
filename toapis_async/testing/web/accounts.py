"""Balance, models, tokens, and the paths that are only there to refuse."""

import itertools

from aiohttp import web

from toapis_async.testing.gateway import model_list
from toapis_async.testing.gateway.replies.answers import Answer, json_answer
from toapis_async.testing.gateway.replies.refusals import REFUSALS, invalid_url, prompt_required
from toapis_async.testing.gateway.submissions import request_parsing
from toapis_async.testing.gateway.tokens import new_token
from toapis_async.testing.web.responder import Responder


def account_routes(responder: Responder) -> list[web.RouteDef]:
    """Balance, models, tokens and chat."""
    numbers = itertools.count(1)

    async def balance(request: web.Request) -> web.Response:
        return await _balance(responder, request)

    async def models(request: web.Request) -> web.Response:
        responder.record_request(request, "models")
        if responder.authenticate(request) is None:
            return responder.unauthorized(request, "models")
        kind = request.query.get("type", "text")
        return await responder.answer(
            request,
            "models",
            kind,
            lambda _: json_answer(model_list.listing(kind, responder.gateway.scenario.unrouted_models)),
        )

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
        responder.record_request(request, "chat")
        if responder.authenticate(request) is None:
            return responder.unauthorized(request, "chat")
        return responder.respond("chat", _chat(request_parsing.document(await request.read())))

    return [
        *(web.get(f"{prefix}{path}", balance) for prefix in ("", "/v1") for path in ("/balance", "/user/balance")),
        web.get("/v1/models", models),
        web.post("/v1/tokens", token),
        *(web.post(f"/v1/{path}", chat) for path in ("chat/completions", "responses", "messages")),
    ]


def _chat(body: dict[str, object] | Answer) -> Answer:
    """No model talks here: those that make images and videos cannot, and the others are not simulated."""
    if isinstance(body, Answer):
        return body
    model = body.get("model")
    if not isinstance(model, str) or not model:
        return prompt_required("model")
    if model in model_list.kinds():
        return REFUSALS["invalid_apitype"]
    return REFUSALS["no_text_models" if model_list.is_text_model(model) else "model_not_found"]


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
