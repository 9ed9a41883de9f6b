"""Counting a run: items by how they ended, and money."""

from decimal import Decimal

import attrs

from toapis_async.batch.outcomes import Failed, Outcome, Saved, Unfinished
from toapis_async.errors import SubmissionUnknownError

ZERO = Decimal(0)


@attrs.define
class Tally:
    """Counts, live; nothing in it grows with the number of items, only with that of labels.

    Attributes:
        taken: items taken from the input.
        committed_usd: what accepted, unknown and planned items cost or are estimated to cost.
        unestimated: items without a known price; they are in no sum.

    """

    taken: int = 0
    saved: int = 0
    skipped: int = 0
    failed: int = 0
    unfinished: int = 0
    unknown: int = 0
    unpriced: int = 0
    unestimated: int = 0
    cost_usd: Decimal = ZERO
    committed_usd: Decimal = ZERO
    _spent: dict[str | None, Decimal] = attrs.field(factory=dict, init=False)

    def plan(self, estimate: Decimal | None) -> None:
        """Count an item that is about to be submitted."""
        if estimate is None:
            self.unestimated += 1
        else:
            self.committed_usd += estimate

    def take_back(self, estimate: Decimal | None) -> None:
        """Forget what was planned for an item that was left unsent."""
        self._correct(ZERO, estimate)

    def spent_before(self, cost_usd: str | None, estimate: Decimal | None) -> None:
        """Count an item of an earlier run towards what is committed."""
        self.plan(estimate if cost_usd is None else Decimal(cost_usd))

    def ended(self, outcome: Outcome, estimate: Decimal | None, *, sent: bool) -> None:
        """Count an item's end.

        Args:
            outcome: how it ended.
            estimate: what was planned for it, or None.
            sent: whether the gateway has, or may have, a task for it.

        """
        match outcome:
            case Saved(resumed=True):
                self.skipped += 1
            case Saved():
                self.saved += 1
                self._cost(outcome.cost, estimate)
                self._spend(outcome, outcome.cost)
            case Failed():
                self.failed += 1
                charged = ZERO if outcome.task is None else outcome.task.cost
                self._correct(charged or ZERO, estimate)
                self._spend(outcome, charged)
            case Unfinished():
                self.unfinished += 1
                self.unknown += isinstance(outcome.error, SubmissionUnknownError)
                if not sent:
                    self._correct(ZERO, estimate)

    def spent(self, label: str | None) -> Decimal:
        """Return what the gateway said that ended items of that label cost; None for those without one."""
        return self._spent.get(label, ZERO)

    def _spend(self, outcome: Outcome, cost: Decimal | None) -> None:
        if cost:
            label = outcome.item.request.label
            self._spent[label] = self._spent.get(label, ZERO) + cost

    def _cost(self, cost: Decimal | None, estimate: Decimal | None) -> None:
        if cost is None:
            self.unpriced += 1
            return
        self.cost_usd += cost
        self._correct(cost, estimate)

    def _correct(self, cost: Decimal, estimate: Decimal | None) -> None:
        """Put what it cost in lease of what it was thought to cost."""
        self.committed_usd += cost - (estimate or ZERO)
        if estimate is None:
            self.unestimated -= self.unestimated > 0
