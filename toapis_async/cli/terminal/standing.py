"""How a run stands at a moment: what is counted, how fast it goes, how long it will take."""

from collections import deque

import attrs

from toapis_async.batch.outcomes import Report, Statistics
from toapis_async.cli.formatting.amounts import duration_text, usd

_SHORTEST_SECONDS = 0.1
_PACE_SECONDS = 30.0
_NEAR = 0.7


@attrs.define
class Pace:
    """Items per second over the last half minute."""

    _samples: deque[tuple[float, int]] = attrs.field(factory=deque)

    def add(self, at: float, done: int) -> None:
        """Note how many items had ended at an instant."""
        samples = self._samples
        if not samples or at - samples[-1][0] >= _SHORTEST_SECONDS:
            samples.append((at, done))
        while len(samples) > 2 and at - samples[1][0] > _PACE_SECONDS:
            samples.popleft()

    @property
    def per_second(self) -> float | None:
        """Return it, or None before anything is known."""
        if len(self._samples) < 2:
            return None
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        return (after - before) / (last - first) if after > before and last > first else None


@attrs.frozen(kw_only=True)
class Standing:
    """A run at this moment, as shown.

    Attributes:
        statistics, report: of the session.
        total: items of the input, or None where it is not known.
        per_second: items ended, or None.
        stopping: whether nothing more is sent.

    """

    statistics: Statistics
    report: Report
    total: int | None
    per_second: float | None
    stopping: bool = False

    @property
    def done(self) -> int:
        """Items that ended."""
        now = self.statistics
        return now.saved + now.skipped + now.failed + now.unfinished

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at this pace, or None."""
        if self.stopping or self.total is None or not self.per_second or self.total <= self.done:
            return None
        return (self.total - self.done) / self.per_second

    def counts(self) -> list[str]:
        """Say how many stand where; zeros are left out."""
        now = self.statistics
        parts = [f"{now.saved:,} saved"]
        parts += [f"{now.skipped:,} were there already"] if now.skipped else []
        parts += [f"{now.failed:,} failed"] if now.failed else []
        parts += [f"{now.unfinished:,} unfinished"] if now.unfinished else []
        parts.append(f"{now.in_flight:,} in flight")
        parts += [f"{now.saving:,} being saved"] if now.saving else []
        parts += [f"{now.late:,} late"] if now.late else []
        return parts

    def figures(self) -> list[str]:
        """Say pace, money and time; what is not known is left out."""
        pace, limit = self.per_second, self.statistics.submit_per_second
        near = pace is not None and limit is not None and pace >= _NEAR * limit
        bound = f" of {limit:.3g}/s allowed" if near else ""
        parts = [] if pace is None else [f"{pace:.1f}/s{bound}"]
        if money := cost_text(self.report):
            parts.append(money)
        if self.seconds_left is not None:
            parts.append(f"about {duration_text(self.seconds_left)} left")
        return parts + (["stopping; again stops at once"] if self.stopping else [])

    def line(self) -> str:
        """Return everything on one line."""
        total = "" if self.total is None else f"/{self.total:,}"
        return " · ".join([f"{self.done:,}{total}", *self.counts(), *self.figures()])


def cost_text(report: Report) -> str:
    """Return what the run has cost so far, as far as that is known; empty when nothing is."""
    parts = []
    if report.cost_usd:
        parts.append(f"{usd(report.cost_usd)} USD")
    elif report.estimated_usd:
        parts.append(f"about {usd(report.estimated_usd)} USD")
    return "".join(parts)
