"""Which item a request is: its key, what the journal knows of it, and whether it may be sent."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from toapis_async.batch.incoming.adopting import Adoption
from toapis_async.batch.items.in_work import ItemsInWork
from toapis_async.batch.outcomes import Item
from toapis_async.client.checking import check, check_types
from toapis_async.client.gateway import Gateway
from toapis_async.errors import InvalidRequestError
from toapis_async.policy.files.naming import item_key, request_digest
from toapis_async.policy.requests.references import local_files
from toapis_async.ports.sink import Sink
from toapis_async.storage.inputs.content_digests import ContentDigests
from toapis_async.storage.journal.key_ledger import KeyLedger
from toapis_async.storage.journal.port import Journal
from toapis_async.values.kinds import REQUESTS
from toapis_async.values.records import ItemRecord, ItemState
from toapis_async.values.requests import GenerationRequest

# Prefixes of the ledger's keys. A NUL cannot be in a file's name, and keys name files, so that they meet no key.
_RECOVERED = "\0recovered\0"
_BEGUN = "\0begun\0"
_OWN = "\0own reference\0"
_FORMER = "\0former\0"
_NO_CONTENTS: Mapping[str, str] = {}


@attrs.frozen(kw_only=True)
class IncomingItem:
    """One item as it comes in.

    Attributes:
        item: which one.
        record: what the journal holds of it, or None.
        intact: for a saved one, whether its files are still there.
        error: why it will not be sent, or None.
        ask_only: whether it is only asked for, since nobody wants it made any more.
        again: whether this session had it before, so that it has to be looked up.
        former_key: the key that earlier versions gave it, by the paths of its files; None where it is the same.

    """

    item: Item
    record: ItemRecord | None = None
    intact: bool = True
    error: InvalidRequestError | None = None
    ask_only: bool = False
    again: bool = False
    former_key: str | None = None


@attrs.define(kw_only=True, eq=False, repr=False)
class ItemIndex:
    """Names the items of a session and knows them again.

    Attributes:
        gateway: for the catalogue.
        journal: what earlier runs left.
        sink: where their files are.
        ledger: which names this session has given.
        in_work: items under way, in any run of the session.
        reserved: keys that were given to items which are not under way yet: an input may be looked up far ahead.
        recovered: whether this session has taken up items of an earlier run.
        taken: how many items it has named.
        inputs: how many inputs they came from; one input need not be looked up in what it has itself sent.
        contents: what local references hold.
        adoption: takes over what earlier runs left without their journal; None where there is nothing of the kind.

    """

    gateway: Gateway
    journal: Journal
    sink: Sink
    ledger: KeyLedger
    in_work: ItemsInWork = attrs.field(factory=ItemsInWork)
    reserved: set[str] = attrs.field(factory=set)
    _reserved_references: set[str] = attrs.field(factory=set)
    recovered: bool = False
    taken: int = 0
    inputs: int = 0
    contents: ContentDigests = attrs.field(factory=ContentDigests)
    adoption: Adoption | None = None

    @property
    def has_nothing_to_find(self) -> bool:
        """Whether no earlier run has left anything that an item could be looked up in."""
        return self.journal.empty_at_open and self.adoption is None

    async def contents_of(self, requests: Sequence[GenerationRequest]) -> Mapping[str, str]:
        """Return the sha256 of every local reference by its path; what cannot be read is left out."""
        readable = (request for request in requests if isinstance(request, REQUESTS))
        return await self.contents.of([path for request in readable for path in local_files(request)])

    def name(
        self,
        request: GenerationRequest,
        *,
        mark: str = "",
        check_later: bool = False,
        joins: bool = False,
        contents: Mapping[str, str] = _NO_CONTENTS,
    ) -> IncomingItem:
        """Give a request its key, and check it, or only whether it can be read; ``free()`` has to follow.

        Args:
            request: as the user gave it.
            mark: of the input; equal requests are counted within one input, so that the same input gives the same
                keys when it is given again.
            check_later: whether ``checked()`` will be called.
            joins: whether an id that was given before, or is under way, stands for that item and is no mistake.
            contents: by ``contents_of()``.

        """
        # Counted whether or not it is refused: the index is the place in the input.
        index = self.taken
        self.taken += 1
        try:
            if check_later:
                check_types(request, self.gateway)
            else:
                check(request, self.gateway)
        except InvalidRequestError as error:
            return self._refused(request, index, error)
        # The same wish in the market page's spelling is the same item.
        if (model := self.gateway.catalogue.canonical(request.model)) != request.model:
            request = attrs.evolve(request, model=model)
        joins = joins and request.id is not None and self._came_by(mark, request.id)
        # By what files hold and not by where they lie: a moved directory buys nothing twice.
        digest = request_digest(request, contents)
        first = item_key(request, 0, digest)
        wrong = None if joins else self._wrong_reference(request, mark, first)
        ordinal = self.ledger.seen(mark + first) if wrong is None else 0
        key = item_key(request, ordinal, digest) if ordinal else first
        if request.id is not None and not joins:
            if ordinal:
                wrong = f"id {request.id!r} was used by an earlier request of this run; ids name files"
            elif self._is_taken(key):
                wrong = f"id {request.id!r} is under way in this session already; its outcome comes from there"
        if wrong is not None:
            return self._refused(request, index, InvalidRequestError.refused((wrong,)))
        while request.id is None and self._is_taken(key):
            ordinal += 1  # another input that runs beside this one has it
            key = item_key(request, ordinal, digest)
        item = Item(key=key, request=request, index=index, digest=digest)
        if not joins:
            self._reserve(item)
        return IncomingItem(item=item, again=joins, former_key=self._former_key(request, contents, mark))

    def _came_by(self, mark: str, key: str) -> bool:
        return key in self.in_work or self.ledger.knows(mark + key)

    def _wrong_reference(self, request: GenerationRequest, mark: str, key: str) -> str | None:
        own = request.client_business_id
        if own is None:
            return None
        in_use = self.in_work.uses(own) or own in self._reserved_references
        # What the session has taken up from an earlier run by itself is this very item, given again.
        if in_use and not (self.recovered and self.ledger.knows(_RECOVERED + key)):
            return f"client_business_id {own!r} is under way in this session already; a lookup would mix them up"
        if self.ledger.seen(mark + _OWN + own):
            return f"client_business_id {own!r} was used by an earlier request of this run; a lookup would mix them up"
        return None

    def _reserve(self, item: Item) -> None:
        self.reserved.add(item.key)
        if item.request.client_business_id is not None:
            self._reserved_references.add(item.request.client_business_id)

    def _former_key(self, request: GenerationRequest, contents: Mapping[str, str], mark: str) -> str | None:
        """Name an item as earlier versions did, where the journal may be theirs."""
        # Only keys made from local files have changed between versions; ids and plain prompts are named as ever.
        by_content = bool(contents) and request.id is None and any(path in contents for path in local_files(request))
        if self.has_nothing_to_find or not by_content:
            return None
        ordinal = self.ledger.seen(mark + _FORMER + item_key(request, 0))
        return item_key(request, ordinal)

    def _is_taken(self, key: str) -> bool:
        if key not in self.in_work and key not in self.reserved:
            return False
        return not (self.recovered and self.ledger.knows(_RECOVERED + key))

    def free(self, entries: Iterable[IncomingItem]) -> None:
        """Hear that these are under way by now, or never will be."""
        for entry in entries:
            if entry.error is None:
                self.reserved.discard(entry.item.key)
                if entry.item.request.client_business_id is not None:
                    self._reserved_references.discard(entry.item.request.client_business_id)

    def refused_in_work(self, entry: IncomingItem) -> IncomingItem:
        """Refuse what is under way already."""
        self.free([entry])
        wrong = f"{entry.item.key!r} is under way in this session already; its outcome comes from there"
        return self._refused(entry.item.request, entry.item.index or 0, InvalidRequestError.refused((wrong,)))

    def _refused(self, request: GenerationRequest, index: int, error: InvalidRequestError) -> IncomingItem:
        own = getattr(request, "id", None)
        name = f"{own}-refused-{index}" if isinstance(own, str) and own else f"refused-{index}"
        return IncomingItem(item=Item(key=name, request=request, index=index), error=error)

    def checked(self, entry: IncomingItem) -> IncomingItem:
        """Check an entry that was looked up, unless an earlier run has sent it: then it is checked no more."""
        if entry.error is not None:
            return entry
        # What the gateway has taken is past checking, and refusing it now would leave what is paid for behind.
        if entry.record is not None and entry.record.state not in {ItemState.OPEN, ItemState.FAILED}:
            return self._unless_changed(entry, entry.record)
        try:
            check(entry.item.request, self.gateway)
        except InvalidRequestError as error:
            self.free([entry])
            return self._refused(entry.item.request, entry.item.index or 0, error)
        return entry

    def _unless_changed(self, entry: IncomingItem, record: ItemRecord) -> IncomingItem:
        """Refuse an id that stands for another request here: its file would be taken for the new one's."""
        request = entry.item.request
        if request.id is None or _is_same(entry.item, record):
            return entry
        self.free([entry])
        other = f"id {request.id!r} belongs to another request that was sent from this directory; give it a new id"
        return self._refused(request, entry.item.index or 0, InvalidRequestError.refused((other,)))

    def has_recovered(self, entry: IncomingItem) -> bool:
        """Whether an item was taken up from an earlier run already."""
        return self.recovered and entry.error is None and self.ledger.knows(_RECOVERED + entry.item.key)

    def take_up(self, record: ItemRecord) -> IncomingItem:
        """Take up an item that an earlier run left."""
        self.recovered = True
        # In the ledger and not in a set: an earlier run may have left a million.
        self.ledger.seen(_RECOVERED + record.key)
        return IncomingItem(item=Item(key=record.key, request=record.request, digest=record.digest), record=record)

    def begins(self, key: str) -> None:
        """Hear that this session sends that item, or asks for its attempt."""
        # In a journal that began empty everything is of this run: the ledger need not grow.
        if not self.journal.empty_at_open:
            self.ledger.seen(_BEGUN + key)

    def has_begun(self, key: str) -> bool:
        """Whether this session has done so: what the journal says of the item is then of this run.

        Dates cannot tell, since a machine's clock may have been set back between two runs.
        """
        return self.ledger.knows(_BEGUN + key)

    async def look_up(self, entries: list[IncomingItem]) -> list[IncomingItem]:
        """Add what the journal knows, and whether saved files are still there."""
        records = await self.journal.find([entry.item.key for entry in entries])
        # Before adoption: what the journal knows under an old name must not be taken over again from the manifest.
        entries, records = await self._by_former_keys(entries, records)
        if self.adoption is not None:
            entries, records = await self._adopted(self.adoption, entries, records)
        # All files of a page in one call: each look at a bucket is a request.
        saved = [record for record in records if record is not None and record.state is ItemState.SAVED]
        intact = iter(await self.sink.intact([record.files for record in saved]) if saved else ())
        return [
            attrs.evolve(entry, record=record, intact=next(intact) if record.state is ItemState.SAVED else True)
            if record is not None
            else entry
            for entry, record in zip(entries, records, strict=True)
        ]

    async def _by_former_keys(
        self, entries: list[IncomingItem], records: list[ItemRecord | None]
    ) -> tuple[list[IncomingItem], list[ItemRecord | None]]:
        """Know items again that an earlier version has named; they keep that name."""
        former = [
            entry.former_key
            for entry, record in zip(entries, records, strict=True)
            if record is None and entry.former_key is not None
        ]
        found = (
            {record.key: record for record in await self.journal.find(former) if record is not None} if former else {}
        )
        if not found:
            return entries, records
        renamed = [
            self._renamed(entry, entry.former_key) if record is None and entry.former_key in found else entry
            for entry, record in zip(entries, records, strict=True)
        ]
        return renamed, [record or found.get(entry.item.key) for entry, record in zip(renamed, records, strict=True)]

    async def _adopted(
        self, adoption: Adoption, entries: list[IncomingItem], records: list[ItemRecord | None]
    ) -> tuple[list[IncomingItem], list[ItemRecord | None]]:
        """Take over what lies in the directory, and refuse what cannot be told from it."""
        known, wrong = await adoption.adopt([(entry.item, entry.former_key) for entry in entries], records)
        refusals = [None if why is None else InvalidRequestError.refused((why,)) for why in wrong]
        self.free(entry for entry, error in zip(entries, refusals, strict=True) if error is not None)
        return [
            entry if error is None else attrs.evolve(entry, error=error)
            for entry, error in zip(entries, refusals, strict=True)
        ], known

    def _renamed(self, entry: IncomingItem, key: str) -> IncomingItem:
        self.reserved.discard(entry.item.key)
        self.reserved.add(key)
        return attrs.evolve(entry, item=attrs.evolve(entry.item, key=key))


def _is_same(item: Item, record: ItemRecord) -> bool:
    """Whether an item asks for what the record was sent for."""
    # Both digests are tried in this order, since an old record has only paths, and a file may have gone since.
    by_paths = request_digest(item.request)
    if record.digest is not None and item.digest != by_paths:
        return item.digest == record.digest
    # An earlier version wrote the record, or there are no files to be read: then their paths decide.
    return item.digest == record.digest or by_paths == request_digest(record.request)
