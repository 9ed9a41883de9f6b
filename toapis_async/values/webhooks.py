"""What the gateway tells us by itself."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from toapis_async.values.tasks import GenerationTask


@attrs.frozen(kw_only=True)
class WebhookEvent:
    """A verified webhook. Delivery is at least once: act once per ``id``.

    Attributes:
        id: the event's id, the same on every redelivery.
        type: ``generation.completed``, ``generation.failed``, ``endpoint.test`` or a newer word.
        created_at: UTC, or None.
        task: as the event describes it; None where the event is not about a task.
        raw: the whole body, unknown fields included.

    """

    id: str
    type: str
    created_at: datetime | None = None
    task: GenerationTask | None = None
    raw: Mapping[str, object] = attrs.field(factory=dict, repr=False, eq=False)
