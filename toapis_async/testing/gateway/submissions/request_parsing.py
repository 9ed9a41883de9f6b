"""Reading a submission: the documented checks, each with the documented refusal."""

import json
import re
from collections.abc import Callable, Collection, Mapping

import attrs

from toapis_async.testing.gateway import model_list
from toapis_async.testing.gateway.model_list import Product
from toapis_async.testing.gateway.pictures import is_size
from toapis_async.testing.gateway.replies.answers import Answer
from toapis_async.testing.gateway.replies.refusals import REFUSALS, prompt_required, wrong_field
from toapis_async.testing.gateway.submissions.character_requests import refused_character, wants_character
from toapis_async.values.tasks import Kind

_REFERENCE_FIELDS = frozenset((
    "image_urls", "reference_images", "image", "images", "image_url", "mask_url", "url", "video_urls", "video_list",
    "audio_urls",
    # Those that stand in metadata.
    "image_list", "referenceImages", "reference_urls", "lastFrame", "last_frame_image",
))  # fmt: skip
_ADDRESS_FIELDS = ("url", "image_url", "video_url", "image", "uri")
_LOCAL = re.compile(r"https?://(localhost|127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[::1\])")
_RESOLUTION = re.compile(r"\d+(\.\d+)?[kKpP]|std|pro")
_MAX_N = 15
_MAX_CLIENT_ID = 128


@attrs.frozen(kw_only=True)
class Submission:
    """A submission that passed the checks.

    Attributes:
        kind: by the endpoint.
        makes: what comes out.
        model, prompt: as sent; a character has no prompt.
        n: how many images.
        client_business_id, callback_url: from the top level, else from ``metadata``; None without one.
        references: every address in it.
        body: all of it.

    """

    kind: Kind
    makes: Product
    model: str
    prompt: str
    n: int
    client_business_id: str | None
    callback_url: str | None
    references: tuple[str, ...]
    body: Mapping[str, object] = attrs.field(repr=False)


def document(raw: bytes) -> dict[str, object] | Answer:
    """The JSON object of a body, or the gateway's complaint about it."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return REFUSALS["utf8_database"]
    try:
        body = json.loads(text)
    except ValueError:
        return REFUSALS["invalid_request"]
    return body if isinstance(body, dict) else REFUSALS["invalid_request"]


def prompt_of(body: Mapping[str, object]) -> str:
    """The prompt for the books; empty where there is none."""
    prompt = body.get("prompt")
    return prompt if isinstance(prompt, str) else ""


def client_id_of(body: Mapping[str, object]) -> str | None:
    """``client_business_id``, top level preferred."""
    return _text_of(body, "client_business_id")


def read(
    body: Mapping[str, object], kind: Kind, *, own_host: str, routed: Collection[str] = (), continues: bool = False
) -> Submission | Answer:
    """Check a submission.

    Args:
        body: the decoded JSON.
        kind: what the endpoint makes.
        own_host: the simulator's base URL; other local addresses are refused, as the gateway refuses them.
        routed: ids that it knows beside the listed ones.
        continues: whether a finished video is continued; the model follows from it.

    """
    makes: Product = "character" if kind == "video" and wants_character(body) else kind
    references = tuple(_references(body))
    refusal = (
        (None if continues else _wrong_model(body, kind, routed))
        or (refused_character(body) if makes == "character" else _missing_prompt(body, references))
        or next((refusal for check in _CHECKS if (refusal := check(body)) is not None), None)
        or _wrong_reference(references, own_host)
    )
    if refusal is not None:
        return refusal
    n = body.get("n", 1)
    return Submission(
        kind=kind,
        makes=makes,
        model=str(body.get("model", "")),
        prompt=prompt_of(body),
        n=n if isinstance(n, int) and kind == "image" else 1,
        client_business_id=client_id_of(body),
        callback_url=_text_of(body, "callback_url"),
        references=references,
        body=body,
    )


def _text_of(body: Mapping[str, object], field: str) -> str | None:
    metadata = body.get("metadata")
    found = body.get(field, metadata.get(field) if isinstance(metadata, dict) else None)
    return found if isinstance(found, str) and found else None


def _wrong_model(body: Mapping[str, object], kind: Kind, routed: Collection[str]) -> Answer | None:
    model = body.get("model")
    if not isinstance(model, str) or not model.strip():
        return prompt_required("model")
    makes = kind if model in routed else model_list.kinds().get(model)
    if makes is None:
        return REFUSALS["model_not_found"]
    return None if makes == kind else wrong_field("model", f"model {model} does not support {kind} generation")


def _missing_prompt(body: Mapping[str, object], references: tuple[str, ...]) -> Answer | None:
    prompt = body.get("prompt")
    if isinstance(prompt, str) and prompt.strip():
        return None
    model = model_list.known(str(body.get("model")))
    return None if references and model is not None and model.prompt_optional_with else prompt_required("prompt")


def _n(body: Mapping[str, object]) -> Answer | None:
    n = body.get("n", 1)
    if type(n) is not int or not 1 <= n <= _MAX_N:
        return wrong_field("n", f"n must be an integer between 1 and {_MAX_N}")
    return None


def _duration(body: Mapping[str, object]) -> Answer | None:
    duration = body.get("duration", 1)
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        return wrong_field("duration", "duration must be a number")
    return None


def _size(body: Mapping[str, object]) -> Answer | None:
    for field in ("size", "aspect_ratio", "ratio"):
        size = body.get(field)
        if size is not None and not (isinstance(size, str) and is_size(size)):
            return wrong_field(field, f"invalid {field}: {size}")
    return None


def _resolution(body: Mapping[str, object]) -> Answer | None:
    metadata = body.get("metadata", {})
    if not isinstance(metadata, dict):
        return wrong_field("metadata", "metadata must be an object")
    for value in (body.get("resolution"), metadata.get("resolution")):
        if value is not None and not (isinstance(value, str) and _RESOLUTION.fullmatch(value)):
            return wrong_field("resolution", f"invalid resolution: {value}")
    return None


def _client_id(body: Mapping[str, object]) -> Answer | None:
    value = body.get("client_business_id")
    if value is not None and not (isinstance(value, str) and len(value) <= _MAX_CLIENT_ID):
        return wrong_field("client_business_id", f"client_business_id must be a string of at most {_MAX_CLIENT_ID}")
    return None


def _callback(body: Mapping[str, object]) -> Answer | None:
    value = body.get("callback_url")
    return None if value is None or isinstance(value, str) else wrong_field("callback_url", "it must be a string")


def _exclusive(body: Mapping[str, object]) -> Answer | None:
    if body.get("image_urls") and body.get("image_with_roles"):
        return REFUSALS["image_urls_with_roles"]
    return None


_CHECKS: tuple[Callable[[Mapping[str, object]], Answer | None], ...] = (
    _n, _duration, _size, _resolution, _client_id, _callback, _exclusive,
)  # fmt: skip


def _wrong_reference(references: tuple[str, ...], own_host: str) -> Answer | None:
    for reference in references:
        if reference.startswith("asset://"):
            continue
        if not reference.startswith(("http://", "https://")):
            return REFUSALS["base64_not_allowed"]
        if _LOCAL.match(reference) and not reference.startswith(f"{own_host}/"):
            return wrong_field("image_urls", f"failed to fetch reference image: {reference[:200]}")
    return None


def _references(body: Mapping[str, object]) -> list[str]:
    metadata = body.get("metadata")
    found: list[str] = []
    for field, value in (*body.items(), *(metadata.items() if isinstance(metadata, dict) else ())):
        if field in _REFERENCE_FIELDS or field.endswith("_with_roles"):
            entries = value if isinstance(value, list) else [value]
            found += [address for entry in entries if (address := _address(entry)) is not None]
    return found


def _address(entry: object) -> str | None:
    if isinstance(entry, dict):
        entry = next((entry[field] for field in _ADDRESS_FIELDS if field in entry), None)
    return entry if isinstance(entry, str) else None
