"""A worker's part of the tasks that may be in flight."""

from collections.abc import Callable
from weakref import WeakSet

from toapis_async.transport.rate_limiter import TaskHolder


class LeasedPlaces:
    """``TaskPlaces`` that were lent; what its holders have and want is in the next report.

    Args:
        due: called when a report should not wait.

    """

    def __init__(self, due: Callable[[], None]) -> None:
        self._due = due
        # Weak: a session that is dropped without being closed must not hold places for ever.
        self._holders: WeakSet[TaskHolder] = WeakSet()
        self._lent = 0

    @property
    def in_use(self) -> int:
        """Tasks in flight here."""
        return sum(holder.in_use for holder in self._holders)

    @property
    def waiting(self) -> int:
        """Tasks that would be, besides."""
        return sum(holder.waiting for holder in self._holders)

    def join(self, holder: TaskHolder) -> None:
        """See ``TaskPlaces.join``."""
        self._holders.add(holder)

    def free(self) -> bool:
        """See ``TaskPlaces.free``."""
        if self.in_use < self._lent:
            return True
        self._due()
        return False

    def lend(self, places: int) -> None:
        """Hear how many there may be from now on; tasks that are in flight already stay."""
        self._lent = places
        if self.in_use < places:
            for holder in self._holders:
                holder.call_up()

    def lend_at_least(self, places: int) -> None:
        """Begin with so many where none were ever lent: whoever cannot hear the others must not stand still."""
        if not self._lent:
            self.lend(places)
