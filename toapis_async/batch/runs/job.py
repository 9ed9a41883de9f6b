"""One submitted request of a session, with an outcome to await."""

import asyncio
from collections.abc import Generator
from typing import Literal, TypeAlias

from toapis_async.batch.items.in_work import Maker
from toapis_async.batch.outcomes import Failed, Outcome, Saved, Unfinished
from toapis_async.values.records import ItemState
from toapis_async.values.requests import GenerationRequest

JobState: TypeAlias = Literal["waiting", "submitting", "in_flight", "saving", "saved", "failed", "unfinished"]
"""``waiting`` for a slot, ``submitting``, ``in_flight`` at the gateway, ``saving`` its files, or how it ended."""

_STATES: dict[ItemState, JobState] = {ItemState.ACCEPTED: "in_flight", ItemState.FINISHED: "saving"}


class Job:
    """One submitted request of a session: ``outcome = await job``.

    Awaiting it raises only what stopped everything (no key, no money, no network, the session was closed); how the
    request itself ended is in the outcome.

    Attributes:
        request: what was submitted.
        key: of its item.

    """

    __slots__ = ("__weakref__", "_maker", "_outcome", "_task_id", "key", "request")

    def __init__(self, request: GenerationRequest, key: str) -> None:
        self.request: GenerationRequest = request
        self.key: str = key
        self._maker: Maker | None = None
        self._task_id: str | None = None
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def __await__(self) -> Generator[object, None, Outcome]:
        # Whoever stops waiting does not take the outcome from others who wait.
        return asyncio.shield(self._outcome).__await__()

    def __repr__(self) -> str:
        task = "" if self.task_id is None else f" task_id={self.task_id!r}"
        return f"<Job key={self.key!r} state={self.state!r}{task}>"

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._outcome.done()

    @property
    def task_id(self) -> str | None:
        """The gateway's task, once there is one."""
        if self._maker is not None and self._maker.recorder.record is not None:
            return self._maker.recorder.record.task_id
        return self._task_id

    @property
    def state(self) -> JobState:
        """How it stands; see ``JobState``."""
        if self._outcome.done():
            return _ended_state(None if self._outcome.exception() else self._outcome.result())
        if self._maker is None:
            return "waiting"
        record = self._maker.recorder.record
        return "submitting" if record is None else _STATES.get(record.state, "submitting")

    def cancel(self) -> bool:
        """Give it up, for everyone who waits for the item; return whether it had not ended.

        What was not sent is not sent. What was accepted is paid for: its task stays in the journal, and the same
        request under the same id, or a later run, goes on with it. The outcome is ``Unfinished``.
        """
        if self._outcome.done() or self._maker is None:
            return False
        self._maker.cancel()
        return True

    def made_by(self, maker: Maker) -> None:
        """Hear who makes it; called by the session."""
        self._maker = maker

    def end(self, outcome: Outcome) -> None:
        """End it; called by the session."""
        self._let_go()
        if outcome.task is not None:
            self._task_id = outcome.task.id
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    def give_up(self, error: Exception) -> None:
        """End it with an error; called by the session."""
        self._let_go()
        if not self._outcome.done():
            self._outcome.set_exception(error)
            self._outcome.exception()  # marked as seen: nobody has to await a job

    def hear(self, end: Outcome | Exception) -> None:
        """End it by either; called by the session."""
        if isinstance(end, Exception):
            self.give_up(end)
        else:
            self.end(end)

    def _let_go(self) -> None:
        # The maker holds the item's run with all its parts; a job may be kept for as long as its user likes.
        self._task_id, self._maker = self.task_id, None


def _ended_state(outcome: Outcome | None) -> JobState:
    match outcome:
        case Saved():
            return "saved"
        case Failed():
            return "failed"
        case Unfinished() | None:
            return "unfinished"
