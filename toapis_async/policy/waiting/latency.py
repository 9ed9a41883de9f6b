"""The laws of a client, one per kind of task, and the plans made from them."""

from collections import OrderedDict
from collections.abc import Callable
from random import Random

import attrs

from toapis_async.policy.waiting.latency_distribution import LatencyDistribution
from toapis_async.policy.waiting.polling import LookPlan, Polling

_MOST_LAWS = 64  # kinds of task remembered at a time; a run uses a handful
_KEY_BREAK = "\t"
_BUDGET_STEP = 0.1  # of the looks allowed: a smaller change is not worth a new plan


class LatencyBook:
    """Laws and plans by key; the key is of kind, model and resolution.

    Cheap to ask: a plan is made again only when its law has learned enough, or the budget has moved by a tenth.
    """

    __slots__ = ("_begun", "_laws", "_plans")

    def __init__(self) -> None:
        self._begun = 0
        self._laws: OrderedDict[str, LatencyDistribution] = OrderedDict()
        self._plans: dict[str, tuple[Polling, int, float | None, LookPlan]] = {}

    def observe(self, key: str, after: float, by: float, *, known: int = 0, task: int | None = None) -> None:
        """Learn a completion; see ``LatencyDistribution.observe``."""
        self._law(key).observe(after, by, known=known, task=task)

    def watch(self, key: str, polling: Polling, *, looks: Callable[[], float | None]) -> "Watch":
        """Begin to wait for one task; see ``Watch``."""
        self._begun += 1
        return Watch(book=self, key=key, polling=polling, looks=looks, task=self._begun)

    def law(self, key: str) -> LatencyDistribution | None:
        """Give what is known, or None."""
        return self._laws.get(key)

    def plan(self, key: str, polling: Polling, *, looks: float | None) -> LookPlan:
        """Give the current plan for tasks of this key; see ``Polling.plan``."""
        law = self._laws.get(key)
        version = -1 if law is None else law.version
        known = self._plans.get(key)
        if known is not None and known[0] is polling and known[1] == version and _alike(known[2], looks):
            return known[3]
        plan = polling.plan(law, looks=looks)
        self._plans[key] = (polling, version, looks, plan)
        if len(self._plans) > _MOST_LAWS:
            del self._plans[next(iter(self._plans))]
        return plan

    def to_text(self) -> str:
        """Write all laws, a line each."""
        return "\n".join(f"{key}{_KEY_BREAK}{law.to_text()}" for key, law in self._laws.items())

    def merge_text(self, text: str) -> None:
        """Add what ``to_text`` wrote earlier; what cannot be read is left out, for a law is only a hint."""
        for line in text.split("\n"):
            key, found, rest = line.partition(_KEY_BREAK)
            if found:
                self._law(key).merge_text(rest)

    @classmethod
    def from_text(cls, text: str) -> "LatencyBook":
        """Read what ``to_text`` wrote."""
        book = cls()
        book.merge_text(text)
        return book

    def _law(self, key: str) -> LatencyDistribution:
        law = self._laws.get(key)
        if law is None:
            law = self._laws[key] = LatencyDistribution()
            if len(self._laws) > _MOST_LAWS:
                oldest, _ = self._laws.popitem(last=False)
                self._plans.pop(oldest, None)
        return law


@attrs.define(kw_only=True)
class Watch:
    """The wait for one task: a plan that also learns from the looks which found the task unfinished.

    Ask ``next_delay`` once before each look, and after a look that failed not at all; end with ``finished``.
    """

    book: LatencyBook
    key: str
    polling: Polling
    looks: Callable[[], float | None]
    task: int | None = None
    _asked: bool = attrs.field(default=False, init=False)
    _known: int = attrs.field(default=0, init=False)

    def next_delay(self, elapsed: float, random: Random) -> float:
        """See ``LookPlan.next_delay``."""
        if self._asked and (law := self.book.law(self.key)) is not None:
            self._known = law.unfinished(self._known, elapsed, task=self.task)
        self._asked = True
        return self.book.plan(self.key, self.polling, looks=self.looks()).next_delay(elapsed, random)

    def finished(self, after: float, by: float) -> None:
        """Learn that it finished; see ``LatencyDistribution.observe``."""
        self.book.observe(self.key, after, by, known=self._known, task=self.task)
        self._known = 0

    def gone(self) -> None:
        """Stop waiting without a completion to learn from; what its looks said stays learned."""
        self._known = 0


def _alike(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _BUDGET_STEP * one
