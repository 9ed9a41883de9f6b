"""Values to HTTP requests."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, urlencode

import attrs

from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.request_types import wrong_types
from toapis_async.values.catalogue import Catalogue, Model
from toapis_async.values.exchange import HttpRequest, Purpose
from toapis_async.values.kinds import KINDS, kind_of
from toapis_async.values.limits import INTERACTIVE
from toapis_async.values.requests import GenerationRequest, ImageRequest, Reference, VideoRequest
from toapis_async.values.tasks import Kind
from toapis_async.wire.bodies import Body, body_of
from toapis_async.wire.multipart import form_data

JSON = "application/json"
_EDITS = "/images/edits"

_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_to_ascii_json = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def submission(request: GenerationRequest, *, catalogue: Catalogue, client_business_id: str) -> HttpRequest:
    """Encode a task to be made.

    Args:
        request: its references are addresses by now.
        catalogue: where each field goes; a model that is not in it is encoded as most models want it.
        client_business_id: of this attempt; nothing in ``extra`` replaces it.

    Raises:
        InvalidRequestError: a field cannot be encoded, or ``extra`` holds what JSON does not have.

    """
    model = catalogue.find(request.model)
    edits = model.edits if model is not None and isinstance(request, ImageRequest) else None
    if not isinstance(request, ImageRequest) or edits is None or not (edits.always or request.edit):
        return _post_json(kind_of(request).path, _body(request, model), client_business_id)
    if edits.form == "json":
        return _post_json(_EDITS, _body(request, model), client_business_id)
    body = _body(attrs.evolve(request, reference_images=()), model)
    return _post_form(body, edits.reference_place, request.reference_images, client_business_id)


def remix(video_id: str, request: VideoRequest, *, catalogue: Catalogue, client_business_id: str) -> HttpRequest:
    """Encode a remix of a finished video.

    Raises:
        InvalidRequestError: as ``submission()``.

    """
    return _follow_up(video_id, "remix", request, catalogue, client_business_id)


def extend(video_id: str, request: VideoRequest, *, catalogue: Catalogue, client_business_id: str) -> HttpRequest:
    """Encode a continuation of a finished video.

    Raises:
        InvalidRequestError: as ``submission()``.

    """
    return _follow_up(video_id, "extend", request, catalogue, client_business_id)


@lru_cache(maxsize=4096)
def lookup(task_id_or_client_business_id: str, *, kind: Kind, priority: int = INTERACTIVE) -> HttpRequest:
    """Encode a look at a task, by its id or by our own reference."""
    path = f"{KINDS[kind].path}/{_segment(task_id_or_client_business_id)}"
    return HttpRequest(method="GET", path=path, purpose=Purpose.QUERY, priority=priority)


def upload(data: bytes, *, filename: str, mime_type: str, kind: Kind) -> HttpRequest:
    """Encode a reference file to be kept by the gateway."""
    body, content_type = form_data((), file=("file", filename, mime_type, data))
    return HttpRequest(
        method="POST", path=f"/uploads/{kind}s", purpose=Purpose.ACCOUNT, body=body, content_type=content_type
    )


def balance(*, user: bool = False) -> HttpRequest:
    """Ask for the key's balance, or for its user's."""
    return HttpRequest(method="GET", path="/user/balance" if user else "/balance", purpose=Purpose.ACCOUNT)


def models(
    type: Literal["text", "chat", "image", "video", "audio", "all"] = "all",  # noqa: A002 - the gateway's own word
) -> HttpRequest:
    """Ask for the models that the key may use; the gateway itself would list the text models only."""
    return HttpRequest(method="GET", path=f"/models?{urlencode({'type': type})}", purpose=Purpose.ACCOUNT)


def _follow_up(
    video_id: str, action: str, request: VideoRequest, catalogue: Catalogue, client_business_id: str
) -> HttpRequest:
    model = catalogue.find(request.model)
    if model is not None and action == "extend":
        # The extend page has ``size`` where the generation page has ``aspect_ratio``.
        model = attrs.evolve(model, size_place="size")
    return _post_json(f"/videos/{_segment(video_id)}/{action}", _body(request, model), client_business_id)


def _body(request: GenerationRequest, model: Model | None) -> Body:
    try:
        return body_of(request, model)
    except (AttributeError, TypeError, ValueError) as error:
        # With validation off a field may hold anything.
        found = tuple(wrong_types(request)) or (f"the request cannot be encoded: {error}",)
        raise InvalidRequestError.refused(found) from error


def _post_json(path: str, body: Body, client_business_id: str) -> HttpRequest:
    body["client_business_id"] = client_business_id
    return HttpRequest(method="POST", path=path, purpose=Purpose.SUBMIT, body=_json_bytes(body), content_type=JSON)


def _json_bytes(body: object) -> bytes:
    try:
        return _to_json(body).encode()
    except UnicodeEncodeError:
        # Half a character pair is no UTF-8, which the gateway's database refuses; escaped it is at least JSON.
        return _to_ascii_json(body).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequestError.refused((f"extra cannot be written as JSON: {error}",)) from error


def _post_form(
    body: Body, reference_place: str, references: Sequence[Reference], client_business_id: str
) -> HttpRequest:
    body["client_business_id"] = client_business_id
    fields = [(name, value if isinstance(value, str) else _json_bytes(value).decode()) for name, value in body.items()]
    # The edits page wants addresses, no files.
    fields += [(reference_place, str(address)) for address in references]
    encoded, content_type = form_data(fields)
    return HttpRequest(method="POST", path=_EDITS, purpose=Purpose.SUBMIT, body=encoded, content_type=content_type)


def _segment(text: str) -> str:
    # A dot segment would be resolved away on the way to the gateway.
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")
