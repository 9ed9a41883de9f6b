"""After a POST of unknown outcome: how long to ask for it, how often, and what the answers prove.

A gateway needs a moment until a lookup finds what it accepted, and something in front of it may still be at work when
it gives up on us: so a miss proves nothing before a grace period, and nothing at all at a gateway that has not shown
that it keeps our references.
"""

from enum import StrEnum

import attrs

from toapis_async.errors import APIStatusError, APITimeoutError, ToAPIsError

FIRST_ASK_SECONDS = 1.0
LONGEST_ASK_SECONDS = 10.0
MOST_ROUNDS = 4
"""For how many rounds a request waits for what another one shows."""
MOST_UNANSWERED = 3
"""How many submissions are risked at a gateway of which nothing could be read yet."""


@attrs.frozen(kw_only=True)
class GracePeriods:
    """For how long clean misses prove nothing yet, in seconds since the POST failed.

    Attributes:
        settled_seconds: after a broken connection or a page from a proxy that is done with it.
        at_work_seconds: after a time-out, ours or a proxy's: the request may still be on its way in.

    """

    settled_seconds: float = 15.0
    at_work_seconds: float = 60.0


class Verdict(StrEnum):
    """What asking has shown so far."""

    ASK_AGAIN = "ask again"
    NOT_ACCEPTED = "not accepted"
    UNKNOWN = "unknown"


class Resumption(StrEnum):
    """What to do with a request that may have been sent before, after its reference was asked for in vain."""

    SEND = "send"
    LEAD = "lead"
    """Send it ahead of the others: what becomes of it shows whether this gateway keeps references."""
    ASK_AGAIN = "ask again"
    REPORT = "report"


class Unanswered(StrEnum):
    """What to do with the next submission while no reply could be read."""

    SEND = "send"
    WAIT = "wait"
    STOP = "stop"


def step_unanswered(*, given_up: int, under_way: int, answered: bool) -> Unanswered:
    """Decide whether one more submission may be risked.

    Args:
        given_up: submissions that were asked about in vain.
        under_way: submissions that were sent, or are being asked about.
        answered: whether anything that came from the gateway could be read.

    """
    if answered or given_up + under_way < MOST_UNANSWERED:
        return Unanswered.SEND
    return Unanswered.WAIT if under_way else Unanswered.STOP


def step_resumed(
    found: Verdict, *, clean_miss: bool, keeps_client_ids: bool | None, others_ahead: bool, rounds: int
) -> Resumption:
    """Decide whether a request that may have been sent before is sent now.

    Where nothing has shown yet whether the gateway keeps references, every miss was clean for two grace periods, and
    no other request is ahead, one is sent: without it a first run would never begin. At a gateway that keeps them
    that is safe; at one that does not, it is the only request that is risked.

    Args:
        found: what asking for the grace period has shown.
        clean_miss: whether the gateway has just said "no such task", as opposed to an error.
        keeps_client_ids: whether lookups by reference find tasks there; None while that is not known.
        others_ahead: whether another request was sent ahead.
        rounds: how often it was asked for, a grace period each.

    """
    if found is Verdict.NOT_ACCEPTED:
        return Resumption.SEND
    if keeps_client_ids is False or not clean_miss:
        return Resumption.REPORT
    if keeps_client_ids is None and not others_ahead:
        return Resumption.LEAD
    return Resumption.ASK_AGAIN if rounds < MOST_ROUNDS else Resumption.REPORT


def grace_seconds(error: ToAPIsError, periods: GracePeriods) -> float:
    """Return the grace period after this failure."""
    if isinstance(error, APITimeoutError):
        return periods.at_work_seconds
    # Statuses of proxies that gave up waiting (522 and 524 are Cloudflare's): behind them the request may go on.
    if isinstance(error, APIStatusError) and error.http_status in {408, 504, 522, 524}:
        return periods.at_work_seconds
    return periods.settled_seconds


def ask_delay_seconds(asked: int) -> float:
    """Return the wait before the next lookup: 1, 1.5, 2.25 … 10 s."""
    return min(LONGEST_ASK_SECONDS, FIRST_ASK_SECONDS * 1.5 ** min(asked, 16))


def verdict(
    *, waited_seconds: float, grace_seconds: float, last_was_clean_miss: bool, keeps_client_ids: bool | None
) -> Verdict:
    """Judge after a lookup that found nothing.

    Args:
        waited_seconds: since the POST failed.
        grace_seconds: see ``grace_seconds()``.
        last_was_clean_miss: the gateway said "no such task", as opposed to an error.
        keeps_client_ids: True where the gateway has shown that a lookup by our reference finds a task, False where it
            has shown that it does not, None where neither.

    """
    # It has lost a task that certainly exists: no number of misses proves anything here.
    if keeps_client_ids is False:
        return Verdict.UNKNOWN
    if waited_seconds < grace_seconds:
        return Verdict.ASK_AGAIN
    if last_was_clean_miss and keeps_client_ids:
        return Verdict.NOT_ACCEPTED
    # Asking itself fails, or nothing has shown yet what a miss means here: try as long again, then leave the doubt.
    return Verdict.ASK_AGAIN if waited_seconds < 2 * grace_seconds else Verdict.UNKNOWN
