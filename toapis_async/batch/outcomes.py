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
        task: as last seen; None where an earlier run saved it.
        cost: USD, or None where the gateway has not said.
        resumed: whether an earlier run had saved it already.

    """

    item: Item
    files: tuple[SavedFile, ...]
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

    """

    item: Item
    error: ToAPIsError
    task: GenerationTask | None = None
    ok: ClassVar[bool] = False
    files: ClassVar[tuple[SavedFile, ...]] = ()
    cost: ClassVar[None] = None

    @property
    def unknown(self) -> bool:
        """Whether it could not even be found out if a task exists."""
        return isinstance(self.error, SubmissionUnknownError)


Outcome: TypeAlias = Saved | Failed | Unfinished


@attrs.frozen(kw_only=True)
class Report:
    """A run in numbers, so far or at its end.

    Attributes:
        directory: where manifest and journal are, and the files unless they go elsewhere; None without any.
        saved: items saved by this run.
        skipped: items that an earlier run had saved.
        failed: items that ended without a file for good.
        unfinished: items that can be resumed, the unknown ones among them.
        unknown: items of which it is not known whether a task exists.
        cost_usd: what the gateway said this run's saved items cost.
        unpriced: saved items whose cost the gateway did not say.
        estimated_usd: what the catalogue expects accepted and unknown items to cost, where it knows a price.
        unestimated: items without a known price; they are in no sum.
        seconds: since the session was opened.
        stopped_by: why no more was submitted, or None.

    """

    directory: Path | None
    saved: int = 0
    skipped: int = 0
    failed: int = 0
    unfinished: int = 0
    unknown: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    estimated_usd: Decimal = Decimal(0)
    unestimated: int = 0
    seconds: float = 0.0
    stopped_by: ToAPIsError | None = None

    @property
    def complete(self) -> bool:
        """Whether every item is on the disk."""
        return self.failed == self.unfinished == 0 and self.stopped_by is None


@attrs.frozen(kw_only=True)
class Statistics:
    """A session at this moment.

    Attributes:
        taken: items taken from the input.
        in_flight: tasks accepted or being submitted, not finished; what ``max_concurrency`` bounds.
        limit: the bound in force on ``in_flight``.
        late: tasks that outlasted their patience, looked at slowly.
        saving: finished tasks whose files are waiting to be fetched or being fetched.
        saved, skipped, failed, unfinished: items that ended.
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
