"""From a reply's bytes to its JSON object, or to the error that says what came instead."""

import json
from typing import Any, TypeGuard

from toapis_async.errors import UnreadableReplyError
from toapis_async.policy.money.hints import hint_for_unreadable
from toapis_async.values.exchange import HttpReply
from toapis_async.wire.plain_text import body_text, excerpt_of, is_markup

JsonObject = dict[str, Any]

_decode = json.JSONDecoder().decode

# Deeper than any honest reply, and far from where Python's own recursion ends: whoever prints, pickles or stores
# what a reply kept must not fall over it.
_MOST_NESTED = 64

# A reply that large is looked over before it is parsed, since parsing keeps every other task waiting. Pictures that
# come inside a reply are long and have few parts; a million results are many.
_LARGE_BYTES = 256 * 1024
_MOST_PARTS = 50_000


def json_in(data: bytes | str) -> object:
    """Parse, or return None: for broken JSON, foreign bytes, endless digits, bottomless nesting and floods of parts."""
    if len(data) > _LARGE_BYTES and _parts_of(data) > _MOST_PARTS:
        return None
    try:
        parsed: object = _decode(data.decode("utf-8", "surrogatepass")) if _is_usual(data) else json.loads(data)
    except (ValueError, RecursionError):
        return None
    brackets = data.count(b"[") + data.count(b"{") if isinstance(data, bytes) else data.count("[") + data.count("{")
    return None if brackets > _MOST_NESTED and _too_deep(parsed) else parsed


def _parts_of(data: bytes | str) -> int:
    if isinstance(data, str):
        return sum(map(data.count, ",{["))
    return sum(map(data.count, (b",", b"{", b"[")))


def _is_usual(data: bytes | str) -> TypeGuard[bytes]:
    """Tell whether it is an object in UTF-8, which ``json.loads`` would find out by trying."""
    return type(data) is bytes and data[:1] == b"{" and b"\0" not in data[:4]


def _too_deep(parsed: object) -> bool:
    level = [parsed]
    for _ in range(_MOST_NESTED):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer if type(outer) is list else ())
        ]
    return bool(level)


def object_in(reply: HttpReply, *, promised: str) -> JsonObject:
    """Return the JSON object of a reply.

    Raises:
        UnreadableReplyError: the body is none.

    """
    whole = json_in(reply.body)
    if type(whole) is not dict:
        raise unreadable(reply, promised=promised)
    return whole


def says_no(whole: JsonObject) -> bool:
    """Whether a 2xx is a refusal all the same."""
    return whole.get("success") is False or (type(whole.get("error")) is dict and "data" not in whole)


def unreadable(reply: HttpReply, *, promised: str, said: str = "") -> UnreadableReplyError:
    """Return, not raise, the error for a reply that keeps no promise.

    Args:
        reply: what came.
        promised: what should have come.
        said: what the gateway says in it, if anything.

    """
    page = is_markup(body_text(reply))
    excerpt = excerpt_of(reply)
    if page:
        what = f"An HTML page came instead of {promised}: {excerpt or 'without a title'}"
    elif not reply.body.strip():
        what = f"An empty body came instead of {promised}"
    else:
        what = f"The reply is not {promised}: {said or excerpt}"
    return UnreadableReplyError(
        f"{what} (HTTP {reply.http_status})",
        http_status=reply.http_status,
        excerpt=excerpt,
        hint=hint_for_unreadable(page=page),
    )
