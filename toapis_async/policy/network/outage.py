"""For how long a host or a gateway that answers nothing is waited for, and when it is tried again."""

import random as random_module

OUTAGE_SECONDS = 300.0
"""For so long a run is held while nothing at all can be reached or fetched; then it stops, to be resumed."""
DRAIN_SECONDS = 5.0
"""For so long a run that is to end waits for a gateway that answers nothing; what is paid for is in the journal."""

_FIRST_SECONDS = 2.0
_LONGEST_SECONDS = 20.0


def drain_goes_on(silent_seconds: float) -> bool:
    """Tell whether what is paid for is still waited for in a run that is to end.

    Args:
        silent_seconds: since the first question that the gateway has not answered, with no answer after it.

    """
    return silent_seconds < DRAIN_SECONDS


def hold_seconds(tries: int, *, random: random_module.Random) -> float:
    """Return the wait before what is held is tried again: 2, 4, 8, 16, 20 s, a quarter more or less."""
    return min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(tries, 8)) * random.uniform(0.75, 1.25)
