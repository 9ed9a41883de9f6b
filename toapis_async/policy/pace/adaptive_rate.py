"""Additive increase, multiplicative decrease: what refusals and successes make of a rate.

Lessons of those who ran such limits: only a 429 cuts, once per cool-down; what was sent before a cut does not count
after it; only a rate that is used grows. A cut is as large as its evidence: to what was served between two refusals,
where that can be told, for at a refusal the gateway's bucket is empty. A gateway that refuses everything says nothing
about the rate: it is asked now and then, and the rate waits. Refusals that stay where they are when the rate is lower
have another reason; their share is borne from then on.
The phases and their reasons: ``docs/flow.md#how-the-rate-is-found``.
"""

from collections import deque
from enum import Enum
from math import exp2

import attrs

from toapis_async.policy.pace.refusal_evidence import ANY_REFUSAL, RefusalEvidence, Threshold

COOL_DOWN_SECONDS = 1.0  # the smallest Retry-After; whatever was on its way at the cut has been answered
CUT = 0.7  # of the rate, when nothing better is known (CUBIC and botocore use 0.7)
_CUT_WHILE_PROBING = 0.5  # what doubles every second is soon back, and a shallow cut is refused for a whole cool-down
_TRUST = 0.98  # of a rate that was measured between two refusals
_LEAST_SERVED = 8  # requests between two refusals, to measure by
_MEASURABLE = 20.0  # seconds between two refusals; after longer ones the bucket may have been full in between
_MEASURABLE_REQUESTS = 400.0  # in place of that where it takes longer: a bucket fills as slowly as its rate is low
_MEASURABLE_RISE = 4.0  # of the rate between them: what came before such a rise was less than the limit
_PROBE_DOUBLINGS = 1.0  # per second until a refusal has shown the rate: from 5/s to 50/s within four seconds
_STEADY_GROWTH = 0.0004  # of the rate, per second and per request per second: one refusal in more than 100 requests
_STEADY_UP_TO = 50.0  # requests per second: 2 % per second is fast enough
_STEADY_DOUBLING = 15.0  # seconds without a refusal until that growth doubles: a raised limit is found
_FASTEST_GROWTH = 0.5  # of the rate per second
_LONGEST_STEP = 2.0  # seconds of growth at a time, however far apart the replies are
_FASTEST = 5000.0  # requests per second; ten times the highest documented tier, and more than one process can send
_SLOWEST = 0.1  # requests per second; below it a run would seem dead
_HOLD = 60  # replies after a cut at which the rate stands still: 5 % of refusals are seen with 95 % certainty
_HOLD_SECONDS = 1.0
_LONGEST_HOLD = 20.0
_CHECK = 0.8  # of the rate, to see whether refusals go away; over 60 replies it costs the time of twelve
_MOST_BORNE = 0.2  # of the replies; more refusals than that are a limit, whatever the rate
_FADE = 0.5  # of the share that is borne, each time that sixty replies hold no refusal
_FORGOTTEN = 0.01
_RELIEVED = 0.95  # of the rate, after they did
_ALL_REFUSED = 5  # replies since the last cut, none of them good: no need to wait for the cool-down to end
_LONGEST_PROBE = 4.0  # seconds between two tries at a gateway that refuses everything; a refused try costs nothing
_DOUBT = 2.0  # served requests that a share of few replies is mixed with
_TIME_TO_SEE = 0.02  # seconds: where many requests come back in that time, more of them say how large a cut must be
_HISTORY = 200  # changes kept

_OPENING = Threshold(tolerated=0.2, height=2.3)  # three refusals in a row, or nearly so
_AFTER_A_CUT = Threshold(tolerated=0.3, height=3.0)


class Phase(Enum):
    """What the rate is doing."""

    PROBING = "probing"
    HOLDING = "holding"
    CHECKING = "checking"
    STEADY = "steady"


class Verdict(Enum):
    """What a refusal was."""

    NOTHING = "nothing"
    LIMIT = "limit"
    OUTAGE = "outage"


@attrs.frozen
class RateChange:
    """A change of the rate.

    Attributes:
        at: monotonic seconds.
        per_second: the new rate.
        reason: ``refused``, ``probed``, ``checked`` or ``headers``.

    """

    at: float
    per_second: float
    reason: str


@attrs.frozen
class Anchor:
    """The last cut, to measure from."""

    at: float
    served: int
    per_second: float


class AdaptiveRate:
    """A rate that follows what is heard; times are monotonic seconds, given by the caller.

    Args:
        per_second: what to start with.
        now: the current time.

    """

    __slots__ = (
        "_anchor",
        "_background",
        "_changed_at",
        "_cool_until",
        "_evidence",
        "_phase",
        "_refusals_in_a_row",
        "_served",
        "history",
        "per_second",
        "refused_at",
    )

    def __init__(self, per_second: float, now: float) -> None:
        self.per_second: float = per_second
        self.history: deque[RateChange] = deque(maxlen=_HISTORY)
        self.refused_at: float | None = None
        self._phase = Phase.PROBING
        self._evidence = RefusalEvidence()
        self._background = 0.0
        self._served = 0
        self._anchor: Anchor | None = None
        self._changed_at = self._cool_until = now
        self._refusals_in_a_row = 0

    @property
    def background(self) -> float:
        """The share of refusals that no lower rate makes go away."""
        return self._background

    @property
    def probe_seconds(self) -> float:
        """How long to wait before the next try while everything is refused."""
        return min(_LONGEST_PROBE, exp2(self._refusals_in_a_row - 1))

    def cooling(self, now: float) -> bool:
        """Tell whether the last cut is so recent that nothing changes."""
        return now < self._cool_until

    def discount(self) -> None:
        """See ``RefusalEvidence.discount``."""
        self._evidence.discount()

    def on_success(self, now: float, unheard: int) -> None:
        """Hear that a request was taken while *unheard* others are out."""
        self._served += 1
        if self._refusals_in_a_row:
            self._refusals_in_a_row = 0
            if self._anchor is None:
                self._evidence.restart(unheard)
                self._changed_at = now
        self._evidence.add(self._threshold(), refused=False)
        self._end_phase(now, unheard)

    def on_refused(self, now: float, unheard: int, *, in_burst: bool, told: bool = False) -> Verdict:
        """Hear a 429.

        Args:
            now: when.
            unheard: requests that are out.
            in_burst: whether it can be about the burst and not the rate.
            told: whether the gateway asked for a pause that concerns everybody.

        """
        shown = self._evidence.add(self._threshold(), refused=True) or told
        refused = self._evidence.refused
        if self.cooling(now) and not (refused >= _ALL_REFUSED and refused == self._evidence.heard):
            return Verdict.NOTHING
        if self._refusals_in_a_row:
            return self._outage(now, unheard)
        if not shown:
            return Verdict.NOTHING
        self._cool_until = now + COOL_DOWN_SECONDS
        self._refusals_in_a_row = 1
        if not in_burst:
            self._cut(now, told=told)
        self._evidence.restart(unheard)
        return Verdict.LIMIT

    def _outage(self, now: float, unheard: int) -> Verdict:
        """Leave the rate alone: nothing was served since the last cut, so no rate would have been slow enough."""
        self._evidence.restart(unheard)
        self._cool_until = now + COOL_DOWN_SECONDS
        self._refusals_in_a_row += 1
        self._anchor = None
        if self.refused_at is not None:
            self.refused_at = now
        return Verdict.OUTAGE

    def _cut(self, now: float, *, told: bool) -> None:
        measured = self._measured(now)
        target = self._estimated() if measured is None else measured
        self._phase = Phase.PROBING if measured is None and not told else Phase.HOLDING
        self.set(now, max(_SLOWEST, min(self.per_second, target)), "refused")
        if self._anchor is None or not self._goes_on(now) or self._served - self._anchor.served >= _LEAST_SERVED:
            self._anchor = Anchor(now, self._served, self.per_second)
        if told:
            self._anchor = None  # during a long pause the gateway's bucket runs full, and hides how fast it does
        self.refused_at = self._changed_at = now

    def _goes_on(self, now: float) -> bool:
        """Tell whether refusals have come so close together that the gateway's bucket was never full between them."""
        longest = max(_MEASURABLE, _MEASURABLE_REQUESTS / self.per_second)
        return self.refused_at is not None and now - self.refused_at <= longest

    def _measured(self, now: float) -> float | None:
        """Give what was served between two refusals, per second; None where it cannot be told."""
        if self._background:
            # A scattered refusal says nothing about the bucket. At a limit, the served share is its share of the rate.
            return max(CUT, min(_TRUST, self._served_share() / (1.0 - self._background))) * self.per_second
        anchor = self._anchor
        if anchor is None or not self._goes_on(now) or self.per_second > _MEASURABLE_RISE * anchor.per_second:
            return None
        served = self._served - anchor.served
        return None if served < _LEAST_SERVED else _TRUST * served / (now - anchor.at)

    def _estimated(self) -> float:
        cut = _CUT_WHILE_PROBING if self._phase is Phase.PROBING else CUT
        return min(cut, self._served_share()) * self.per_second

    def _served_share(self) -> float:
        heard, refused = self._evidence.rising
        return (heard - refused + _DOUBT) / (heard + _DOUBT)

    def _threshold(self) -> Threshold:
        if self._phase is Phase.PROBING:
            return Threshold(tolerated=_OPENING.tolerated, height=max(_OPENING.height, _TIME_TO_SEE * self.per_second))
        if self._phase is not Phase.STEADY:
            return _AFTER_A_CUT
        if not self._background:
            return ANY_REFUSAL
        return Threshold(tolerated=1.5 * self._background + 0.03, height=4.0)

    def _end_phase(self, now: float, unheard: int) -> None:
        if self._phase not in {Phase.HOLDING, Phase.CHECKING}:
            return
        evidence = self._evidence
        held = now - self._changed_at
        if held < _HOLD_SECONDS or (evidence.heard < _HOLD and held < _LONGEST_HOLD):
            return
        share = evidence.share
        if share > _MOST_BORNE:
            # Too many to be scattered: the limit lies lower than was thought.
            self._background, self._phase = 0.0, Phase.HOLDING
            self.set(now, max(_SLOWEST, (1.0 - share) * self.per_second), "checked")
        elif self._phase is Phase.CHECKING:
            self._background, self._phase = share or self._fading(), Phase.STEADY
            self.set(now, self.per_second / _CHECK * (1.0 if share else _RELIEVED), "checked")
        elif share:
            self._phase = Phase.CHECKING
            self.set(now, _CHECK * self.per_second, "checked")
        else:
            self._background, self._phase = self._fading(), Phase.STEADY
        self._changed_at = now
        evidence.restart(unheard)

    def _fading(self) -> float:
        return 0.0 if self._background < _FORGOTTEN else _FADE * self._background

    def grown(self, now: float, elapsed: float) -> float:
        """Give the rate to which one that was used to the full for *elapsed* seconds grows."""
        return max(self.per_second, min(_FASTEST, self.per_second * self._growth(now, elapsed)))

    def _growth(self, now: float, elapsed: float) -> float:
        step = min(elapsed, _LONGEST_STEP)
        if self._phase is Phase.PROBING:
            return exp2(_PROBE_DOUBLINGS * step)
        if self._phase is not Phase.STEADY or self.refused_at is None:
            return 1.0
        share = _STEADY_GROWTH * min(_STEADY_UP_TO, self.per_second)
        share *= exp2(min(30.0, (now - self.refused_at) / _STEADY_DOUBLING))
        return 1.0 + min(_FASTEST_GROWTH, share) * step

    def set(self, now: float, per_second: float, reason: str) -> None:
        """Change the rate."""
        if per_second != self.per_second:
            self.per_second = per_second
            self.history.append(RateChange(now, per_second, reason))
