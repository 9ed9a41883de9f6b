"""The input of a run: taken lazily, named, and looked up in the journal."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TypeAlias

import attrs

from toapis_async.batch.item_index import IncomingItem, ItemIndex
from toapis_async.batch.outcomes import Item
from toapis_async.values.records import ItemState
from toapis_async.values.requests import GenerationRequest

Requests: TypeAlias = Iterable[GenerationRequest] | AsyncIterable[GenerationRequest]

# Looking up that many at once costs one trip to the journal's thread instead of one each; only where there is
# something to look up.
LOOKUP_BATCH = 256


class Inputs:
    """Entries of an iterable or async iterable of requests, taken one at a time as they are asked for.

    Where the journal has something to look up, a plain iterable is taken in batches of up to 256.

    Args:
        source: of the requests.
        item_index: names them.
        recovered: whether to give those too that the session has taken up from an earlier run by itself.
        number: which input of the session it is, from 0; later ones look up what the earlier ones have sent.

    """

    def __init__(self, source: Requests, item_index: ItemIndex, *, recovered: bool = False, number: int = 0) -> None:
        self.item_index = item_index
        self._recovered = recovered or number > 0
        self._lookups = number > 0 or not item_index.has_nothing_to_find
        self._mark = f"\0{number}\0" if number else ""
        self._ready: deque[IncomingItem] = deque()
        self._async: AsyncIterator[GenerationRequest] | None = None
        self._plain: Iterator[GenerationRequest] | None = None
        if isinstance(source, AsyncIterable):
            self._async = aiter(source)
        else:
            self._plain = iter(source)

    async def next(self) -> IncomingItem | None:
        """Return the next entry, or None at the end of the input."""
        while not self._ready:
            if (entries := await self._take()) is None:
                return None
            self._ready.extend(entries)
        return self._ready.popleft()

    async def _take(self) -> list[IncomingItem] | None:
        """Take some entries, of which none may be wanted; None at the end of the input."""
        lookups = self._lookups
        requests = await self._pull(LOOKUP_BATCH if lookups else 1)
        if not requests:
            return None
        contents = await self.item_index.contents_of(requests)
        named = [
            self.item_index.name(request, mark=self._mark, check_later=lookups, contents=contents)
            for request in requests
        ]
        entries = [entry for entry in named if self._is_wanted(entry)]
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
        return [self.item_index.checked(entry) for entry in found if self._is_wanted(entry)]

    def _is_wanted(self, entry: IncomingItem) -> bool:
        if self._recovered or not self.item_index.has_recovered(entry):
            return True
        self.item_index.free([entry])
        return False

    def release(self) -> None:
        """Free what was taken and never asked for."""
        self.item_index.free(self._ready)
        self._ready.clear()

    async def _pull(self, most: int) -> list[GenerationRequest]:
        if self._async is not None:
            try:
                return [await anext(self._async)]
            except StopAsyncIteration:
                return []
        requests: list[GenerationRequest] = []
        for request in self._plain or ():
            requests.append(request)
            if len(requests) >= most:
                break
        return requests


async def paid_for(item_index: ItemIndex) -> AsyncIterator[IncomingItem]:
    """Walk what an earlier run has paid for: finished tasks by expiry, then accepted ones."""
    if item_index.journal.empty_at_open:
        return
    async for record in item_index.journal.items(ItemState.FINISHED):
        yield item_index.take_up(record)
    async for record in item_index.journal.items(ItemState.ACCEPTED):
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
