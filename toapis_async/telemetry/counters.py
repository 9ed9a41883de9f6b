"""Counting what happens, at a fraction of a microsecond for each event: attached to every client."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias

from toapis_async.errors import RateLimitError
from toapis_async.ports.events import (
    AttemptBegun,
    AttemptSettled,
    Event,
    ItemFailed,
    ItemSaved,
    ItemSkipped,
    ItemUnfinished,
    TaskFinished,
    TaskLate,
    TaskLookedAt,
    TransferDone,
    TransferRetried,
)
from toapis_async.telemetry.metrics import Metrics
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import TaskStatus

Facts: TypeAlias = Mapping[str, object]

OTHER_LABELS = "(other)"
_MOST_LABELS = 10_000


class Counters:
    """Figures that grow; ``metrics()`` reads them. An event is counted by its facts and need not be made for it.

    Attributes:
        in_flight: tasks that are waited for now; kept by whoever waits.

    """

    __slots__ = ("_cost_usd", "_counts", "_seconds", "in_flight")

    def __init__(self) -> None:
        self.in_flight: int = 0
        self._counts: dict[str, int] = dict.fromkeys(_COUNTS, 0)
        self._seconds: dict[str, float] = {"task_seconds": 0.0, "notice_seconds": 0.0}
        self._cost_usd: dict[str | None, Decimal] = {}

    def count(self, event: Callable[..., Event], request: GenerationRequest | None, facts: Facts) -> None:
        """Count one event, given by its class and what it would be made of."""
        counting = _COUNTING.get(event)
        if counting is not None:
            counting(self, request, facts)

    def metrics(self) -> Metrics:
        """Return the figures as they stand."""
        cost_usd = MappingProxyType(dict(self._cost_usd))
        return Metrics(in_flight=self.in_flight, cost_usd=cost_usd, **self._counts, **self._seconds)  # type: ignore[arg-type]

    def _attempt_settled(self, _: GenerationRequest | None, facts: Facts) -> None:
        self._counts[str(facts["result"])] += 1
        self._refused(facts)

    def _looked_at(self, _: GenerationRequest | None, facts: Facts) -> None:
        self._counts["looks"] += 1
        if facts.get("error") is not None:
            self._counts["failed_looks"] += 1
            self._refused(facts)

    def _refused(self, facts: Facts) -> None:
        if isinstance(facts.get("error"), RateLimitError):
            self._counts["rate_limited"] += 1

    def _finished(self, request: GenerationRequest | None, facts: Facts) -> None:
        counts = self._counts
        counts["completed" if facts["status"] is TaskStatus.COMPLETED else "failed"] += 1
        counts["told"] += bool(facts.get("told"))
        for name, total, number in (("seconds", "task_seconds", "timed"), ("notice_seconds",) * 2 + ("noticed",)):
            seconds = facts.get(name)
            if isinstance(seconds, float):
                self._seconds[total] += seconds
                counts[number] += 1
        cost = facts.get("cost_usd")
        if isinstance(cost, Decimal) and facts["status"] is TaskStatus.COMPLETED:
            label = getattr(request, "label", None)
            if label not in self._cost_usd and len(self._cost_usd) >= _MOST_LABELS:
                label = OTHER_LABELS
            self._cost_usd[label] = self._cost_usd.get(label, Decimal(0)) + cost

    def _transferred(self, _: GenerationRequest | None, facts: Facts) -> None:
        size = facts["bytes"]
        self._counts["files"] += 1
        self._counts["bytes"] += size if isinstance(size, int) else 0


_Counting: TypeAlias = Callable[[Counters, GenerationRequest | None, Facts], None]


def _one(name: str) -> _Counting:
    def count(counters: Counters, _: GenerationRequest | None, __: Facts) -> None:
        counters._counts[name] += 1  # noqa: SLF001  # of this file

    return count


_COUNTING: dict[Callable[..., Event], _Counting] = {
    AttemptBegun: _one("submissions"),
    AttemptSettled: Counters._attempt_settled,  # noqa: SLF001
    TaskLookedAt: Counters._looked_at,  # noqa: SLF001
    TaskLate: _one("late"),
    TaskFinished: Counters._finished,  # noqa: SLF001
    TransferDone: Counters._transferred,  # noqa: SLF001
    TransferRetried: _one("transfer_retries"),
    ItemSaved: _one("saved"),
    ItemSkipped: _one("skipped"),
    ItemFailed: _one("failed_items"),
    ItemUnfinished: _one("unfinished"),
}
_COUNTS = (
    *("submissions", "accepted", "not_accepted", "in_doubt", "rate_limited", "looks", "failed_looks", "late"),
    *("completed", "failed", "told", "timed", "noticed", "files", "bytes", "transfer_retries"),
    *("saved", "skipped", "failed_items", "unfinished"),
)
