"""What a run's input holds, and how much of it is still to come."""

from decimal import Decimal

import attrs

from toapis_async.batch.outcomes import Report
from toapis_async.batch.session import GenerationSession
from toapis_async.errors import BudgetExceededError

ZERO = Decimal(0)


@attrs.define(kw_only=True)
class Expectation:
    """What was counted in the input before anything was sent.

    Attributes:
        total: requests that are to be made; None where the input was not read.
        cost_usd: what they are expected to cost, those with a price.
        beyond: further requests, which would pass ``max_images``.
        max_images: the most that may be asked for; None for no such cap.

    """

    total: int | None = None
    cost_usd: Decimal = ZERO
    beyond: int = 0
    max_images: int | None = None
    _committed_before: Decimal = ZERO

    def begin(self, report: Report) -> None:
        """Take note of what earlier runs have committed for requests of the same input."""
        self._committed_before = report.committed_usd

    def to_come(self, session: GenerationSession) -> Decimal:
        """Return what the requests that were not taken from the input yet are expected to cost, in USD."""
        if not self.total:
            return ZERO
        untaken = max(0, self.total - session.statistics.taken)
        return max(ZERO, min(self.cost_usd * untaken / self.total, self.cost_usd - self._committed_before))

    def left(self, report: Report) -> int:
        """Return how many requests of the input have not been taken from it."""
        if self.total is None:
            return 0
        ended = report.saved + report.skipped + report.failed + report.unfinished + report.not_sent
        return max(0, self.total - ended) + self.beyond

    def enough(self) -> BudgetExceededError:
        """Make the error for an input that asks for more images than it may."""
        return BudgetExceededError(
            f"--max-images {self.max_images} is reached; {self.beyond:,} further requests were not sent.",
            hint="What was accepted is finished and kept. Raise --max-images to go on.",
        )
