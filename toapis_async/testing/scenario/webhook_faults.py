"""What can go wrong with a webhook, besides that it is lost (``Drop``), late (``Delay``) or cut (``InvalidJson``)."""

import attrs
from attrs.validators import ge, gt


@attrs.frozen(kw_only=True)
class Repeat:
    """Send the event again although it was taken: the same event id, a new timestamp.

    Attributes:
        times: how many further deliveries.
        seconds: between them.

    """

    times: int = attrs.field(default=1, validator=gt(0))
    seconds: float = attrs.field(default=0.0, validator=ge(0))


@attrs.frozen(kw_only=True)
class WrongSignature:
    """Sign the first delivery with another secret; when it is refused, the repetition is right."""


@attrs.frozen(kw_only=True)
class StaleTimestamp:
    """Sign the first delivery with an old timestamp; when it is refused, the repetition is right.

    Attributes:
        seconds: how old.

    """

    seconds: float = attrs.field(default=600.0, validator=gt(0))
