"""The input of a run: taken lazily, named, and looked up in the journal."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TypeAlias

import attrs

from toapis_async.batch.outcomes import Item
from toapis_async.client.checking import check, check_types
from toapis_async.client.gateway import Gateway
from toapis_async.errors import InvalidRequestError
from toapis_async.policy.files.naming import item_key, request_digest
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.storage.journal.key_ledger import KeyLedger
from toapis_async.storage.journal.port import Journal
from toapis_async.values.records import ItemRecord, ItemState
from toapis_async.values.requests import GenerationRequest

Requests: TypeAlias = Iterable[GenerationRequest] | AsyncIterable[GenerationRequest]

# Looking up that many at once costs one trip to the journal's thread instead of one each; only where there is
# something to look up.
LOOKUP_BATCH = 256

_RECOVERED = "\0recovered\0"
_BEGUN = "\0begun\0"
_OWN = "\0own reference\0"


@attrs.frozen(kw_only=True)
class Entry:
    """One item as it comes in.

    Attributes:
        item: which one.
        record: what the journal holds of it, or None.
        intact: for a saved one, whether its files are still there.
        error: why it will not be sent, or None.
        ask_only: whether it is only asked for, since nobody wants it made any more.

    """

    item: Item
    record: ItemRecord | None = None
    intact: bool = True
    error: InvalidRequestError | None = None
    ask_only: bool = False


@attrs.define(kw_only=True, eq=False, repr=False)
class Register:
    """Names the items of a session and knows them again.

    Attributes:
        gateway: for the catalogue.
        journal: what earlier runs left.
        directory: where their files are.
        ledger: which names this session has given.
        in_work: keys of items under way, in any run of the session.
        reserved: keys that were given to items which are not under way yet: an input may be looked up far ahead.
        recovered: whether this session has taken up items of an earlier run.
        taken: how many items it has named.

    """

    gateway: Gateway
    journal: Journal
    directory: OutputDirectory
    ledger: KeyLedger
    in_work: set[str] = attrs.field(factory=set)
    reserved: set[str] = attrs.field(factory=set)
    recovered: bool = False
    taken: int = 0

    def name(self, request: GenerationRequest, *, mark: str = "", check_later: bool = False) -> Entry:
        """Give a request its key, and check it, or only whether it can be read; ``free()`` has to follow.

        Args:
            request: as the user gave it.
            mark: of the input; equal requests are counted within one input, so that the same input gives the same
                keys when it is given again.
            check_later: whether ``checked()`` will be called.

        """
        index = self.taken
        self.taken += 1
        try:
            if check_later:
                check_types(request, self.gateway)
            else:
                check(request, self.gateway)
        except InvalidRequestError as error:
            return self._refused(request, index, error)
        own = request.client_business_id
        if own is not None and self.ledger.seen(mark + _OWN + own):
            twice = f"client_business_id {own!r} was used by an earlier request of this run; a lookup would mix them up"
            return self._refused(request, index, InvalidRequestError.refused((twice,)))
        key = item_key(request, 0)
        ordinal = self.ledger.seen(mark + key)
        if request.id is not None and ordinal:
            twice = f"id {request.id!r} was used by an earlier request of this run; ids name files"
            return self._refused(request, index, InvalidRequestError.refused((twice,)))
        if ordinal:
            key = item_key(request, ordinal)
        while self._is_taken(key):
            ordinal += 1  # another input that runs beside this one has it
            key = item_key(request, ordinal)
        self.reserved.add(key)
        return Entry(item=Item(key=key, request=request, index=index))

    def _is_taken(self, key: str) -> bool:
        if key not in self.in_work and key not in self.reserved:
            return False
        return not (self.recovered and self.ledger.knows(_RECOVERED + key))

    def free(self, entries: Iterable[Entry]) -> None:
        """Hear that these are under way by now, or never will be."""
        self.reserved.difference_update(entry.item.key for entry in entries)

    def _refused(self, request: GenerationRequest, index: int, error: InvalidRequestError) -> Entry:
        own = getattr(request, "id", None)
        name = f"{own}-refused-{index}" if isinstance(own, str) and own else f"refused-{index}"
        return Entry(item=Item(key=name, request=request, index=index), error=error)

    def checked(self, entry: Entry) -> Entry:
        """Check an entry that was looked up, unless an earlier run has sent it: then it is checked no more."""
        if entry.error is not None:
            return entry
        if entry.record is not None and entry.record.state not in {ItemState.OPEN, ItemState.FAILED}:
            return self._unless_changed(entry, entry.record)
        try:
            check(entry.item.request, self.gateway)
        except InvalidRequestError as error:
            self.free([entry])
            return self._refused(entry.item.request, entry.item.index or 0, error)
        return entry

    def _unless_changed(self, entry: Entry, record: ItemRecord) -> Entry:
        """Refuse an id that stands for another request here: its file would be taken for the new one's."""
        request = entry.item.request
        if request.id is None or request == record.request:
            return entry
        if request_digest(request) == request_digest(record.request):
            return entry
        self.free([entry])
        other = f"id {request.id!r} belongs to another request that was sent from this directory; give it a new id"
        return self._refused(request, entry.item.index or 0, InvalidRequestError.refused((other,)))

    def has_recovered(self, entry: Entry) -> bool:
        """Whether an item was taken up from an earlier run already."""
        return self.recovered and entry.error is None and self.ledger.knows(_RECOVERED + entry.item.key)

    def take_up(self, record: ItemRecord) -> Entry:
        """Take up an item that an earlier run left."""
        self.recovered = True
        self.ledger.seen(_RECOVERED + record.key)
        return Entry(item=Item(key=record.key, request=record.request), record=record)

    def begins(self, key: str) -> None:
        """Hear that this session sends that item, or asks for its attempt."""
        if not self.journal.empty_at_open:
            self.ledger.seen(_BEGUN + key)

    def has_begun(self, key: str) -> bool:
        """Whether this session has done so: what the journal says of the item is then of this run.

        Dates cannot tell, since a machine's clock may have been set back between two runs.
        """
        return self.ledger.knows(_BEGUN + key)

    async def look_up(self, entries: list[Entry]) -> list[Entry]:
        """Add what the journal knows, and whether saved files are still there."""
        records = await self.journal.find([entry.item.key for entry in entries])
        saved = [record for record in records if record is not None and record.state is ItemState.SAVED]
        intact = iter(await self.directory.verify_many([record.files for record in saved]) if saved else ())
        return [
            attrs.evolve(entry, record=record, intact=next(intact) if record.state is ItemState.SAVED else True)
            if record is not None
            else entry
            for entry, record in zip(entries, records, strict=True)
        ]


class Inputs:
    """Entries of an iterable or async iterable of requests, taken one at a time as they are asked for.

    Where the journal has something to look up, a plain iterable is taken in batches of up to 256.

    Args:
        source: of the requests.
        register: names them.
        recovered: whether to give those too that the session has taken up from an earlier run by itself.
        number: which input of the session it is, from 0; later ones look up what the earlier ones have sent.

    """

    def __init__(self, source: Requests, register: Register, *, recovered: bool = False, number: int = 0) -> None:
        self.register = register
        self._recovered = recovered or number > 0
        self._lookups = number > 0 or not register.journal.empty_at_open
        self._mark = f"\0{number}\0" if number else ""
        self._ready: deque[Entry] = deque()
        self._async: AsyncIterator[GenerationRequest] | None = None
        self._plain: Iterator[GenerationRequest] | None = None
        if isinstance(source, AsyncIterable):
            self._async = aiter(source)
        else:
            self._plain = iter(source)

    async def next(self) -> Entry | None:
        """Return the next entry, or None at the end of the input."""
        while not self._ready:
            if not (entries := await self._take()):
                return None
            self._ready.extend(entries)
        return self._ready.popleft()

    async def _take(self) -> list[Entry]:
        """Take at least one entry unless the input has ended."""
        lookups = self._lookups
        entries: list[Entry] = []
        while not entries:
            requests = await self._pull(LOOKUP_BATCH if lookups else 1)
            if not requests:
                return []
            named = [self.register.name(request, mark=self._mark, check_later=lookups) for request in requests]
            entries = [entry for entry in named if self._is_wanted(entry)]
        if not lookups:
            return entries
        known = [entry for entry in entries if entry.error is None]
        try:
            looked_up = iter(await self.register.look_up(known))
        except BaseException:
            self.register.free(known)
            raise
        return [self.register.checked(entry if entry.error is not None else next(looked_up)) for entry in entries]

    def _is_wanted(self, entry: Entry) -> bool:
        if self._recovered or not self.register.has_recovered(entry):
            return True
        self.register.free([entry])
        return False

    def let_go(self) -> None:
        """Free what was taken and never asked for."""
        self.register.free(self._ready)
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


async def paid_for(register: Register) -> AsyncIterator[Entry]:
    """Walk what an earlier run has paid for: finished tasks by expiry, then accepted ones."""
    if register.journal.empty_at_open:
        return
    async for record in register.journal.items(ItemState.FINISHED):
        yield register.take_up(record)
    async for record in register.journal.items(ItemState.ACCEPTED):
        yield register.take_up(record)


async def leftovers(register: Register) -> AsyncIterator[Entry]:
    """Walk the attempts of unknown fate that an earlier run left and this run's input has not named again."""
    if register.journal.empty_at_open:
        return
    async for record in register.journal.items(ItemState.INTENDED):
        if not register.has_begun(record.key):
            yield Entry(item=Item(key=record.key, request=record.request), record=record, ask_only=True)


async def begun(register: Register) -> AsyncIterator[GenerationRequest]:
    """Walk the requests that an earlier run has begun and that may have to be sent again."""
    if register.journal.empty_at_open:
        return
    async for record in register.journal.items(ItemState.INTENDED, ItemState.OPEN, ItemState.FAILED):
        if not register.has_begun(record.key):
            yield attrs.evolve(record.request, id=record.key)
