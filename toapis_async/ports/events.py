"""What happens, told as it happens: one family of frozen events for single calls and sessions."""

from decimal import Decimal
from typing import Literal, Protocol, TypeAlias

import attrs

from toapis_async.errors import ToAPIsError
from toapis_async.values.files import SavedFile
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import TaskStatus

Verb: TypeAlias = Literal["submit", "generate", "wait", "download", "read"]


@attrs.frozen(kw_only=True)
class Event:
    """One thing that happened; the subclasses say what.

    Attributes:
        at: seconds since the Unix epoch.
        key: the item of a session; None for a single call.
        session: where its session keeps its files and journal; None for a single call.
        request: what was asked for, with its model; None where none is known, as in ``images.wait()``. Not in the
            repr: prompts are private.
        task_id: the gateway's task, once there is one.
        attempt: which submission of this request, from 1; None before the first.

    """

    at: float
    key: str | None = None
    session: str | None = None
    request: GenerationRequest | None = attrs.field(default=None, repr=False)
    task_id: str | None = None
    attempt: int | None = None

    @property
    def model(self) -> str | None:
        """The model's id, or None where no request is known."""
        # What stands in a session's input may be anything, and its failure is told with it.
        model: str | None = getattr(self.request, "model", None)
        return model

    @property
    def context(self) -> object:
        """The caller's own object on the request, or None."""
        return None if self.request is None else self.request.context


@attrs.frozen(kw_only=True)
class CallBegun(Event):
    """A single call has begun; everything it tells comes in the same context, until its ``CallEnded``.

    Attributes:
        verb: ``submit``, ``generate``, ``wait``, ``download`` or ``read``.

    """

    verb: Verb


@attrs.frozen(kw_only=True)
class CallEnded(Event):
    """A single call has returned or raised. A submission whose caller went away may tell more afterwards.

    Attributes:
        verb: as in ``CallBegun``.
        error: what it raised; None where it returned, and where it was cancelled.
        cancelled: whether it was cancelled.

    """

    verb: Verb
    error: ToAPIsError | None = None
    cancelled: bool = False


@attrs.frozen(kw_only=True)
class SessionClosed(Event):
    """A session has ended; what it had not brought to an end is in its journal, and told no more."""


@attrs.frozen(kw_only=True)
class AttemptBegun(Event):
    """A submission is about to be sent; in a session with a journal it is on the disk already.

    Attributes:
        client_business_id: its reference.

    """

    client_business_id: str


@attrs.frozen(kw_only=True)
class AttemptSettled(Event):
    """It is known what became of a submission, or that it cannot be known yet.

    Attributes:
        result: ``accepted`` (there is a task, and it is charged), ``not_accepted`` (there is none), or ``in_doubt``.
        error: what the gateway said, or how the exchange broke; None for an accepted one.

    """

    result: Literal["accepted", "not_accepted", "in_doubt"]
    error: ToAPIsError | None = None


@attrs.frozen(kw_only=True)
class HeldUp(Event):
    """A submission, or the fetching of files, has to come back later.

    Attributes:
        limit: what holds it up: ``rate`` (submissions per second), ``in_flight`` (unfinished tasks), ``gateway`` (it
            refused for now, or could not be reached), or ``file_host`` (a finished task's files cannot be had now).
        seconds: how long, or None where that is not known.
        error: what the gateway said, or None.

    """

    limit: Literal["rate", "in_flight", "gateway", "file_host"]
    seconds: float | None = None
    error: ToAPIsError | None = None


@attrs.frozen(kw_only=True)
class TaskLookedAt(Event):
    """The gateway was asked how a task stands.

    Attributes:
        status: what it said; None where the look failed, which says nothing about the task.
        error: why the look failed, or None.

    """

    status: TaskStatus | None
    error: ToAPIsError | None = None


@attrs.frozen(kw_only=True)
class TaskLate(Event):
    """A task has outlasted our patience; it is not failed, and is looked at slowly from here on."""


@attrs.frozen(kw_only=True)
class TaskFinished(Event):
    """The gateway completed a task or gave it up.

    Attributes:
        status: ``COMPLETED`` or ``FAILED``.
        seconds: since it was accepted, as far as we know.
        cost_usd: what the gateway says it cost, or None.
        notice_seconds: how long after its end we knew, right to about a second since the gateway dates ends to the
            second; None where it does not date them, and for a task of an earlier run.
        told: whether a source of completions ended the wait, and not a look.

    """

    status: TaskStatus
    seconds: float | None = None
    cost_usd: Decimal | None = None
    notice_seconds: float | None = None
    told: bool = False


@attrs.frozen(kw_only=True)
class TransferBegun(Event):
    """A file is being fetched.

    Attributes:
        host: from where; its name only, since addresses are as good as keys.
        index: which of the task's files, from 0.

    """

    host: str
    index: int = 0


@attrs.frozen(kw_only=True)
class TransferRetried(Event):
    """A transfer broke and will be tried again.

    Attributes:
        host, index: as in ``TransferBegun``.
        error: how it broke.

    """

    host: str
    index: int = 0
    error: ToAPIsError


@attrs.frozen(kw_only=True)
class TransferDone(Event):
    """A file was fetched and verified.

    Attributes:
        host, index: as in ``TransferBegun``.
        bytes: its length.
        seconds: how long it took, tries included.

    """

    host: str
    index: int = 0
    bytes: int
    seconds: float


@attrs.frozen(kw_only=True)
class LimitChanged(Event):
    """A limit that we keep to has changed.

    Attributes:
        limit: which: ``submit_per_second``, ``query_per_second`` or ``in_flight``.
        before, after: its values.
        why: in a few words.

    """

    limit: Literal["submit_per_second", "query_per_second", "in_flight"]
    before: float
    after: float
    why: str


@attrs.frozen(kw_only=True)
class EarlierOutputFound(Event):
    """The output directory has a manifest that its journal does not know; what it proves is not made again.

    Attributes:
        lines: how many it has.

    """

    lines: int


@attrs.frozen(kw_only=True)
class GatewayChanged(Event):
    """The directory was used with another gateway before; what is in flight there cannot be asked for here.

    Attributes:
        before: the base URL of the run before this one.
        after: that of this one.

    """

    before: str
    after: str


@attrs.frozen(kw_only=True)
class ItemSkipped(Event):
    """An item's files were there already, from an earlier run."""

    files: tuple[SavedFile, ...] = ()


@attrs.frozen(kw_only=True)
class ItemSaved(Event):
    """Every file of an item is where it belongs.

    Attributes:
        files: which.
        cost_usd: what the gateway says it cost, or None.

    """

    files: tuple[SavedFile, ...]
    cost_usd: Decimal | None = None


@attrs.frozen(kw_only=True)
class ItemFailed(Event):
    """An item ended without a file, and waiting will not change that."""

    error: ToAPIsError


@attrs.frozen(kw_only=True)
class ItemUnfinished(Event):
    """An item could not be brought to its end by this run; resuming goes on where it stands."""

    error: ToAPIsError


class Observer(Protocol):
    """Whoever wants to hear what happens: a function of one event."""

    def __call__(self, event: Event, /) -> None:
        """Hear one event; called on the event loop, must not block. What it raises is logged and changes nothing."""
        ...
