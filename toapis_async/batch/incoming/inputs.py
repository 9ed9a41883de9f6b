"""The input of a run: taken lazily, named, and looked up in the journal."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from types import AsyncGeneratorType
from typing import TypeAlias

import anyio
import attrs

from toapis_async.batch.incoming.item_index import IncomingItem, ItemIndex
from toapis_async.batch.incoming.plain_input import PATIENCE_SECONDS, PlainInput
from toapis_async.batch.outcomes import Item
from toapis_async.values.records import ItemState
from toapis_async.values.requests import GenerationRequest

Requests: TypeAlias = Iterable[GenerationRequest] | AsyncIterable[GenerationRequest]

# Looking up that many at once costs one trip to the journal's thread instead of one each; only where there is
# something to look up.
LOOKUP_BATCH = 256


class Inputs:
    """Entries of an iterable or async iterable of requests, taken one at a time as they are asked for.

    Where the journal has something to look up, a plain iterable is taken in batches of up to 256. Generators are
    closed with the input.

    Args:
        source: of the requests.
        item_index: names them.
        recovered: whether to give those too that the session has taken up from an earlier run by itself.
        number: which input of the session it is, from 0; later ones look up what the earlier ones have sent.

    """

    def __init__(self, source: Requests, item_index: ItemIndex, *, recovered: bool = False, number: int = 0) -> None:
        self.item_index = item_index
        self._recovered = recovered or number > 0
        self._mark = input_mark(number)
        self._ready: deque[IncomingItem] = deque()
        self._source: AsyncIterator[GenerationRequest] | PlainInput
        if isinstance(source, AsyncIterable):
            self._source = aiter(source)
        else:
            self._source = PlainInput(source, item_index.gateway.clock)

    @property
    def _lookups(self) -> bool:
        """Whether an item may be known: an earlier run, or another input of this session, may have sent it."""
        return self.item_index.inputs > 1 or not self.item_index.has_nothing_to_find

    async def next(self) -> IncomingItem | None:
        """Return the next entry, or None at the end of the input."""
        while not self._ready:
            if (entries := await self._take()) is None:
                return None
            self._ready.extend(entries)
        return self._ready.popleft()

    async def _take(self) -> list[IncomingItem] | None:
        """Take some entries, of which none may be wanted; None at the end of the input."""
        requests = await self._pull(LOOKUP_BATCH if self._lookups else 1)
        if not requests:
            return None
        contents = await self.item_index.contents_of(requests)
        lookups = self._lookups  # asked for now: another input may have begun during the wait for this one
        named = [
            self.item_index.name(request, mark=self._mark, check_later=lookups, contents=contents)
            for request in requests
        ]
        entries = [self._unless_in_work(entry) for entry in named if self._is_wanted(entry)]
        if not lookups:
            return entries
        known = [entry for entry in entries if entry.error is None]
        try:
            looked_up = iter(await self.item_index.look_up(known))
        except BaseException:
            self.item_index.free(known)
            raise
        found = [entry if entry.error is not None else next(looked_up) for entry in entries]
        # What has kept the name that an earlier version gave it is known as taken up only now.
        known_again = [self._unless_renamed_in_work(entry) for entry in found if self._is_wanted(entry)]
        return [self.item_index.checked(entry) for entry in known_again]

    def _is_wanted(self, entry: IncomingItem) -> bool:
        if self._recovered or not self.item_index.has_recovered(entry):
            return True
        self.item_index.free([entry])
        return False

    def _unless_in_work(self, entry: IncomingItem) -> IncomingItem:
        """Refuse what the session has taken up from an earlier run by itself and has not finished yet."""
        if entry.error is None and entry.item.key in self.item_index.in_work:
            return self.item_index.refused_in_work(entry)
        return entry

    def _unless_renamed_in_work(self, entry: IncomingItem) -> IncomingItem:
        return self._unless_in_work(entry) if entry.item.key == entry.former_key else entry

    async def aclose(self) -> None:
        """Free what was taken and never asked for, and close the generator it came from.

        An async generator whose ``finally`` is not over after five seconds is cancelled there.
        """
        self.item_index.free(self._ready)
        self._ready.clear()
        if isinstance(self._source, PlainInput):
            await self._source.aclose()
        elif isinstance(self._source, AsyncGeneratorType):
            # In the task that has read it, since a generator may hold what belongs to a task.
            with anyio.move_on_after(PATIENCE_SECONDS, shield=True):
                await self._source.aclose()

    async def _pull(self, most: int) -> list[GenerationRequest]:
        if isinstance(self._source, PlainInput):
            return await self._source.take(most)
        try:
            return [await anext(self._source)]
        except StopAsyncIteration:
            return []


def input_mark(number: int) -> str:
    """Return what tells the names of one input from those of others of the session."""
    return f"\0{number}\0" if number else ""


async def paid_for(item_index: ItemIndex) -> AsyncIterator[IncomingItem]:
    """Walk what an earlier run has paid for: finished tasks by expiry, then accepted ones."""
    if item_index.journal.empty_at_open:
        return
    for state in (ItemState.FINISHED, ItemState.ACCEPTED):
        async for record in item_index.journal.items(state):
            if record.key not in item_index.in_work:  # a job goes on with it already
                yield item_index.take_up(record)


async def leftovers(item_index: ItemIndex) -> AsyncIterator[IncomingItem]:
    """Walk the attempts of unknown fate that an earlier run left and this run's input has not named again."""
    if item_index.journal.empty_at_open:
        return
    async for record in item_index.journal.items(ItemState.INTENDED):
        if not item_index.has_begun(record.key):
            yield IncomingItem(
                item=Item(key=record.key, request=record.request, digest=record.digest), record=record, ask_only=True
            )


async def begun(item_index: ItemIndex) -> AsyncIterator[GenerationRequest]:
    """Walk the requests that an earlier run has begun and that may have to be sent again."""
    if item_index.journal.empty_at_open:
        return
    async for record in item_index.journal.items(ItemState.INTENDED, ItemState.OPEN, ItemState.FAILED):
        if not item_index.has_begun(record.key):
            yield attrs.evolve(record.request, id=record.key)
