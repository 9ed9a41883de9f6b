"""Where the items of a run come from: taken as slots become free, and begun where an earlier run left them."""

from collections.abc import AsyncIterator

import attrs

from toapis_async.batch.incoming.inputs import Inputs
from toapis_async.batch.incoming.item_index import IncomingItem
from toapis_async.batch.items.item_run import Deliver
from toapis_async.batch.runs.run import Run
from toapis_async.batch.runs.starting import ItemStarter
from toapis_async.errors import BudgetExceededError, ToAPIsError


@attrs.define(kw_only=True)
class Feed:
    """Where the items of a run come from.

    Attributes:
        before: what earlier runs left and is to be finished first.
        inputs: the input proper.
        after: attempts of earlier runs that the input did not name again.
        deliver: takes every outcome.

    """

    before: AsyncIterator[IncomingItem] | None = None
    inputs: Inputs
    after: AsyncIterator[IncomingItem] | None = None
    deliver: Deliver

    async def start_items(self, run: Run) -> None:
        """Start items, one for each free slot, until the input ends.

        At most one item waits here for its slot; an input that is waited for holds none.
        """

        def over_budget(error: ToAPIsError) -> None:
            run.enough(error) if isinstance(error, BudgetExceededError) else run.stop(error, drain=True)

        starter = ItemStarter(
            run=run,
            item_index=self.inputs.item_index,
            deliver=self.deliver,
            over_budget=over_budget,
            retry_failed=run.context.settings.retry_failed,
        )
        try:
            await self._start_all(starter, self.before)
            while (entry := await self._next(run)) is not None:
                # Freed only when it is under way: until then no input beside this one may be given the same key.
                try:
                    await starter.begin(entry)
                finally:
                    self.inputs.item_index.free([entry])
        finally:
            # An input may be a generator of the user's that holds a file open, whatever ended the run.
            await self.inputs.aclose()
        # Last: what the input names again was taken up there, with the input's own context.
        await self._start_all(starter, self.after)

    async def _next(self, run: Run) -> IncomingItem | None:
        if run.draining or run.full:
            return None
        # Links live for 24 hours: to submit faster than files are fetched would let them die.
        await run.caught_up()
        return await self.inputs.next()

    async def _start_all(self, starter: ItemStarter, entries: AsyncIterator[IncomingItem] | None) -> None:
        if entries is not None:
            async for entry in entries:
                await starter.begin(entry)
