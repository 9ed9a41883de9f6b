"""Reference files on the gateway."""

import attrs


@attrs.frozen(kw_only=True)
class Upload:
    """A file that the gateway keeps for use as a reference; one upload serves many requests.

    Attributes:
        id: the gateway's id, or None where the reply leaves it out.
        url: what to send as a reference.
        mime_type: as the gateway saw it, or None.
        size_bytes: as the gateway saw it, or None.

    """

    id: str | None
    url: str
    mime_type: str | None = None
    size_bytes: int | None = None
