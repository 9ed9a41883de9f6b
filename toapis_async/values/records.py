"""What a run has to remember: the journal's events, and what they fold to for one item."""

from enum import StrEnum
from typing import TypeAlias

import attrs

from toapis_async.values.files import SavedFile
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import Kind


@attrs.frozen(kw_only=True)
class Intended:
    """An attempt is about to be sent; durable before the first byte leaves.

    Attributes:
        key: the item.
        attempt: counts from 1 within the item.
        client_business_id: fresh for every attempt.
        request: what will be sent, so that a run can go on without its input.
        at: epoch seconds.
        digest: of the request, with its local files by their content; None where nobody made one.
        gateway: the base URL; None where it is the one that the journal was begun with.

    """

    key: str
    attempt: int
    client_business_id: str
    request: GenerationRequest
    at: float
    digest: str | None = None
    gateway: str | None = None


@attrs.frozen(kw_only=True)
class Accepted:
    """The gateway has the attempt and charges for it."""

    key: str
    attempt: int
    task_id: str
    kind: Kind
    at: float


@attrs.frozen(kw_only=True)
class NotAccepted:
    """The attempt is proved to have made no task: the item may be sent again at no risk."""

    key: str
    attempt: int
    at: float


@attrs.frozen(kw_only=True)
class Finished:
    """The task completed and its files wait to be fetched.

    Attributes:
        urls: may be empty where the links have gone.
        expires_at: epoch seconds after which the links are dead, or None.
        cost_usd: decimal text as the gateway said it, or None.

    """

    key: str
    task_id: str
    urls: tuple[str, ...]
    expires_at: float | None
    cost_usd: str | None
    at: float


@attrs.frozen(kw_only=True)
class SavedToDisk:
    """Every file of the item is on the disk, synced."""

    key: str
    files: tuple[SavedFile, ...]
    at: float


@attrs.frozen(kw_only=True)
class FilesGone:
    """Files that were saved are not on the disk any more, or not as they were: they have to be fetched again."""

    key: str
    at: float


@attrs.frozen(kw_only=True)
class FailedForGood:
    """The item ended without an image, and waiting will not change that.

    Attributes:
        error_type: the class name of the error, of the family in ``errors``.
        message: its text, hint included.
        cost_usd: decimal text of what was charged all the same, or None.

    """

    key: str
    error_type: str
    message: str
    at: float
    cost_usd: str | None = None


@attrs.frozen(kw_only=True)
class Troubled:
    """A run could not bring the item to its end; it stands where it stood, for a later run.

    Attributes:
        error_type: the class name of the error, of the family in ``errors``.
        message: its text, hint included.

    """

    key: str
    error_type: str
    message: str
    at: float


JournalEvent: TypeAlias = (
    Intended | Accepted | NotAccepted | Finished | SavedToDisk | FilesGone | FailedForGood | Troubled
)


class ItemState(StrEnum):
    """Where an item stands in the journal."""

    INTENDED = "intended"
    """Sent or about to be; whether the gateway has it is not known."""
    OPEN = "open"
    """Nothing of it is at the gateway."""
    ACCEPTED = "accepted"
    FINISHED = "finished"
    SAVED = "saved"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class ItemRecord:
    """One item, folded from its events. Times are epoch seconds.

    Attributes:
        attempt: the last one; the next one counts on from it.
        client_business_id: of the last attempt.
        digest: of the request, with its local files by their content, so that a moved file is the same and a changed
            one is not; None in journals of earlier versions.
        gateway: where the last attempt was sent, as a base URL; None for the gateway that the journal was begun with.
        task_id: the task in hand, or the one that ended the item; None without one.
        doubtful: whether the gateway may have the last attempt without our knowing its task. Always so while
            ``INTENDED``; beside a task in hand it means that the item may have been charged a second time.
        spare_task_ids: further tasks that the gateway accepted for the item; taken up when the one in hand fails.
        past_task_ids: tasks of the item that are done with, so that a repeated event does not bring them back.
        error_type, error_message: how it failed, or what the last trouble was while it has not ended.

    """

    key: str
    state: ItemState
    attempt: int
    client_business_id: str
    request: GenerationRequest
    digest: str | None = None
    gateway: str | None = None
    task_id: str | None = None
    doubtful: bool = False
    spare_task_ids: tuple[str, ...] = ()
    past_task_ids: tuple[str, ...] = ()
    kind: Kind = "image"
    accepted_at: float | None = None
    urls: tuple[str, ...] = ()
    expires_at: float | None = None
    cost_usd: str | None = None
    files: tuple[SavedFile, ...] = ()
    error_type: str | None = None
    error_message: str | None = None
    intended_at: float = 0.0
    ended_at: float | None = None
