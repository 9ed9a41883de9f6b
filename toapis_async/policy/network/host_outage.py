"""A file host that gives nothing: one bad link, or an outage in which every paid item would fail the same way."""

import random as random_module
from enum import Enum

import attrs

from toapis_async.errors import APIConnectionError, DownloadError, ServerError, ToAPIsError

OUTAGE_SECONDS = 300.0
"""For so long items are held while nothing at all can be fetched; then the run stops, to be resumed."""

DRAIN_SECONDS = 5.0
"""For so long a run that is to end waits for a gateway that answers nothing; what is paid for is in the journal."""

_FIRST_SECONDS = 2.0
_LONGEST_SECONDS = 20.0
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


def drain_goes_on(silent_seconds: float) -> bool:
    """Tell whether what is paid for is still waited for in a run that is to end.

    Args:
        silent_seconds: since the first question that the gateway has not answered, with no answer after it.

    """
    return silent_seconds < DRAIN_SECONDS


def hold_seconds(tries: int, *, random: random_module.Random) -> float:
    """Return the wait before an item that is held is tried again: 2, 4, 8, 16, 20 s, a quarter more or less."""
    return min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(tries, 8)) * random.uniform(0.75, 1.25)
