"""Counting a run: items by how they ended, and money by how far it has gone."""

from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

from toapis_async.batch.outcomes import Failed, Outcome, Saved, Unfinished
from toapis_async.values.records import ItemRecord, ItemState

ZERO = Decimal(0)

Stage: TypeAlias = Literal["planned", "pending", "spent", "free"]
"""``planned``: nothing of it is at the gateway. ``pending``: accepted, or perhaps accepted, and no cost is told yet.
``spent``: the gateway has told the cost. ``free``: it costs nothing."""

_NOT_SENT = frozenset({ItemState.OPEN})
_AT_WORK = frozenset({ItemState.INTENDED, ItemState.ACCEPTED})


@attrs.define
class Tally:
    """Counts, live; nothing in it grows with the number of items, only with that of labels. Amounts are USD.

    Attributes:
        taken: items taken from the input.
        saved, skipped, failed, unfinished, not_sent, unknown: items that ended; see ``Report``.
        short: saved items with fewer files than were asked for.
        unpriced: saved items whose cost the gateway did not say.
        cost_usd: what the gateway said that the items saved by this run cost.
        spent_usd: what the gateway said that it charged; like those that follow, over all runs of the directory.
        pending_usd: estimates of what it has, or may have, and has told no cost of.
        planned_usd: estimates of what was taken in and not sent yet.
        unestimated: items in no sum, since neither a cost nor a price is known.

    """

    taken: int = 0
    saved: int = 0
    skipped: int = 0
    failed: int = 0
    unfinished: int = 0
    not_sent: int = 0
    unknown: int = 0
    short: int = 0
    unpriced: int = 0
    unestimated: int = 0
    cost_usd: Decimal = ZERO
    spent_usd: Decimal = ZERO
    pending_usd: Decimal = ZERO
    planned_usd: Decimal = ZERO
    _spent: dict[str | None, Decimal] = attrs.field(factory=dict, init=False)

    @property
    def committed_usd(self) -> Decimal:
        """What was spent, and what the gateway is expected to charge for what it has or may have."""
        return self.spent_usd + self.pending_usd

    @property
    def projected_usd(self) -> Decimal:
        """What is committed, and what was taken in and is still to be sent."""
        return self.committed_usd + self.planned_usd

    def add(self, stage: Stage, amount: Decimal | None, *, times: int = 1) -> None:
        """Count an amount at its stage; None is an unknown one."""
        if stage == "free":
            return
        if amount is None:
            self.unestimated += times
            return
        match stage:
            case "spent":
                self.spent_usd += amount * times
            case "pending":
                self.pending_usd += amount * times
            case "planned":
                self.planned_usd += amount * times

    def ended(self, outcome: Outcome) -> None:
        """Count an item's end; its money is an ``ItemAccount``'s."""
        match outcome:
            case Saved(resumed=True):
                self.skipped += 1
                self.short += outcome.missing > 0
            case Saved():
                self.saved += 1
                self.short += outcome.missing > 0
                self.unpriced += outcome.cost is None
                self.cost_usd += outcome.cost or ZERO
                self._spend(outcome, outcome.cost)
            case Failed():
                self.failed += 1
                self._spend(outcome, None if outcome.task is None else outcome.task.cost)
            case Unfinished():
                self.not_sent += not outcome.sent
                self.unfinished += outcome.sent
                self.unknown += outcome.unknown

    def spent(self, label: str | None) -> Decimal:
        """Return what the gateway said that ended items of that label cost; None for those without one."""
        return self._spent.get(label, ZERO)

    def _spend(self, outcome: Outcome, cost: Decimal | None) -> None:
        if cost:
            label = outcome.item.request.label
            self._spent[label] = self._spent.get(label, ZERO) + cost


def stage_of(record: ItemRecord | None, estimate: Decimal | None) -> tuple[Stage, Decimal | None]:
    """Return how far an item's money has gone, by what the journal holds of it.

    Args:
        record: of the item; None before its first attempt.
        estimate: what it is expected to cost in USD, or None.

    """
    if record is None or record.state in _NOT_SENT:
        return "planned", estimate
    if record.cost_usd is not None:
        return "spent", Decimal(record.cost_usd)
    if record.state is ItemState.FAILED:
        return "free", ZERO
    return "pending", estimate


@attrs.define(kw_only=True)
class ItemAccount:
    """One item's money, moved on in the tally as the item goes on.

    Attributes:
        tally: where it is counted.
        estimate: what it is expected to cost in USD, or None.
        stage, amount: where it stands; what the tally holds of it already.

    """

    tally: Tally
    estimate: Decimal | None
    stage: Stage = "free"
    amount: Decimal | None = ZERO

    def follow(self, record: ItemRecord | None) -> None:
        """Move on to where the item's record stands; what was spent stays spent while nothing newer is told."""
        stage, amount = stage_of(record, self.estimate)
        # A new attempt, or files fetched again, does not take back what the first task has cost.
        if self.stage == "spent" and stage == "pending":
            return
        self._move(stage, amount)

    def charged(self, cost: Decimal) -> None:
        """Hear what a task that failed has cost all the same; 0 where it was refunded."""
        self._move("spent", cost) if cost else self._move("free", ZERO)

    def give_back(self) -> None:
        """Hear that nothing of what was planned will be sent by this run."""
        if self.stage == "planned":
            self._move("free", ZERO)

    def _move(self, stage: Stage, amount: Decimal | None) -> None:
        if (stage, amount) != (self.stage, self.amount):
            # Out of the old sum and into the new one in one turn of the loop: a budget that looks never sees it in
            # neither.
            self.tally.add(self.stage, self.amount, times=-1)
            self.tally.add(stage, amount)
            self.stage, self.amount = stage, amount
