"""Jobs of a web application: what was asked for, which worker makes it, how it stands."""

from typing import Literal, TypeAlias

import attrs

from toapis_async.values.files import SavedFile
from toapis_async.values.requests import GenerationRequest

StoredState: TypeAlias = Literal["queued", "running", "saved", "failed", "unfinished", "cancelled"]
"""``queued`` until it is its turn, ``running`` until it ends. An ``unfinished`` one is taken up again by itself."""


@attrs.frozen(kw_only=True)
class StoredResult:
    """How a job has ended, or what the last trouble was.

    Attributes:
        task_id: the gateway's task, or None where none was accepted.
        files: where it is saved; empty otherwise.
        cost_usd: as decimal text, as the gateway said it; None where it has not.
        error_type: the class name of the error, of the family in ``errors``; None without one.
        error_message: its text, for the log and not for strangers: it may name paths of this machine.

    """

    task_id: str | None = None
    files: tuple[SavedFile, ...] = ()
    cost_usd: str | None = None
    error_type: str | None = None
    error_message: str | None = None


@attrs.frozen(kw_only=True)
class StoredJob:
    """One job as it stands.

    Attributes:
        id: unique in its store.
        worker: whose directory it is made in.
        state: see ``StoredState``.
        request: what was asked for. Not in the repr: prompts are private.
        created_at, changed_at: epoch seconds.
        result: empty until it has ended or met trouble.

    """

    id: str
    worker: str
    state: StoredState
    request: GenerationRequest = attrs.field(repr=False)
    created_at: float
    changed_at: float
    result: StoredResult = StoredResult()

    @property
    def ended(self) -> bool:
        """Whether it will not change any more by itself."""
        return self.state in {"saved", "failed", "cancelled"}
