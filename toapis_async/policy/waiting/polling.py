"""When to look at a task again. Two questions, two answers: not done yet, and the look itself failed.

Exponential growth is right for failed looks and wrong for unfinished tasks: with nothing known equal spacing loses
least, and once the law is known the density of looks goes with the square root of the hazard. See ``docs/waiting.md``.
"""

from bisect import bisect_right
from itertools import pairwise
from math import inf
from random import Random
from typing import Protocol

import attrs

from toapis_async.errors import ConfigurationError
from toapis_async.policy.waiting.latency_distribution import LatencyDistribution
from toapis_async.policy.waiting.schedules import look_times

_DOCUMENTED_INTERVAL = 5.0  # seconds, as documented
_DOCUMENTED_SPREAD = 1.0  # the pages look first after 5 s, then every 5 to 10 s: once to twice the floor
_COLD_SPREAD = 0.2  # of the floor: looks of a burst drift apart, and stay closer than the documented cadence
_TAIL_SHARE = 1 / 32  # of the elapsed time, beyond what was seen: found late by under 2 % on average
_SAME_LOOK = 0.25  # of a gap: a look that came so much early, by jitter, was still that look
_SAME_SWAY = 1.01  # of what the jitter may be, with room for rounding
_SWAY = 0.25  # of the width of the law's middle two thirds
_PROBES = 1 / 8  # of the waits whose look is sure of its task: they tell whether tasks have become faster
_DEFAULT_LOOKS = 10.0  # the documented tiers allow 10 to 15 queries per submission
_FAILED_FIRST = 1.0  # seconds; the pages ask to double the wait after a refusal
_FAILED_CAP = 60.0  # seconds; the pages go up to 60 s for images


class LookPlan(Protocol):
    """When to look, for any task of one kind; shared by all of them."""

    def next_delay(self, elapsed: float, random: Random) -> float:
        """Give the seconds to wait until the next look.

        Args:
            elapsed: seconds since the gateway accepted the task.
            random: for the jitter.

        """
        ...


class Polling(Protocol):
    """A setting that knows how to make plans."""

    def plan(self, law: LatencyDistribution | None, *, looks: float | None) -> LookPlan:
        """Make a plan.

        Args:
            law: what is known about how long such tasks take, or None.
            looks: how many looks per task, on average, the query budget allows; None is no bound.

        """
        ...


@attrs.frozen(kw_only=True)
class EqualPlan:
    """Equal spacing.

    Attributes:
        interval: seconds; no wait is shorter.
        jitter: a wait is longer by up to this share of the interval.
        looks: after so many looks the waits grow with the elapsed time, up to the documented cadence; None for never.

    """

    interval: float
    jitter: float = 0.0
    looks: float | None = None

    def next_delay(self, elapsed: float, random: Random) -> float:
        """See ``LookPlan.next_delay``."""
        if elapsed < self.interval / 2:
            return self.interval
        if self.looks is None or elapsed <= self.looks * self.interval:
            return self.interval * (1.0 + self.jitter * random.random())
        base = max(self.interval, min(_DOCUMENTED_INTERVAL, elapsed / self.looks))
        return base * (1.0 + _DOCUMENTED_SPREAD * random.random())


@attrs.frozen(kw_only=True)
class TimedPlan:
    """Looks at planned times, then a tail.

    Attributes:
        times: seconds since acceptance, rising, at least ``min_interval`` apart.
        marks: ``marks[k]``: from there on a look counts as the one at ``times[k]``.
        min_interval, max_interval: seconds; bounds of any wait.
        jitter: a wait varies by up to this share, never under the floor.
        sway: and by no more than so many seconds: tasks that all end at one moment are not looked at before it.
        sure: the square of how likely each look finds its task finished. A look that finds them all says nothing of
            when they did, so that some of the waits for it are cut short by a look between: a probe.

    """

    times: tuple[float, ...]
    marks: tuple[float, ...]
    min_interval: float
    max_interval: float
    jitter: float
    sway: float = inf
    sure: tuple[float, ...] = ()

    @classmethod
    def of(
        cls,
        times: tuple[float, ...],
        *,
        min_interval: float,
        max_interval: float,
        jitter: float,
        sway: float = inf,
        sure: tuple[float, ...] = (),
    ) -> "TimedPlan":
        """Make a plan of its times."""
        before = (0.0, *times[:-1])
        # No earlier than jitter makes it: a probe just before a look does not stand for it.
        marks = tuple(t - min(_SAME_LOOK * (t - b), _SAME_SWAY * sway) for b, t in zip(before, times, strict=True))
        return cls(
            times=times,
            marks=marks,
            min_interval=min_interval,
            max_interval=max_interval,
            jitter=jitter,
            sway=sway,
            sure=sure or (0.0,) * len(times),
        )

    def next_delay(self, elapsed: float, random: Random) -> float:
        """See ``LookPlan.next_delay``."""
        k = bisect_right(self.marks, elapsed)
        if k < len(self.times):
            gap = self.times[k] - elapsed
            if gap > self.min_interval and random.random() < _PROBES * self.sure[k]:
                return random.uniform(self.min_interval, gap)
        else:
            gap = min(_TAIL_SHARE * elapsed, self.max_interval)
        return max(self.min_interval, gap + min(self.jitter * gap, self.sway) * (2.0 * random.random() - 1.0))


def _check_seconds(name: str, value: float) -> None:
    if not 0.0 < value < float("inf"):
        raise ConfigurationError(
            f"{name} is {value!r}, but must be a positive number of seconds.", hint="Try 5.0, the documented floor."
        )


def _check_jitter(value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ConfigurationError(f"jitter is {value!r}, but must be a share from 0 to 1.", hint="Try 0.05.")


@attrs.frozen(kw_only=True)
class FixedPolling:
    """A look every *interval* seconds, for comparison and tests.

    Attributes:
        interval: seconds between two looks, and before the first.
        jitter: a wait is longer by up to this share.

    Raises:
        ConfigurationError: a value makes no sense.

    """

    interval: float = attrs.field(kw_only=False)
    jitter: float = 0.0

    def __attrs_post_init__(self) -> None:
        _check_seconds("interval", self.interval)
        _check_jitter(self.jitter)

    def plan(self, law: LatencyDistribution | None, *, looks: float | None) -> LookPlan:
        """See ``Polling.plan``; nothing is learned and no budget is kept."""
        del law, looks
        return EqualPlan(interval=self.interval, jitter=self.jitter)


@attrs.frozen(kw_only=True)
class LearnedPolling:
    """Looks that follow how long such tasks have been taking.

    Until *min_samples* completions are known: the first look after *min_interval*, then equal spacing just above it,
    which finds a completion no later than the documented cadence (5 s, then 5 to 10 s) does.

    Attributes:
        min_interval: seconds before the first look and between two looks; never less. The documentation asks for 5.
        max_interval: seconds; the widest spacing beyond what was ever seen.
        jitter: how far a look may stray from its planned time, as a share of the wait; less where tasks take nearly
            the same time, each of which is then looked at just after its end.
        min_samples: completions of a kind, model and resolution before its law is followed.
        looks: looks per task, on average, to aim at when the floor allows; the query budget may allow fewer.

    Raises:
        ConfigurationError: a value makes no sense.

    """

    min_interval: float = 5.0
    max_interval: float = 60.0
    jitter: float = 0.05
    min_samples: int = 30
    looks: float = _DEFAULT_LOOKS

    def __attrs_post_init__(self) -> None:
        _check_seconds("min_interval", self.min_interval)
        _check_seconds("max_interval", self.max_interval)
        _check_jitter(self.jitter)
        if self.looks < 1.0:
            raise ConfigurationError(
                f"looks is {self.looks!r}, but a task is seen finished at a look: at least 1.", hint="Try 10."
            )

    def plan(self, law: LatencyDistribution | None, *, looks: float | None) -> LookPlan:
        """See ``Polling.plan``."""
        allowed = self.looks if looks is None else max(1.0, min(self.looks, looks))
        if law is None or law.count < self.min_samples:
            return EqualPlan(interval=self.min_interval, jitter=_COLD_SPREAD, looks=allowed)
        times = look_times(law, floor=self.min_interval, looks=max(1.0, allowed - _PROBES))
        alive = [1.0, *(law.survival(t) for t in times)]
        return TimedPlan.of(
            times,
            min_interval=self.min_interval,
            max_interval=max(self.min_interval, self.max_interval),
            jitter=self.jitter,
            sway=_SWAY * (law.quantile(0.84) - law.quantile(0.16)),
            sure=tuple((1.0 - later / max(1e-9, now)) ** 2 for now, later in pairwise(alive)),
        )


def failed_look_delay(failures: int, random: Random, *, retry_after_seconds: float | None = None) -> float:
    """Give the seconds to wait after looks that failed; says nothing about the task.

    Args:
        failures: how many in a row, from 1.
        random: for the jitter, which only lengthens what the gateway asked for.
        retry_after_seconds: what the gateway asked for, or None.

    """
    base = min(_FAILED_CAP, _FAILED_FIRST * 2.0 ** min(max(0, failures - 1), 16))
    if retry_after_seconds is not None:
        return max(0.0, retry_after_seconds) + base * 0.25 * random.random()
    return base * (0.75 + 0.5 * random.random())
