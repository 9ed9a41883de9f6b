"""One HTTP exchange with the gateway, as the transport port sees it."""

from collections.abc import Mapping
from enum import Enum

import attrs

from toapis_async.values.limits import INTERACTIVE


class Purpose(Enum):
    """Which of the account's budgets an exchange spends: both are per user, and each has a token bucket."""

    SUBMIT = "submit"
    QUERY = "query"
    ACCOUNT = "account"


@attrs.frozen(kw_only=True)
class HttpRequest:
    """A request to the gateway, relative to the API base.

    Attributes:
        method: ``GET`` or ``POST``.
        path: below ``/v1``, starting with a slash, already percent-encoded.
        purpose: the budget it spends.
        body: the encoded body, or None.
        content_type: of the body, or None without one.
        priority: where it stands when requests wait: 0 interactive, 1 or more bulk.

    """

    method: str
    path: str
    purpose: Purpose
    body: bytes | None = attrs.field(default=None, repr=False)
    content_type: str | None = None
    priority: int = INTERACTIVE


@attrs.frozen
class HttpReply:
    """A whole reply. Header names compare without case (the transport sees to it)."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)
