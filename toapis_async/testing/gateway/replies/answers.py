"""A reply before it becomes HTTP."""

import json
from collections.abc import Mapping

import attrs

JSON = "application/json"
HTML = "text/html"

# json.dumps makes an encoder at each call with such settings, which costs as much as the encoding.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@attrs.frozen
class Answer:
    """A whole reply.

    Attributes:
        http_status: of the reply.
        body: its bytes.
        content_type: its type.
        headers: further headers.
        task_id: the task that the call made, or None.

    """

    http_status: int
    body: bytes = attrs.field(repr=False)
    content_type: str = JSON
    headers: Mapping[str, str] = attrs.field(factory=dict)
    task_id: str | None = None


def as_json(document: Mapping[str, object]) -> bytes:
    """Encode as the gateway does: UTF-8, nothing escaped."""
    return _encode(document).encode()


def json_answer(document: Mapping[str, object], *, http_status: int = 200, task_id: str | None = None) -> Answer:
    """Answer with a JSON document."""
    return Answer(http_status, as_json(document), task_id=task_id)
