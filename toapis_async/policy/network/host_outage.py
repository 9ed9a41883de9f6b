"""A file host that gives nothing: one bad link, or an outage in which every paid item would fail the same way."""

from enum import Enum

import attrs

from toapis_async.errors import APIConnectionError, DownloadError, ServerError, ToAPIsError
from toapis_async.policy.network.outage import OUTAGE_SECONDS

_BUSY = frozenset({408, 425, 429, 478})


class Held(Enum):
    """What becomes of an item whose files cannot be had now."""

    END = "end"
    """It is about this item: it ends unfinished, and a later run fetches it."""
    HOLD = "hold"
    """It may be about all: try again after a while, and end nothing meanwhile."""
    STOP = "stop"
    """It has been about all for long: the run stops."""


@attrs.frozen(kw_only=True)
class HostFailures:
    """What is known when an item's files cannot be had.

    Attributes:
        in_a_row: items that could not be fetched since one could, this one included.
        under_way: items of the run that have not ended, this one included.
        held_seconds: for how long this item has been tried.
        others_came: whether another item was fetched since this one failed first.

    """

    in_a_row: int
    under_way: int
    held_seconds: float
    others_came: bool


def is_host_down(error: ToAPIsError) -> bool:
    """Tell whether the host could not be reached or is not well, as opposed to a dead link or a broken file.

    A gateway that cannot be asked for a fresh link counts like a host.
    """
    if isinstance(error, APIConnectionError | ServerError):
        return True
    if type(error) is not DownloadError:
        return False
    status = error.http_status
    return status is None or status >= 500 or status in _BUSY


def judge(error: ToAPIsError, known: HostFailures) -> Held:
    """Judge a failure by itself and by what others met."""
    if not is_host_down(error) or known.others_came:
        return Held.END
    if known.in_a_row < 2 and known.under_way < 2:
        return Held.END  # nobody else has tried: this says nothing about the host
    return Held.STOP if known.held_seconds >= OUTAGE_SECONDS else Held.HOLD
