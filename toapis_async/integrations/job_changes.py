"""Who waits for the next change of which job."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from toapis_async.values.jobs import StoredState


class Change:
    """The next change of one job, for one who waits."""

    __slots__ = ("_event", "_seen")

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._seen: StoredState | None = None

    def seen(self, state: StoredState) -> None:
        """Hear how the job stood when it was last looked at."""
        self._seen = state

    def stands(self, state: StoredState) -> None:
        """Hear how it stands now."""
        if self._seen is not None and state != self._seen:
            self.happened()

    def happened(self) -> None:
        """Wake who waits."""
        self._event.set()

    async def wait(self, seconds: float | None) -> bool:
        """Wait for a change, for so many seconds or, with None, without end; return whether there was one."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class JobChanges:
    """Brings changes to whoever waits for them."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[Change]] = {}
        self.closed: bool = False

    @property
    def watched(self) -> tuple[str, ...]:
        """The jobs that somebody waits for."""
        return tuple(self._waiting)

    @contextmanager
    def of(self, job_id: str) -> Iterator[Change]:
        """Wait for changes from here on."""
        change = Change()
        if self.closed:
            change.happened()
        self._waiting.setdefault(job_id, set()).add(change)
        try:
            yield change
        finally:
            waiting = self._waiting[job_id]
            waiting.discard(change)
            if not waiting:
                del self._waiting[job_id]

    def changed(self, job_id: str) -> None:
        """Tell of a change."""
        for change in self._waiting.get(job_id, ()):
            change.happened()

    def stands(self, job_id: str, state: StoredState) -> None:
        """Tell how a job of another worker stands."""
        for change in self._waiting.get(job_id, ()):
            change.stands(state)

    def close(self) -> None:
        """Wake everybody for good."""
        self.closed = True
        for waiting in self._waiting.values():
            for change in waiting:
                change.happened()
