"""How the items of a session end."""

from decimal import Decimal
from pathlib import Path
from typing import ClassVar, TypeAlias

import attrs

from toapis_async.errors import SubmissionUnknownError, ToAPIsError
from toapis_async.values.files import SavedFile
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import GenerationTask


@attrs.frozen(kw_only=True)
class Item:
    """One request of a session.

    Attributes:
        key: the request's own ``id``, or one made from the request; the same input gives the same key.
        request: as it was given.
        index: its place in the input, from 0; None for one that an earlier run left.
        digest: of what the request asks for, the content of its local files included; None where an earlier run did
            not write it down.

    """

    key: str
    request: GenerationRequest
    index: int | None = None
    digest: str | None = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Saved:
    """Every file of the item is on the disk.

    Attributes:
        item: which one.
        files: verified and synced.
        missing: files that were asked for and did not come, such as one entry of ``n=4`` that could not be read.
        task: as last seen; None where an earlier run saved it.
        cost: USD, or None where the gateway has not said.
        resumed: whether an earlier run had saved it already.

    """

    item: Item
    files: tuple[SavedFile, ...]
    missing: int = 0
    task: GenerationTask | None = None
    cost: Decimal | None = None
    resumed: bool = False
    ok: ClassVar[bool] = True
    error: ClassVar[None] = None


@attrs.frozen(kw_only=True)
class Failed:
    """The item ended without a file, and waiting will not change that.

    Attributes:
        item: which one.
        error: why, with what to do next.
        task: the failed task, or None where none was accepted.

    """

    item: Item
    error: ToAPIsError
    task: GenerationTask | None = None
    ok: ClassVar[bool] = False
    files: ClassVar[tuple[SavedFile, ...]] = ()
    cost: ClassVar[None] = None


@attrs.frozen(kw_only=True)
class Unfinished:
    """The item could not be brought to its end in this run; resuming goes on where it stands.

    Attributes:
        item: which one.
        error: why: late, unknown, not fetched, or stopped before it was sent.
        task: as last seen, or None.
        sent: whether the gateway has it, and it is paid for, or may have it; False where nothing was accepted.

    """

    item: Item
    error: ToAPIsError
    task: GenerationTask | None = None
    sent: bool = True
    ok: ClassVar[bool] = False
    files: ClassVar[tuple[SavedFile, ...]] = ()
    cost: ClassVar[None] = None

    @property
    def unknown(self) -> bool:
        """Whether it could not even be found out if a task exists."""
        return isinstance(self.error, SubmissionUnknownError)

    @property
    def paid(self) -> bool:
        """Whether the gateway has accepted it and charges for it."""
        return self.sent and not self.unknown


Outcome: TypeAlias = Saved | Failed | Unfinished


@attrs.frozen(kw_only=True)
class Report:
    """A run in numbers, so far or at its end.

    Attributes:
        directory: where manifest and journal are, and the files unless they go elsewhere; None without any.
        saved: items saved by this run.
        skipped: items that an earlier run had saved.
        failed: items that ended without a file for good.
        unfinished: items that the gateway has accepted, or may have, and that can be resumed.
        unknown: of those, items of which it is not known whether a task exists; the others are paid for.
        not_sent: items that were taken from the input, and of which nothing is at the gateway.
        short: items saved with fewer files than were asked for, skipped ones among them.
        cost_usd: what the gateway said that the items saved by this run cost.
        unpriced: saved items whose cost the gateway did not say.
        spent_usd: what the gateway said that it charged, over all runs of the directory.
        committed_usd: what was spent, and what the gateway is expected to charge for all that it has or may have.
        projected_usd: what is committed, and what was taken in and is still to be sent; what a cap is held against.
        unestimated: items without a known cost or price; they are in no sum.
        seconds: since the session was opened.
        stopped_by: why no more was submitted, or None.

    """

    directory: Path | None
    saved: int = 0
    skipped: int = 0
    failed: int = 0
    unfinished: int = 0
    unknown: int = 0
    not_sent: int = 0
    short: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    spent_usd: Decimal = Decimal(0)
    committed_usd: Decimal = Decimal(0)
    projected_usd: Decimal = Decimal(0)
    unestimated: int = 0
    seconds: float = 0.0
    stopped_by: ToAPIsError | None = None

    @property
    def paid_unfinished(self) -> int:
        """Items that are paid for and not on the disk yet; resuming fetches them without paying again."""
        return self.unfinished - self.unknown

    @property
    def complete(self) -> bool:
        """Whether every file of every item is on the disk."""
        ended_badly = self.failed + self.unfinished + self.not_sent + self.short
        return not ended_badly and self.stopped_by is None


@attrs.frozen(kw_only=True)
class Statistics:
    """A session at this moment.

    Attributes:
        taken: items taken from the input.
        in_flight: tasks accepted or being submitted, not finished; what ``max_concurrency`` bounds.
        limit: the bound in force on ``in_flight``.
        late: tasks that outlasted their patience, looked at slowly.
        saving: finished tasks whose files are waiting to be fetched or being fetched.
        saved, skipped, failed, unfinished, not_sent: items that ended; see ``Report``.
        spent_usd, committed_usd, projected_usd: see ``Report``.
        submit_per_second: the pace in force; None without one.

    """

    taken: int
    in_flight: int
    limit: int
    late: int
    saving: int
    saved: int
    skipped: int
    failed: int
    unfinished: int
    submit_per_second: float | None
    not_sent: int = 0
    spent_usd: Decimal = Decimal(0)
    committed_usd: Decimal = Decimal(0)
    projected_usd: Decimal = Decimal(0)
