"""The streams of a session: each a run with an input, read through a queue."""

from functools import partial
from weakref import WeakSet

from toapis_async.batch.incoming.inputs import Inputs, leftovers, paid_for
from toapis_async.batch.incoming.item_index import ItemIndex
from toapis_async.batch.outcomes import Outcome
from toapis_async.batch.runs.feeding import Feed
from toapis_async.batch.runs.outcome_queue import OutcomeQueue
from toapis_async.batch.runs.run import Run
from toapis_async.batch.runs.runs import Runs
from toapis_async.batch.runs.stream import OutcomeStream

# Outcomes that wait for a slow consumer; when there are more, downloads wait, and then submission.
BUFFERED_OUTCOMES = 16


class Streams:
    """Makes streams; the first one finishes what an earlier run has paid for.

    Args:
        runs: of the session.
        item_index: of the session.

    """

    def __init__(self, runs: Runs, item_index: ItemIndex) -> None:
        self._runs = runs
        self._item_index = item_index
        # Not kept alive here: a stream that nobody holds any more has been left.
        self._streams: WeakSet[OutcomeStream] = WeakSet()
        self._resumed = False

    def make(self, inputs: Inputs) -> OutcomeStream:
        """Make a stream; nothing happens before it is read."""
        run = self._runs.new()
        # What an earlier run left is taken up once a session, by whichever stream is made first.
        first, self._resumed = not self._resumed, True

        def begin() -> OutcomeQueue:
            outcomes = OutcomeQueue(BUFFERED_OUTCOMES)
            self._runs.begin(run, partial(self._host, run, inputs, outcomes, first=first))
            return outcomes

        stream = OutcomeStream(run, begin)
        self._streams.add(stream)
        return stream

    def close(self) -> None:
        """Yield no more; called once nothing of them runs."""
        for stream in self._streams:
            stream.close()

    async def _host(self, run: Run, inputs: Inputs, outcomes: OutcomeQueue, *, first: bool) -> None:
        async def deliver(outcome: Outcome) -> None:
            if not run.cancelled:  # then the reader hears why, not of every item that it struck
                await outcomes.put(outcome)

        feed = Feed(
            before=paid_for(self._item_index) if first else None,
            inputs=inputs,
            after=leftovers(self._item_index) if first else None,
            deliver=deliver,
        )
        try:
            # Items of a cancelled run are still under way: begun here as well they would be refused as double.
            await self._runs.cancelled_over(run)
            await run.host(feed)
        finally:
            outcomes.end()
