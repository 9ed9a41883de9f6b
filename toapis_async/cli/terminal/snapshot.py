"""A run at a moment: everything that is shown of it, frozen, and how fast it goes."""

from collections import deque
from decimal import Decimal

import attrs

from toapis_async.batch.outcomes import Report, Statistics

_SHORTEST_SECONDS = 0.1
_PACE_SECONDS = 30.0


@attrs.define
class Pace:
    """How much comes per second, over the last half minute."""

    _samples: deque[tuple[float, int]] = attrs.field(factory=deque)

    def add(self, at: float, count: int) -> None:
        """Note how much there was at an instant."""
        samples = self._samples
        if not samples or at - samples[-1][0] >= _SHORTEST_SECONDS:
            samples.append((at, count))
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
class Snapshot:
    """A run as shown. Amounts are USD, over all runs of the directory.

    Attributes:
        total: items of the input, or None where it is not known.
        saved, failed: items that this run has brought to their end.
        skipped: items that were there already.
        unfinished: items that are paid for, or may be, and could not be brought to their end; resuming goes on.
        not_sent: items of which nothing is at the gateway, and that this run sends no more.
        in_flight, late, saving: items under way.
        files_per_second, items_per_second: of what this run saves and ends, or None.
        spent_usd, committed_usd: see ``Report``.
        projected_usd: what everything of the input will have cost.
        cap_usd: the most that may be committed; None without a cap.
        unestimated: items in no sum.
        reasons: why items failed, and how many.
        limit: the limits in force, in words; empty where there is nothing to say.
        outage: what is not reached, in words; empty while all is well.
        stopping: whether nothing more is sent.

    """

    total: int | None = None
    saved: int = 0
    failed: int = 0
    skipped: int = 0
    unfinished: int = 0
    not_sent: int = 0
    in_flight: int = 0
    late: int = 0
    saving: int = 0
    files_per_second: float | None = None
    items_per_second: float | None = None
    spent_usd: Decimal = Decimal(0)
    committed_usd: Decimal = Decimal(0)
    projected_usd: Decimal = Decimal(0)
    cap_usd: Decimal | None = None
    unestimated: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    limit: str = ""
    outage: str = ""
    stopping: bool = False

    @property
    def done(self) -> int:
        """Items that this run has ended; neither what was there already nor what is unfinished."""
        return self.saved + self.failed

    @property
    def to_do(self) -> int | None:
        """Items that are this run's work, or None where the input's length is not known."""
        return None if self.total is None else max(self.done, self.total - self.skipped)

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at this pace, or None."""
        if self.stopping or self.to_do is None or not self.items_per_second:
            return None
        left = self.to_do - self.done - self.unfinished - self.not_sent
        return left / self.items_per_second if left > 0 else None


def snapshot_of(statistics: Statistics, report: Report, **more: object) -> Snapshot:
    """Put a session's own figures and what is known beside them together."""
    return Snapshot(
        saved=statistics.saved,
        failed=statistics.failed,
        skipped=statistics.skipped,
        unfinished=statistics.unfinished,
        not_sent=statistics.not_sent,
        in_flight=statistics.in_flight,
        late=statistics.late,
        saving=statistics.saving,
        spent_usd=report.spent_usd,
        committed_usd=report.committed_usd,
        unestimated=report.unestimated,
        **more,  # type: ignore[arg-type]  # named by the one caller
    )
