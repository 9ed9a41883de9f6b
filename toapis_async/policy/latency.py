"""The laws of a client, one per kind of task, and the plans made from them."""

from collections import OrderedDict

from toapis_async.policy.latency_law import LatencyLaw
from toapis_async.policy.polling import LookPlan, Polling

_MOST_LAWS = 64  # kinds of task remembered at a time; a run uses a handful
_KEY_BREAK = "\t"


class LatencyBook:
    """Laws and plans by key; the key is of kind, model and resolution.

    Cheap to ask: a plan is made again only when its law has learned enough, or the budget has moved by a tenth.
    """

    __slots__ = ("_laws", "_plans")

    def __init__(self) -> None:
        self._laws: OrderedDict[str, LatencyLaw] = OrderedDict()
        self._plans: dict[str, tuple[Polling, int, float | None, LookPlan]] = {}

    def observe(self, key: str, after: float, by: float) -> None:
        """Learn a completion; see ``LatencyLaw.observe``."""
        law = self._laws.get(key)
        if law is None:
            law = self._laws[key] = LatencyLaw()
            if len(self._laws) > _MOST_LAWS:
                oldest, _ = self._laws.popitem(last=False)
                self._plans.pop(oldest, None)
        law.observe(after, by)

    def law(self, key: str) -> LatencyLaw | None:
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
        return plan

    def to_text(self) -> str:
        """Write all laws, a line each."""
        return "\n".join(f"{key}{_KEY_BREAK}{law.to_text()}" for key, law in self._laws.items())

    def merge_text(self, text: str) -> None:
        """Add what ``to_text`` wrote earlier; what cannot be read is left out."""
        for line in text.splitlines():
            key, found, rest = line.partition(_KEY_BREAK)
            if not found or (key not in self._laws and len(self._laws) >= _MOST_LAWS):
                continue
            self._laws.setdefault(key, LatencyLaw()).merge(LatencyLaw.from_text(rest))

    @classmethod
    def from_text(cls, text: str) -> "LatencyBook":
        """Read what ``to_text`` wrote."""
        book = cls()
        book.merge_text(text)
        return book


def law_key(kind: str, model: str | None, resolution: str | None) -> str:
    """Name the law that a task belongs to."""
    return "|".join(" ".join((part or "").split()) for part in (kind, model, resolution))


def _alike(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 0.1 * one
