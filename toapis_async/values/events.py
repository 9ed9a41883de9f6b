"""What a session tells while it runs."""

from enum import StrEnum

import attrs


class Happening(StrEnum):
    """What happened to an item, in the order in which it usually does."""

    SKIPPED = "skipped"
    """Its files were there already, from an earlier run."""
    INTENDED = "intended"
    ACCEPTED = "accepted"
    HELD_UP = "held up"
    """The gateway asked to come back later, or could not be reached."""
    LATE = "late"
    """It has outlasted its patience, gave back its slot, and is looked at slowly."""
    FINISHED = "finished"
    SAVED = "saved"
    FAILED = "failed"
    UNFINISHED = "unfinished"


@attrs.frozen
class SessionEvent:
    """One thing that happened to one item.

    Attributes:
        happening: what.
        key: which item.
        task_id: its task, once there is one.
        message: an error's text, or empty.

    """

    happening: Happening
    key: str
    task_id: str | None = None
    message: str = ""
