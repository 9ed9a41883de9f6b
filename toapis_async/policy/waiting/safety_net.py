"""When to look while events are trusted to tell of the end: seldom, in case one was lost."""

from random import Random

from toapis_async.policy.waiting.latency_distribution import LatencyDistribution

NET_SECONDS = 60.0
"""Between two looks beyond the time by which nearly every task has ended, and where that time is not known."""

_LONGEST_SECONDS = 300.0  # without a look, however long tasks take: a lost event costs no more than that
_NEARLY_ALL = 0.99  # of the tasks end, with an event, before the first look
_DELIVERY_SECONDS = 10.0  # for an event to arrive: a look just before it would be one for each task that takes as long
_KNOWN_AT = 30  # completions from which the law says when that is
_JITTER = 0.1  # of the wait, on top: a burst whose events were lost is not looked at in one moment


def safety_delay(planned: float, elapsed: float, *, law: LatencyDistribution | None, random: Random) -> float:
    """Give the seconds until the next look at a task whose end should be told.

    Args:
        planned: what the plan of looks would wait; never less than that.
        elapsed: seconds since the gateway accepted the task.
        law: how long such tasks take, or None.
        random: for the jitter.

    """
    known = law is not None and law.count >= _KNOWN_AT
    left = law.quantile(_NEARLY_ALL) + _DELIVERY_SECONDS - elapsed if law is not None and known else 0.0
    wait = min(left, _LONGEST_SECONDS) if left > 0.0 else NET_SECONDS
    return max(planned, wait * (1.0 + _JITTER * random.random()))
