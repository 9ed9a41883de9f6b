"""Items that wait for an outage to end, instead of ending one by one."""

import random as random_module

import attrs

from toapis_async.clock import Clock
from toapis_async.errors import ToAPIsError
from toapis_async.policy.files.host_outage import Held, HostFailures, hold_seconds, judge


@attrs.define(eq=False)
class FileHostWatch:
    """Knows, for a session, which downloads came lately and which did not.

    Attributes:
        came: how many items were fetched.
        down: keys of items that could not be since then.

    """

    came: int = 0
    down: set[str] = attrs.field(factory=set)

    def fetched(self) -> None:
        """Hear that an item's files came: the host is there."""
        self.came += 1
        self.down.clear()


@attrs.define(kw_only=True, eq=False)
class DownloadHold:
    """One item's tries to be fetched.

    Attributes:
        watch: of the session.
        key: of the item.
        clock, random: for waiting between tries.

    """

    watch: FileHostWatch
    key: str
    clock: Clock
    random: random_module.Random
    _tries: int = 0
    _since: float | None = None
    _came_before: int = 0

    def after(self, error: ToAPIsError, *, under_way: int) -> tuple[Held, float]:
        """Return what becomes of the item after a failure, and for how many seconds it is held."""
        now = self.clock.monotonic()
        if self._since is None:
            self._since, self._came_before = now, self.watch.came
        self.watch.down.add(self.key)
        known = HostFailures(
            in_a_row=len(self.watch.down),
            under_way=under_way,
            held_seconds=now - self._since,
            others_came=self.watch.came > self._came_before,
        )
        held = judge(error, known)
        seconds = hold_seconds(self._tries, random=self.random) if held is Held.HOLD else 0.0
        self._tries += 1
        return held, seconds
