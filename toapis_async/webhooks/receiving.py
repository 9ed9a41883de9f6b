"""One delivery of the gateway: from raw bytes to the HTTP status to answer."""

from collections.abc import Mapping, Sequence

from toapis_async.clock import Clock
from toapis_async.errors import WebhookVerificationError
from toapis_async.values.webhooks import WebhookEvent
from toapis_async.wire.webhooks import verify_webhook

# A video's event is some kilobytes; more than this is not the gateway's.
MAX_BODY_BYTES = 1024 * 1024

OK, REFUSED, TOO_LARGE, AGAIN_LATER = 200, 400, 413, 503


def judged(
    body: bytes, headers: Mapping[str, str], *, secrets: str | Sequence[str], clock: Clock, max_body_bytes: int
) -> WebhookEvent | int:
    """Return the event of a genuine delivery, or the status that refuses it, without any detail."""
    if len(body) > max_body_bytes:
        return TOO_LARGE
    try:
        return verify_webhook(body, headers, secrets=secrets, now=clock.now())
    except WebhookVerificationError:
        return REFUSED
