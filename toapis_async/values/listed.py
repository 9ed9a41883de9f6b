"""What the gateway's own model list says about a model."""

from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class ListedModel:
    """One row of ``GET /v1/models``. Being listed does not prove that the key may use it.

    Attributes:
        id: the model's exact id.
        owned_by: the vendor as the gateway names it, or None.
        endpoint_types: such as ``image-generation`` or ``video-generation``; empty for an id that is not routed.
        created_at: UTC, or None; the gateway gives many models the same date.

    """

    id: str
    owned_by: str | None = None
    endpoint_types: tuple[str, ...] = ()
    created_at: datetime | None = None
