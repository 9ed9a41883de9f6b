"""One item's lease among the tasks in flight."""

from enum import Enum

from toapis_async.batch.items.slots import Slots
from toapis_async.policy.pace.inflight import Refusal
from toapis_async.values.limits import BULK


class _Hold(Enum):
    NONE = "none"
    ON_THE_WAY = "on the way"
    ACCEPTED = "accepted"


class SlotLease:
    """Holds at most one slot, and gives it back exactly once.

    Args:
        slots: where slots come from.
        priority: of the item: 0 interactive, 1 bulk.

    """

    __slots__ = ("_before", "_hold", "_priority", "_slots")

    def __init__(self, slots: Slots, *, priority: int = BULK) -> None:
        self._slots = slots
        self._priority = priority
        self._hold = _Hold.NONE
        self._before = False

    @property
    def limit(self) -> int:
        """Slots that there are now."""
        return self._slots.limit

    @property
    def would_wait(self) -> bool:
        """Whether taking one now would most likely have to wait."""
        return self._hold is _Hold.NONE and self._slots.in_use >= self._slots.limit

    async def take(self) -> None:
        """Acquire a slot unless one is held."""
        if self._hold is _Hold.NONE:
            await self._slots.acquire(again=self._before, priority=self._priority)
            # Only after the wait: a cancellation in line must leave nothing to give back.
            self._hold = _Hold.ON_THE_WAY

    def accepted(self) -> None:
        """Say that the gateway has, or may have, the task."""
        if self._hold is _Hold.ON_THE_WAY:
            self._hold = _Hold.ACCEPTED
            self._slots.accepted()

    def refused(self, refusal: Refusal) -> float:
        """Give the slot back after a 429; return the seconds to wait before taking one again."""
        # A lease that is accepted, or gone, has no submission that the limit could have been about.
        if self._hold is not _Hold.ON_THE_WAY:
            self.give_back()
            return 0.0
        self._hold = _Hold.NONE
        # It was at the head of the line when it was refused, and goes there again.
        self._before = True
        return self._slots.refused(refusal)

    def give_back(self) -> None:
        """Give the slot back if one is held."""
        # Cleared first: several ways of ending an item meet here, and a slot given back twice would be one too many.
        hold, self._hold = self._hold, _Hold.NONE
        if hold is not _Hold.NONE:
            self._slots.release(accepted=hold is _Hold.ACCEPTED)
