"""What a run writes down, and when: the journal before and after each POST, the manifest when an item ends."""

from datetime import datetime
from typing import Protocol

import attrs

from toapis_async.batch.outcomes import Item
from toapis_async.batch.place import Place
from toapis_async.batch.worker import Worker
from toapis_async.client.gateway import Gateway
from toapis_async.errors import InvalidRequestError, RateLimitError, ToAPIsError
from toapis_async.policy.files.naming import client_business_id
from toapis_async.policy.money.recovery import apply
from toapis_async.policy.pace.inflight import Refusal
from toapis_async.storage.journal.port import Journal
from toapis_async.storage.manifest.manifest import Manifest
from toapis_async.values.events import Happening, SessionEvent
from toapis_async.values.exchange import Purpose
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


class Listener(Protocol):
    """Whoever wants to hear what happens."""

    def __call__(self, event: SessionEvent, /) -> None:
        """Hear one event; called on the event loop, must not block."""
        ...


@attrs.define(kw_only=True)
class Books:
    """The journal and the manifest of a session, and who listens.

    Attributes:
        journal: what a later run will know.
        manifest: what the user reads; None without one.
        gateway: for its clock and for what it has shown about our references.
        listener: hears every event; None for nobody.
        listener_error: of our own family, raised by the listener; None as long as there was none.

    """

    journal: Journal
    manifest: Manifest
    gateway: Gateway
    listener: Listener | None
    listener_error: ToAPIsError | None = attrs.field(default=None, init=False)

    def tell(self, happening: Happening, item: Item, *, task_id: str | None = None, message: str = "") -> None:
        """Tell the listener."""
        if self.listener is None:
            return
        try:
            self.listener(SessionEvent(happening, item.key, task_id, message))
        except ToAPIsError as error:
            # As it is, it would be taken for one of ours on its way up, and end a paid item; the run brings it back.
            self.listener_error = error
            raise RuntimeError("the listener broke") from error


@attrs.define(kw_only=True)
class ItemBooks:
    """The books of one item while it is in work; names and writes down its attempts.

    Attributes:
        books: of the session.
        item: which one.
        record: what the journal holds of it, kept in step; None before its first attempt.
        place: its slot.
        worker: its task, which nothing interrupts between an intent and the reply on the books.
        stopping: whether no further attempt is wanted.
        unsent: whether nothing of it can be at the gateway, so that stopping costs nothing.

    """

    books: Books
    item: Item
    record: ItemRecord | None
    place: Place
    worker: Worker = attrs.field(factory=Worker)
    stopping: bool = False
    unsent: bool = True

    @property
    def wanted(self) -> bool:
        """See ``Attempts.wanted``."""
        return not self.stopping

    async def ready(self) -> None:
        """See ``Attempts.ready``."""
        await self.place.take()

    async def begin(self) -> str:
        """See ``Attempts.begin``; durable when it returns."""
        attempt = 1 if self.record is None else self.record.attempt + 1
        request = self.item.request
        name = client_business_id(self.books.journal.run_id, self.item.key, attempt, own=request.client_business_id)
        event = Intended(key=self.item.key, attempt=attempt, client_business_id=name, request=request, at=self._now())
        self.worker.hold()
        # Before the wait for the disk: whoever stops the run meanwhile must not take the item for one without a POST.
        self.unsent = False
        await self.books.journal.record(event)
        self.record = apply(self.record, event)
        self.books.tell(Happening.INTENDED, self.item)
        return name

    def accepted(self, task: GenerationTask) -> None:
        """See ``Attempts.accepted``."""
        self.place.accepted()
        self._note(
            Accepted(key=self.item.key, attempt=self._attempt(), task_id=task.id, kind=task.kind, at=self._now())
        )
        self.books.tell(Happening.ACCEPTED, self.item, task_id=task.id)
        self.worker.let_go()

    def not_accepted(self) -> None:
        """See ``Attempts.not_accepted``."""
        self._note(NotAccepted(key=self.item.key, attempt=self._attempt(), at=self._now()))
        self.unsent = True
        self.worker.let_go()

    def in_doubt(self) -> None:
        """See ``Attempts.in_doubt``: it counts as in flight."""
        self.place.accepted()
        self.worker.let_go()

    def held_up(self, error: ToAPIsError) -> float | None:
        """See ``Attempts.held_up``: a 429 gives the slot back and leaves the pace to the shared limits."""
        self.books.tell(Happening.HELD_UP, self.item, message=error.message)
        if not isinstance(error, RateLimitError):
            return None
        return self.place.refused(
            Refusal(
                message=error.message,
                reading=self.books.gateway.pacer.last_reading(Purpose.SUBMIT),
                retry_after_seconds=error.retry_after_seconds,
            )
        )

    def finished(self, task: GenerationTask) -> None:
        """Write down that the task completed."""
        self._note(
            Finished(
                key=self.item.key,
                task_id=task.id,
                urls=task.urls,
                expires_at=_epoch(task.expires_at),
                cost_usd=None if task.cost is None else str(task.cost),
                at=self._now(),
            )
        )
        self.books.tell(Happening.FINISHED, self.item, task_id=task.id)

    def saved(self, files: tuple[SavedFile, ...]) -> None:
        """Write down that every file is on the disk."""
        self._note(SavedToDisk(key=self.item.key, files=files, at=self._now()))
        self._line("saved", None)
        self.books.tell(Happening.SAVED, self.item, task_id=self._task_id())

    def gone(self) -> None:
        """Write down that the files are not on the disk, whatever an earlier run wrote down."""
        self._note(FilesGone(key=self.item.key, at=self._now()))

    def failed(self, error: ToAPIsError) -> None:
        """Write down that the item failed for good."""
        try:
            if self.record is None:
                self._refused_here()
        except InvalidRequestError:
            # What cannot be written down, such as an object in ``extra``, was never sent either.
            self.books.tell(Happening.FAILED, self.item, message=str(error))
            return
        kind, message = type(error).__name__, str(error)
        self._note(FailedForGood(key=self.item.key, error_type=kind, message=message, at=self._now()))
        self._line("failed", error)
        self.books.tell(Happening.FAILED, self.item, task_id=self._task_id(), message=message)

    def unfinished(self, error: ToAPIsError) -> None:
        """Write down that this run could not bring the item to its end."""
        if self.record is not None:
            kind, message = type(error).__name__, str(error)
            self._note(Troubled(key=self.item.key, error_type=kind, message=message, at=self._now()))
            self._line(None, error)
        self.books.tell(Happening.UNFINISHED, self.item, task_id=self._task_id(), message=str(error))

    def _refused_here(self) -> None:
        """Give an item that was never sent a record, since a failure has to hang on one."""
        at = self._now()
        name = client_business_id(self.books.journal.run_id, self.item.key, 1)
        self._note(Intended(key=self.item.key, attempt=1, client_business_id=name, request=self.item.request, at=at))
        self._note(NotAccepted(key=self.item.key, attempt=1, at=at))

    def _note(self, event: JournalEvent) -> None:
        self.books.journal.note(event)
        self.record = apply(self.record, event)

    def _line(self, status: EntryStatus | None, error: ToAPIsError | None) -> None:
        if self.record is not None:
            self.books.manifest.append(manifest_line(self.record, status=status, error=error))

    def _attempt(self) -> int:
        return 1 if self.record is None else self.record.attempt

    def _task_id(self) -> str | None:
        return None if self.record is None else self.record.task_id

    def _now(self) -> float:
        return self.books.gateway.clock.now()


def _epoch(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
