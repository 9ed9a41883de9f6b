"""Outcomes on their way from the run to whoever reads its stream."""

import asyncio

from toapis_async.batch.outcomes import Outcome


class OutcomeQueue:
    """A queue with an end. A slow reader holds up whoever puts outcomes in.

    Args:
        room: outcomes that may wait for the reader.

    """

    __slots__ = ("_ended", "_queue")

    def __init__(self, room: int) -> None:
        # asyncio's own: a memory stream of anyio costs ten times as much, and every item passes here.
        self._queue: asyncio.Queue[Outcome | None] = asyncio.Queue(room)
        self._ended = False

    async def put(self, outcome: Outcome) -> None:
        """Add an outcome as soon as there is room."""
        await self._queue.put(outcome)

    async def get(self) -> Outcome | None:
        """Take the next outcome; None when there will be no more."""
        # The mark of the end may not have fitted in, so it is not relied on here.
        if self._ended and self._queue.empty():
            return None
        outcome = await self._queue.get()
        if outcome is None:
            self._queue.put_nowait(None)  # for whoever else reads
        return outcome

    def end(self) -> None:
        """Say that no more will be put in; what is there can still be read."""
        self._ended = True
        if not self._queue.full():  # where it is full nobody waits for more
            self._queue.put_nowait(None)

    def shut(self) -> None:
        """Drop what is there: nobody reads any more. Called once nobody puts anything in."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self.end()
