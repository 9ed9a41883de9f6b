"""What a session writes down, and when: the journal around each POST, the manifest when an item ends, events always."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import attrs

from toapis_async.batch.bookkeeping.tally import ItemAccount
from toapis_async.batch.outcomes import Item
from toapis_async.client.dispatching import EventDispatcher
from toapis_async.clock import Clock
from toapis_async.errors import InvalidRequestError, ToAPIsError
from toapis_async.policy.files.naming import client_business_id
from toapis_async.policy.money.recovery import apply, tasks_of
from toapis_async.ports.events import (
    AttemptBegun,
    AttemptSettled,
    Event,
    ItemFailed,
    ItemSaved,
    ItemUnfinished,
)
from toapis_async.storage.journal.port import Journal
from toapis_async.storage.manifest.manifest import Manifest
from toapis_async.storage.manifest.no_manifest import NoManifest
from toapis_async.storage.manifest.unfinished_runs import UnfinishedRuns
from toapis_async.values.files import SavedFile
from toapis_async.values.records import (
    Accepted,
    FailedForGood,
    FilesGone,
    Finished,
    Intended,
    ItemRecord,
    JournalEvent,
    NotAccepted,
    SavedToDisk,
    Troubled,
)
from toapis_async.values.tasks import GenerationTask
from toapis_async.wire.manifest import EntryStatus, manifest_line


@attrs.define(kw_only=True)
class Recorder:
    """The journal and the manifest of a session, and who listens.

    Attributes:
        journal: what a later run will know.
        manifest: what the user reads.
        clock: dates entries.
        events: brings what happens to whoever listens.
        gateway: the base URL.
        keeps_references: whether attempts of which nothing came share the user's reference.
        home: that of the run which began the journal.
        unfinished_runs: where it is written down, apart from the journal, that something may be in flight; None for
            nowhere.
        told_unfinished: keys of items of which the last line that this session wrote says that they are not finished.

    """

    journal: Journal
    manifest: Manifest | NoManifest
    clock: Clock
    events: EventDispatcher
    gateway: str = ""
    home: str = ""
    keeps_references: bool = False
    unfinished_runs: UnfinishedRuns | None = None
    told_unfinished: set[str] = attrs.field(factory=set)

    def gateway_of(self, record: ItemRecord) -> str:
        """Return the base URL that the last attempt of an item was sent to."""
        return record.gateway or self.home


@attrs.define(kw_only=True)
class ItemRecorder:
    """Writes down what happens to one item.

    Attributes:
        session: the recorder of its session.
        item: which one.
        record: what the journal holds of it, kept in step; None before its first attempt.
        earlier_names: of the files that an earlier run saved for it and that are gone or changed.
        looks: how often its task was looked at until it had finished; None where this run did not do all of that.
        account: its money, moved on with its record; None where it costs nothing.

    """

    session: Recorder
    item: Item
    record: ItemRecord | None
    earlier_names: frozenset[str] = frozenset()
    looks: int | None = None
    account: ItemAccount | None = None

    async def intended(self, sent_as: str | None = None) -> str:
        """Write down that the next attempt is about to be sent; durable when it returns its reference.

        Args:
            sent_as: the reference of one that a lost run has sent already; None makes a fresh one.

        """
        attempt = 1 if self.record is None else self.record.attempt + 1
        request, number, runs = self.item.request, self._number(attempt), self.session.unfinished_runs
        if runs is not None and number > runs.most_attempts:
            await runs.allow(number)
        name = sent_as or client_business_id(
            self.session.journal.run_id, self.item.key, number, own=request.client_business_id
        )
        event = Intended(
            key=self.item.key,
            attempt=attempt,
            client_business_id=name,
            request=request,
            at=self._now(),
            digest=self.item.digest,
            gateway=None if self.session.gateway == self.session.home else self.session.gateway,
        )
        # The only entry that is waited for: it is what a crash between POST and reply is recovered from.
        await self.session.journal.record(event)
        self._now_stands_at(apply(self.record, event))
        self.tell(AttemptBegun, client_business_id=name)
        return name

    def _number(self, attempt: int) -> int:
        """Count the attempts by what tells their references apart."""
        if not self.session.keeps_references or self.item.request.client_business_id is None:
            return attempt
        # Attempts of which nothing came share the reference, so that a lookup by it finds whichever was accepted; a
        # task that failed leaves it used.
        return 1 if self.record is None else 1 + tasks_of(self.record)

    def accepted(self, task: GenerationTask) -> None:
        """Write down that the gateway has the attempt."""
        self._note(
            Accepted(key=self.item.key, attempt=self._attempt(), task_id=task.id, kind=task.kind, at=self._now())
        )
        self.tell(AttemptSettled, result="accepted")

    def not_accepted(self, error: ToAPIsError | None = None) -> None:
        """Write down that the attempt has made no task."""
        self._note(NotAccepted(key=self.item.key, attempt=self._attempt(), at=self._now()))
        self.tell(AttemptSettled, result="not_accepted", error=error)

    def finished(self, task: GenerationTask) -> None:
        """Write down that the task completed."""
        self._note(
            Finished(
                key=self.item.key,
                task_id=task.id,
                urls=task.lasting_urls,
                expires_at=_epoch(task.expires_at),
                cost_usd=None if task.cost is None else str(task.cost),
                at=self._now(),
            )
        )

    def saved(self, task: GenerationTask, files: tuple[SavedFile, ...]) -> None:
        """Write down that every file is where it belongs."""
        self._note(SavedToDisk(key=self.item.key, files=files, at=self._now()))
        self._line("saved", None)
        self.tell(ItemSaved, files=files, cost_usd=task.cost)

    def gone(self) -> None:
        """Write down that the files are not there, whatever an earlier run wrote down."""
        if self.record is not None:
            self.earlier_names = frozenset(file.name for file in self.record.files)
        self._note(FilesGone(key=self.item.key, at=self._now()))

    def failed(self, error: ToAPIsError, *, cost: Decimal | None = None) -> None:
        """Write down that the item failed for good, and what was charged for it all the same."""
        try:
            if self.record is None:
                self._refused_here()
        except InvalidRequestError:
            # What cannot be written down, such as an object in ``extra``, was never sent either.
            self.tell(ItemFailed, error=error)
            return
        kind, message = type(error).__name__, str(error)
        # Zero is a refund, and no cost.
        charged = str(cost) if cost else None
        self._note(FailedForGood(key=self.item.key, error_type=kind, message=message, at=self._now(), cost_usd=charged))
        self._line("failed", error)
        self.tell(ItemFailed, error=error)

    def unfinished(self, error: ToAPIsError) -> None:
        """Write down that this run could not bring the item to its end."""
        if self.record is not None:
            kind, message = type(error).__name__, str(error)
            self._note(Troubled(key=self.item.key, error_type=kind, message=message, at=self._now()))
            self._line(None, error)
        self.tell(ItemUnfinished, error=error)

    def tell(self, event: Callable[..., Event], /, **facts: object) -> None:
        """Tell whoever listens."""
        record = self.record
        self.session.events.tell(
            event,
            key=self.item.key,
            request=self.item.request,
            task_id=None if record is None else record.task_id,
            attempt=None if record is None else record.attempt,
            **facts,
        )

    def _refused_here(self) -> None:
        """Give an item that was never sent a record, since a failure has to hang on one."""
        at = self._now()
        # Never sent, so the user's own reference is left unused for an attempt that will be.
        name = client_business_id(self.session.journal.run_id, self.item.key, 1)
        self._note(
            Intended(
                key=self.item.key,
                attempt=1,
                client_business_id=name,
                request=self.item.request,
                at=at,
                digest=self.item.digest,
            )
        )
        self._note(NotAccepted(key=self.item.key, attempt=1, at=at))

    def _note(self, event: JournalEvent) -> None:
        self.session.journal.note(event)
        self._now_stands_at(apply(self.record, event))

    def _now_stands_at(self, record: ItemRecord | None) -> None:
        self.record = record
        if self.account is not None:
            self.account.follow(record)

    def _line(self, status: EntryStatus | None, error: ToAPIsError | None) -> None:
        if self.record is not None:
            context = self.item.request.context
            line = manifest_line(self.record, status=status, error=error, looks=self.looks, context=context)
            self.session.manifest.append(line)
            note = self.session.told_unfinished.add if status is None else self.session.told_unfinished.discard
            note(self.item.key)

    def _attempt(self) -> int:
        return 1 if self.record is None else self.record.attempt

    def _now(self) -> float:
        return self.session.clock.now()


def _epoch(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
