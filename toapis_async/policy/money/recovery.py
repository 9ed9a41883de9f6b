"""What a run remembers, and what it does next with an item: the fold of the journal's events.

One rule stands above the others: a task that the gateway accepted is never let go of while it may still bear an image,
and no attempt is sent again while it may have been accepted. Where events contradict each other, or come late or
twice, the reading that costs a look is taken, never the one that costs a charge.
"""

from enum import Enum

import attrs

from toapis_async.errors import (
    APIConnectionError,
    APITimeoutError,
    JournalError,
    ServerError,
    StorageError,
    SubmissionUnknownError,
    TaskTimeoutError,
    UnreadableReplyError,
)
from toapis_async.values.kinds import kind_of
from toapis_async.values.records import (
    Accepted,
    FailedForGood,
    FilesGone,
    Finished,
    Intended,
    ItemRecord,
    ItemState,
    JournalEvent,
    NotAccepted,
    SavedToDisk,
    Troubled,
)

SETTLES_NOTHING = frozenset(
    kind.__name__
    for kind in (
        APIConnectionError,
        APITimeoutError,
        JournalError,
        ServerError,
        StorageError,
        SubmissionUnknownError,
        TaskTimeoutError,
        UnreadableReplyError,
    )
)
"""Errors that say nothing about the fate of an attempt or a task: a failure with such a name ends no item that the
gateway may have. (Where the attempt is proved unsent, ``NotAccepted`` comes first.)"""

# Where a task is known and worth more than a new one: what another attempt brings is kept in reserve.
_IN_HAND = frozenset({ItemState.ACCEPTED, ItemState.FINISHED, ItemState.SAVED})


class Step(Enum):
    """What to do next with an item."""

    SUBMIT = "submit"
    """Make a new attempt."""
    RECONCILE = "reconcile"
    """Ask the gateway for the last attempt by its ``client_business_id``."""
    POLL = "poll"
    """Wait for the task in hand."""
    DOWNLOAD = "download"
    """Fetch the files; look the task up first where the links have expired or are unknown."""
    SKIP = "skip"
    """Nothing: its files are there."""
    REPORT_FAILED = "report_failed"
    """Nothing: it was charged or refunded, and failed."""
    REPORT_UNKNOWN = "report_unknown"
    """Nothing: the gateway was asked and could not say whether it has the attempt."""


def next_step(
    record: ItemRecord | None,
    *,
    retry_failed: bool,
    resubmit_unknown: bool,
    asked: bool = False,
    files_intact: bool = True,
) -> Step:
    """Decide what to do next with an item.

    Args:
        record: what the journal holds of it, or None.
        retry_failed: whether the user wants failed tasks to be made, and perhaps charged, again.
        resubmit_unknown: whether the user prefers a second charge to a doubt.
        asked: whether the gateway has been asked about the last attempt, over the whole grace period, without proof
            of either answer. (A proof is an event: ``Accepted`` or ``NotAccepted``.)
        files_intact: for a saved item, whether its files are still there, unchanged.

    """
    if record is None:
        return Step.SUBMIT
    match record.state:
        case ItemState.OPEN:
            return Step.SUBMIT
        case ItemState.INTENDED:
            return _of_doubt(asked=asked, resubmit_unknown=resubmit_unknown)
        case ItemState.ACCEPTED:
            return Step.POLL
        case ItemState.FINISHED:
            return Step.DOWNLOAD
        case ItemState.SAVED:
            return Step.SKIP if files_intact else Step.DOWNLOAD
        case ItemState.FAILED:
            # Without a task nothing was charged, so another attempt is free.
            return Step.SUBMIT if retry_failed or record.task_id is None else Step.REPORT_FAILED


def _of_doubt(*, asked: bool, resubmit_unknown: bool) -> Step:
    if not asked:
        return Step.RECONCILE
    return Step.SUBMIT if resubmit_unknown else Step.REPORT_UNKNOWN


def apply(record: ItemRecord | None, event: JournalEvent) -> ItemRecord | None:  # noqa: PLR0911  # one for each event
    """Fold one event into an item's record.

    An event of an item that was never intended is dropped (None stays None): there is no request to hang it on.
    """
    if isinstance(event, Intended):
        return _begin(event) if record is None else _intended(record, event)
    if record is None:
        return None
    match event:
        case Accepted():
            return _accepted(record, event)
        case NotAccepted():
            return _not_accepted(record, event)
        case Finished():
            return _finished(record, event)
        case SavedToDisk():
            return _saved(record, event)
        case FilesGone():
            return _gone(record)
        case FailedForGood():
            return _failed(record, event)
        case Troubled():
            return _troubled(record, event)


def _begin(event: Intended, past_task_ids: tuple[str, ...] = ()) -> ItemRecord:
    return ItemRecord(
        key=event.key,
        state=ItemState.INTENDED,
        attempt=event.attempt,
        client_business_id=event.client_business_id,
        request=event.request,
        digest=event.digest,
        gateway=event.gateway,
        doubtful=True,
        past_task_ids=past_task_ids,
        kind=kind_of(event.request).name,
        intended_at=event.at,
    )


def _intended(record: ItemRecord, event: Intended) -> ItemRecord:
    # The same number again is a repeated event where a task is known, and an attempt under way where none is:
    # the latter has to be believed, or it would be sent twice after a crash.
    if event.attempt < record.attempt or (event.attempt == record.attempt and record.task_id is not None):
        return record
    # An attempt beside a task in hand: the task stays, and the attempt is in doubt besides.
    if record.state is ItemState.ACCEPTED or record.state is ItemState.FINISHED:
        return attrs.evolve(
            record,
            attempt=event.attempt,
            client_business_id=event.client_business_id,
            gateway=event.gateway,
            intended_at=event.at,
            doubtful=True,
        )
    if record.state is ItemState.SAVED and event.attempt == record.attempt:
        return record
    return _begin(event, task_ids(record))


def tasks_of(record: ItemRecord) -> int:
    """Count the tasks that the gateway has accepted for an item, as far as is known."""
    return len(task_ids(record))


def task_ids(record: ItemRecord) -> tuple[str, ...]:
    """Return the ids of the tasks that the gateway has accepted for an item, as far as is known."""
    in_hand = () if record.task_id is None else (record.task_id,)
    return record.past_task_ids + in_hand + record.spare_task_ids


def _accepted(record: ItemRecord, event: Accepted) -> ItemRecord:
    if event.task_id in record.past_task_ids:
        return record
    attempt = max(record.attempt, event.attempt)
    # A late word about an earlier attempt settles nothing about the last one.
    doubtful = record.doubtful and event.attempt < record.attempt
    # The same word twice, as after a crash between the note and its effect.
    if event.task_id == record.task_id or event.task_id in record.spare_task_ids:
        return record if doubtful == record.doubtful else attrs.evolve(record, doubtful=doubtful)
    if record.state in _IN_HAND:
        spares = (*record.spare_task_ids, event.task_id)
        return attrs.evolve(record, attempt=attempt, doubtful=doubtful, spare_task_ids=spares)
    return ItemRecord(
        key=record.key,
        state=ItemState.ACCEPTED,
        attempt=attempt,
        client_business_id=record.client_business_id,
        request=record.request,
        digest=record.digest,
        gateway=record.gateway,
        task_id=event.task_id,
        doubtful=doubtful,
        past_task_ids=task_ids(record),
        kind=event.kind,
        accepted_at=event.at,
        intended_at=record.intended_at,
    )


def _not_accepted(record: ItemRecord, event: NotAccepted) -> ItemRecord:
    # Proof about an earlier attempt must not clear a later one that may have been charged.
    if event.attempt != record.attempt or not record.doubtful:
        return record
    state = ItemState.OPEN if record.state is ItemState.INTENDED else record.state
    return attrs.evolve(record, state=state, doubtful=False)


def _finished(record: ItemRecord, event: Finished) -> ItemRecord:
    if event.task_id in record.past_task_ids:
        return record
    # A second task has finished as well: both are paid, and the other is kept in reserve.
    if event.task_id != record.task_id and (record.state is ItemState.FINISHED or record.state is ItemState.SAVED):
        known = event.task_id in record.spare_task_ids
        spares = record.spare_task_ids if known else (*record.spare_task_ids, event.task_id)
        return attrs.evolve(record, spare_task_ids=spares)
    saved = record.state is ItemState.SAVED
    return attrs.evolve(
        _with_in_hand(record, event.task_id),
        state=ItemState.SAVED if saved else ItemState.FINISHED,
        urls=event.urls,
        expires_at=event.expires_at,
        cost_usd=event.cost_usd,
        error_type=None,
        error_message=None,
        ended_at=record.ended_at if saved else None,
    )


def _with_in_hand(record: ItemRecord, task_id: str) -> ItemRecord:
    """Take up a task that has finished in place of one that has not, which is kept in reserve."""
    if task_id == record.task_id:
        return record
    if record.state is not ItemState.ACCEPTED:
        return attrs.evolve(record, task_id=task_id, doubtful=False, past_task_ids=task_ids(record))
    others = tuple(spare for spare in record.spare_task_ids if spare != task_id)
    waiting = () if record.task_id is None else (record.task_id,)
    return attrs.evolve(record, task_id=task_id, spare_task_ids=others + waiting)


def _saved(record: ItemRecord, event: SavedToDisk) -> ItemRecord:
    return attrs.evolve(
        record, state=ItemState.SAVED, files=event.files, error_type=None, error_message=None, ended_at=event.at
    )


def _gone(record: ItemRecord) -> ItemRecord:
    # Without a task there is nothing to fetch the files from again.
    if record.state is not ItemState.SAVED or record.task_id is None:
        return record
    return attrs.evolve(record, state=ItemState.FINISHED, files=(), ended_at=None)


def _failed(record: ItemRecord, event: FailedForGood) -> ItemRecord:
    if _is_old(record, event):
        return record
    error = attrs.evolve(record, error_type=event.error_type, error_message=event.message)
    if record.state is ItemState.OPEN or record.state is ItemState.FAILED:
        return attrs.evolve(error, state=ItemState.FAILED, ended_at=event.at)
    if event.error_type in SETTLES_NOTHING:
        return record if record.state is ItemState.SAVED else error
    # Another task was paid for as well: it is waited for before anything new is sent.
    if record.spare_task_ids:
        return _next_in_hand(error)
    # The task failed, but a later attempt may have been accepted: that is asked about first.
    if record.doubtful and record.task_id is not None:
        return attrs.evolve(
            _without_result(error), state=ItemState.INTENDED, task_id=None, past_task_ids=task_ids(record)
        )
    # A failure that was charged all the same keeps its cost, for the budget.
    cost_usd = event.cost_usd or error.cost_usd
    return attrs.evolve(error, state=ItemState.FAILED, doubtful=False, files=(), cost_usd=cost_usd, ended_at=event.at)


def _troubled(record: ItemRecord, event: Troubled) -> ItemRecord:
    if record.state is ItemState.SAVED or record.state is ItemState.FAILED:
        return record
    return attrs.evolve(record, error_type=event.error_type, error_message=event.message)


def _is_old(record: ItemRecord, event: FailedForGood) -> bool:
    """Whether a failure, which names no attempt, is dated before what it would undo."""
    saved_later = record.state is ItemState.SAVED and record.ended_at is not None and event.at < record.ended_at
    return saved_later or event.at < record.intended_at


def _next_in_hand(record: ItemRecord) -> ItemRecord:
    first, *rest = record.spare_task_ids
    past = record.past_task_ids if record.task_id is None else (*record.past_task_ids, record.task_id)
    return attrs.evolve(
        _without_result(record),
        state=ItemState.ACCEPTED,
        task_id=first,
        spare_task_ids=tuple(rest),
        past_task_ids=past,
    )


def _without_result(record: ItemRecord) -> ItemRecord:
    return attrs.evolve(record, urls=(), expires_at=None, cost_usd=None, files=(), ended_at=None)
