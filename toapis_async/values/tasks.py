"""The gateway's generation task, as last seen. A new look makes a new value."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import attrs

from toapis_async.values import requests

Kind: TypeAlias = requests.Kind


class TaskStatus(StrEnum):
    """Where a task stands. What the gateway said word for word is in ``GenerationTask.status_text``."""

    PENDING = "pending"
    SUBMITTED = "submitted"
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    UNRECOGNISED = "unrecognised"
    """A word that the documentation does not have, or none: not finished."""

    @property
    def finished(self) -> bool:
        """Whether the gateway will not change it any more."""
        return self is TaskStatus.COMPLETED or self is TaskStatus.FAILED


@attrs.frozen(kw_only=True)
class TaskFile:
    """One file of a finished task.

    Attributes:
        url: where it lies for 24 hours.
        format: what the gateway calls it (``mp4``), or None.
        last_frame_url: a still of a video's end, or None.

    """

    url: str
    format: str | None = None
    last_frame_url: str | None = None


@attrs.frozen(kw_only=True)
class TaskFailure:
    """Why the gateway gave a task up, in its own words."""

    code: str | None
    message: str


@attrs.frozen(kw_only=True)
class Billing:
    """What the gateway says a task cost; amounts are exact, None while unsettled.

    Attributes:
        status: ``pending``, ``settled``, ``refunded`` or another word of the gateway.
        credits: 200 credits are 1 USD.
        cost_usd: USD.

    """

    status: str | None
    credits: Decimal | None = None
    cost_usd: Decimal | None = None


@attrs.frozen(kw_only=True)
class GenerationTask:
    """A generation task.

    Attributes:
        id: the gateway's id, opaque.
        kind: ``image`` or ``video``, by the endpoint that made it.
        status: the state; unknown words become ``UNRECOGNISED``.
        status_text: the word as the gateway sent it.
        progress: 0 to 100, or None.
        model: the model's id, or None where the reply leaves it out.
        client_business_id: the reference that we sent, when the gateway echoes it.
        files: what it made; empty until completed, and after the links have expired.
        unread: what stands beside ``files`` in the result and is none, such as an error in place of one image: the
            beginning of each entry, for people.
        created_at, completed_at, expires_at: UTC, or None. Links die at ``expires_at`` (24 h).
        error: why it failed, or None.
        billing: what it cost, when the gateway says so.
        usage: token counts as sent, when the gateway says so.
        raw: the whole reply, unknown fields included.

    """

    id: str
    kind: Kind
    status: TaskStatus
    status_text: str = ""
    progress: int | None = None
    model: str | None = None
    client_business_id: str | None = None
    files: tuple[TaskFile, ...] = ()
    unread: tuple[str, ...] = ()
    created_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    error: TaskFailure | None = None
    billing: Billing | None = None
    usage: Mapping[str, object] | None = None
    raw: Mapping[str, object] = attrs.field(factory=dict, repr=False, eq=False)

    @property
    def urls(self) -> tuple[str, ...]:
        """The links of all its files, in the gateway's order."""
        return tuple(file.url for file in self.files)

    @property
    def lasting_urls(self) -> tuple[str, ...]:
        """The links that are worth keeping; none where a file came inside the reply, which a look brings again."""
        return () if any(url[:5].lower() == "data:" for url in self.urls) else self.urls

    @property
    def cost(self) -> Decimal | None:
        """USD, or None while the gateway has not said."""
        return None if self.billing is None else self.billing.cost_usd

    @property
    def finished(self) -> bool:
        """Whether it is completed or failed."""
        return self.status.finished

    @property
    def completed(self) -> bool:
        """Whether it ended well."""
        return self.status is TaskStatus.COMPLETED
