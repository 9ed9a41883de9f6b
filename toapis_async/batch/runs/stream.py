"""A session's outcomes as an async iterator."""

from collections.abc import Callable
from contextlib import suppress
from typing import Self

import anyio

from toapis_async.batch.outcomes import Outcome
from toapis_async.batch.runs.outcome_queue import OutcomeQueue
from toapis_async.batch.runs.run import Run


class OutcomeStream:
    """Outcomes as they come, each item's once. Made by ``session.stream()``.

    Iterate over it; leave it early as you like: what is under way is stopped when the stream is closed with
    ``aclose()``, is let go of, or the session ends, and a later stream or run goes on with it.
    """

    def __init__(self, run: Run, begin: Callable[[], OutcomeQueue]) -> None:
        self._run = run
        self._outcomes: OutcomeQueue | None = None
        self._begin: Callable[[], OutcomeQueue] | None = begin

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        """Return the next outcome.

        Raises:
            StopAsyncIteration: every item has ended, or the run was drained.
            ToAPIsError: what stopped the whole run: no key, no money, no network, no disk.

        """
        if self._begin is not None:
            begin, self._begin = self._begin, None
            self._outcomes = begin()
        if self._outcomes is not None:
            outcome = await self._outcomes.get()
            if outcome is not None:
                return outcome
        error = self._run.take_error()
        if error is not None:
            raise error
        raise StopAsyncIteration

    def __del__(self) -> None:
        # Left early and let go of: nobody will ever read the rest.
        if self._outcomes is not None and not self._run.over.is_set():
            with suppress(RuntimeError):  # the event loop has gone before us
                self._run.cancel()

    def close(self) -> None:
        """Yield no more; called by the session once nothing of it runs."""
        self._begin = None
        if self._outcomes is not None:
            self._outcomes.shut()

    async def aclose(self) -> None:
        """Stop what is under way and wait until nothing of it runs. Paid tasks stay in the journal.

        Called by its own input, it does not wait.
        """
        if self._outcomes is not None:
            self._run.cancel()
            if self._run.is_here:
                return
            # Closing often happens inside a cancellation, and what is being sent has to be on the books first.
            with anyio.CancelScope(shield=True):
                await self._run.over.wait()
        # Not before: whoever waits to deliver would take a closed stream for a defect.
        self.close()
