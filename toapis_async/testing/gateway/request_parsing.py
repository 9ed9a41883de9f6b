"""Reading a submission: the documented checks, each with the documented refusal."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Literal

import attrs

from toapis_async.testing.gateway import model_list
from toapis_async.testing.gateway.pictures import is_size
from toapis_async.testing.gateway.replies.answers import Answer
from toapis_async.testing.gateway.replies.refusals import REFUSALS, prompt_required, wrong_field

_REFERENCE_FIELDS = ("image_urls", "reference_images", "image", "mask_url", "image_url", "video_urls", "audio_urls")
_LOCAL = re.compile(r"https?://(localhost|127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[::1\])")
_RESOLUTION = re.compile(r"\d+(\.\d+)?[kKpP]|std|pro")
_MAX_N = 15
_MAX_CLIENT_ID = 128


@attrs.frozen(kw_only=True)
class Submission:
    """A submission that passed the checks.

    Attributes:
        kind: by the endpoint.
        model, prompt: as sent.
        client_business_id: from the top level, else from ``metadata``; None without one.
        callback_url: where the webhook goes, or None.
        references: every address in it.
        body: all of it.

    """

    kind: Literal["image", "video"]
    model: str
    prompt: str
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
    metadata = body.get("metadata")
    nested = metadata.get("client_business_id") if isinstance(metadata, dict) else None
    found = body.get("client_business_id", nested)
    return found if isinstance(found, str) and found else None


def read(
    body: Mapping[str, object], kind: Literal["image", "video"], *, own_host: str, needs_model: bool = True
) -> Submission | Answer:
    """Check a submission.

    Args:
        body: the decoded JSON.
        kind: what the endpoint makes.
        own_host: the simulator's base URL; other local addresses are refused, as the gateway refuses them.
        needs_model: False where the model follows from the video that is continued.

    """
    for field in ("model", "prompt") if needs_model else ("prompt",):
        value = body.get(field)
        if not isinstance(value, str) or not value.strip():
            return prompt_required(field)
    references = tuple(_references(body))
    for check in _CHECKS:
        refusal = check(body)
        if refusal is not None:
            return refusal
    refusal = _wrong_kind(body, kind) or _wrong_reference(references, own_host)
    if refusal is not None:
        return refusal
    callback = body.get("callback_url")
    return Submission(
        kind=kind,
        model=str(body.get("model", "")),
        prompt=prompt_of(body),
        client_business_id=client_id_of(body),
        callback_url=callback if isinstance(callback, str) else None,
        references=references,
        body=body,
    )


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


def _exclusive(body: Mapping[str, object]) -> Answer | None:
    if body.get("image_urls") and body.get("image_with_roles"):
        return REFUSALS["image_urls_with_roles"]
    return None


_CHECKS: tuple[Callable[[Mapping[str, object]], Answer | None], ...] = (
    _n, _duration, _size, _resolution, _client_id, _exclusive,
)  # fmt: skip


def _wrong_kind(body: Mapping[str, object], kind: str) -> Answer | None:
    model = body.get("model")
    if isinstance(model, str) and model_list.KIND.get(model, kind) != kind:
        return wrong_field("model", f"model {model} does not support {kind} generation")
    return None


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
    found: list[str] = []
    for field, value in body.items():
        if field in _REFERENCE_FIELDS or field.endswith("_with_roles"):
            entries = value if isinstance(value, list) else [value]
            found += [address for entry in entries if (address := _address(entry)) is not None]
    return found


def _address(entry: object) -> str | None:
    if isinstance(entry, dict):
        entry = entry.get("url")
    return entry if isinstance(entry, str) else None
