"""``Metrics``: the figures of a client at one moment."""

from collections.abc import Mapping
from decimal import Decimal

import attrs


@attrs.frozen(kw_only=True)
class Metrics:
    """What a client has done since it was made, in single calls and sessions. All but ``in_flight`` only grow.

    Attributes:
        submissions: POSTs that were begun.
        accepted: tasks that came of them, and are charged.
        not_accepted: submissions of which it is known that nothing came.
        in_doubt: submissions of which it was not known for a while, or is not known, what came of them.
        rate_limited: submissions and looks that were answered with 429.
        in_flight: tasks that are waited for at this moment.
        looks: how often the gateway was asked how a task stands; ``failed_looks`` of them brought no answer.
        late: tasks that outlasted our patience.
        completed, failed: tasks that the gateway finished, as far as they were waited for.
        told: of those the ones whose end was told by a webhook, not by a look.
        task_seconds: how long finished tasks took since they were accepted, summed over ``timed`` tasks.
        notice_seconds: how long after its end a task was known to have ended, summed over ``noticed`` tasks; the
            gateway dates ends to the second, so each is right to about one second.
        files, bytes: fetched and verified.
        transfer_retries: transfers that broke and were tried again.
        saved, skipped, failed_items, unfinished: items of sessions that ended so.
        cost_usd: what the gateway said that completed tasks cost, by the label of their request; None for those
            without a label. Beyond 10,000 labels new ones are counted under ``"(other)"``.

    """

    submissions: int = 0
    accepted: int = 0
    not_accepted: int = 0
    in_doubt: int = 0
    rate_limited: int = 0
    in_flight: int = 0
    looks: int = 0
    failed_looks: int = 0
    late: int = 0
    completed: int = 0
    failed: int = 0
    told: int = 0
    task_seconds: float = 0.0
    timed: int = 0
    notice_seconds: float = 0.0
    noticed: int = 0
    files: int = 0
    bytes: int = 0
    transfer_retries: int = 0
    saved: int = 0
    skipped: int = 0
    failed_items: int = 0
    unfinished: int = 0
    cost_usd: Mapping[str | None, Decimal] = attrs.field(factory=dict)

    @property
    def total_cost_usd(self) -> Decimal:
        """What all completed tasks cost, as far as the gateway said."""
        return sum(self.cost_usd.values(), Decimal(0))
