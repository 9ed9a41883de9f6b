"""Webhooks: whether one is the gateway's, and what it says: ``docs/contract.md#webhooks``. Pure: time is passed in."""

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256

from toapis_async.errors import ConfigurationError, WebhookVerificationError
from toapis_async.values.kinds import KINDS
from toapis_async.values.tasks import Kind
from toapis_async.values.webhooks import WebhookEvent
from toapis_async.wire.json_objects import JsonObject, json_in
from toapis_async.wire.plain_text import plain
from toapis_async.wire.scalars import moment_of, name_of
from toapis_async.wire.tasks import task_in

_ID = "x-toapis-webhook-id"
_TIMESTAMP = "x-toapis-webhook-timestamp"
_SIGNATURE = "x-toapis-webhook-signature"
_VERSION = "v1="
_MOST_SIGNATURES = 8

_DROP = "Do not act on it. Answer 400; the gateway sends a genuine event again."
_RAW_BODY = (
    "Pass the raw bytes as received, before any JSON parsing, and the secret of the key that submitted the task."
)


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    *,
    secrets: str | Sequence[str],
    now: float,
    tolerance_seconds: float = 300,
) -> WebhookEvent:
    """Check a webhook's signature and time, and read it.

    Args:
        body: the raw bytes as received.
        headers: of the request; names in any case.
        secrets: the signing secret, or several: after a rotation the previous one stays valid for 24 h.
        now: epoch seconds.
        tolerance_seconds: how far the signed time may be from ``now``, either way.

    Raises:
        WebhookVerificationError: signature, time or form is not right: do not act on it.
        ConfigurationError: no secret, or an empty one, with which anyone could sign.

    """
    known = checked_secrets(secrets)
    folded = {name.lower(): value for name, value in headers.items()}
    event_id, timestamp, signatures = (_header(folded, name) for name in (_ID, _TIMESTAMP, _SIGNATURE))
    if not _signed(f"{event_id}.{timestamp}.".encode() + body, signatures, known):
        raise WebhookVerificationError("The webhook's signature does not match.", hint=f"{_DROP} {_RAW_BODY}")
    _check_time(timestamp, now, tolerance_seconds)
    return event_in(event_id, body)


def checked_secrets(secrets: str | Sequence[str]) -> tuple[str, ...]:
    """Return the secrets as a tuple.

    Raises:
        ConfigurationError: there is none, or an empty one.

    """
    known = (secrets,) if isinstance(secrets, str) else tuple(secrets)
    if not known or not all(known):
        raise ConfigurationError(
            "No webhook secret was given, or an empty one.",
            hint="Pass the secret that the console showed when the key's webhook was set up.",
        )
    return known


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value or not value.isascii() or not value.isprintable():
        raise WebhookVerificationError(f"The webhook has no usable {name} header.", hint=_DROP)
    return value


def _signed(content: bytes, signatures: str, secrets: tuple[str, ...]) -> bool:
    offered = [part.strip() for part in signatures.split(",", _MOST_SIGNATURES)[:_MOST_SIGNATURES]]
    matches = False
    # Every pair is compared, so that the time taken tells nothing.
    for secret in secrets:
        expected = _VERSION + hmac.new(secret.encode("utf-8", "surrogatepass"), content, sha256).hexdigest()
        for signature in offered:
            matches |= hmac.compare_digest(expected, signature)
    return matches


def _check_time(timestamp: str, now: float, tolerance_seconds: float) -> None:
    signed_at = int(timestamp) if timestamp.isdecimal() and len(timestamp) <= 12 else None
    if signed_at is None or not abs(now - signed_at) <= tolerance_seconds:
        raise WebhookVerificationError(
            f"The webhook was signed at {timestamp[:20]}, more than {tolerance_seconds:g} s from now.",
            hint=f"{_DROP} It may be a replay; if all of them fail so, set this machine's clock.",
        )


def event_in(event_id: str, body: bytes) -> WebhookEvent:
    """Read the body of an event that was verified before.

    Raises:
        WebhookVerificationError: it is no event.

    """
    said = json_in(body)
    if type(said) is not dict:
        raise WebhookVerificationError(
            "The webhook is signed but is no JSON object.", hint="Answer 400 and report the event's id to the gateway."
        )
    kind = plain(name_of(said.get("type")) or "", 100)
    data = said.get("data")
    task = task_in(data, kind=_kind_in(data)) if type(data) is dict else None
    if not kind or (task is None and kind.startswith("generation.")):
        raise WebhookVerificationError(
            "The webhook is signed but names no event type or no task.",
            hint="Answer 400 and report the event's id to the gateway; look the task up by its id instead.",
        )
    return WebhookEvent(id=event_id, type=kind, created_at=moment_of(said.get("created_at")), task=task, raw=said)


def _kind_in(data: JsonObject) -> Kind:
    return next((kind for kind in KINDS if kind == data.get("task_type")), "image")
