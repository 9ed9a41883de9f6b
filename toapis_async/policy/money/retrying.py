"""When to send again, and after how long. Decisions only: whoever asks does the waiting.

The gateway's market page asks for 1 s, 2 s, 4 s with jitter after a 429; ``Retry-After`` goes before that.
"""

import random as random_module

import attrs

from toapis_async.policy.money.delivery import Knowledge

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 60.0
# Everyone who was refused hears the same Retry-After; without this they all come back in the same instant.
RETRY_AFTER_SPREAD = 0.1


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How patient a caller is.

    Attributes:
        max_retries: how often at most; None for as often as ``max_elapsed_seconds`` allows.
        max_elapsed_seconds: how long at most after the first attempt; None for no bound.
        longest_retry_after_seconds: a longer ``Retry-After`` ends the call, so that nobody sleeps for days unasked.

    """

    max_retries: int | None = 3
    max_elapsed_seconds: float | None = None
    longest_retry_after_seconds: float = 120.0


def backoff_seconds(retries: int, random: random_module.Random) -> float:
    """Return 1, 2, 4 … 60 s, each spread by a quarter both ways, for the given number of retries so far."""
    delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(retries, 16))
    return delay * random.uniform(0.75, 1.25)


def retry_seconds(
    policy: RetryPolicy,
    *,
    retries: int,
    elapsed_seconds: float,
    retry_after_seconds: float | None,
    random: random_module.Random,
) -> float | None:
    """Return how long to wait before sending again, or None to give up.

    Args:
        policy: how patient the caller is.
        retries: how often it was sent again already.
        elapsed_seconds: since the first attempt.
        retry_after_seconds: what the gateway asked for, or None.
        random: the source of jitter.

    """
    if policy.max_retries is not None and retries >= policy.max_retries:
        return None
    if retry_after_seconds is not None:
        if retry_after_seconds > policy.longest_retry_after_seconds:
            return None
        delay = max(retry_after_seconds, 0.05) * (1.0 + RETRY_AFTER_SPREAD * random.random())
    else:
        delay = backoff_seconds(retries, random)
    if policy.max_elapsed_seconds is not None and elapsed_seconds + delay > policy.max_elapsed_seconds:
        return None
    return delay


def may_send_again(knowledge: Knowledge) -> bool:
    """Whether nothing can have been accepted, and a later try may go through."""
    return knowledge in {Knowledge.NEVER_DELIVERED, Knowledge.REFUSED_FOR_NOW}
