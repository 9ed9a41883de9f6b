"""Settings of a session, checked before any input or output."""

import os
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

import attrs

from toapis_async.batch.outcomes import Item
from toapis_async.client.finishing import Finish, checked_verify
from toapis_async.client.submitting import OnUnknown
from toapis_async.errors import ConfigurationError
from toapis_async.policy.files.embedding import Provenance
from toapis_async.policy.files.templates import FileNaming, check_template
from toapis_async.policy.waiting.polling import Polling
from toapis_async.ports.events import Observer
from toapis_async.ports.sink import Sink
from toapis_async.values.files import Verify, is_address
from toapis_async.values.requests import GenerationRequest


def _cap(value: Decimal | float | str | None) -> Decimal | None:
    if value is None:
        return None
    try:
        # By way of the text, so that 0.1 is ten cents and not nearly so.
        cap = Decimal(str(value))
    except InvalidOperation:
        cap = Decimal("NaN")
    if not cap.is_nan() and cap >= 0:
        return cap
    raise ConfigurationError(f"max_cost_usd and unlisted_price_usd must be amounts in USD from 0, not {value!r}.")


@attrs.frozen(kw_only=True)
class SessionSettings:
    """See ``AsyncToAPIs.session()`` for what each one means."""

    sink: Sink
    max_concurrency: int = 200
    download_workers: int = 16
    journal: bool | str | os.PathLike[str] = True
    durable: bool = True
    polling: Polling | None = None
    patience_seconds: float | None = None
    max_cost_usd: Decimal | None = attrs.field(default=None, converter=_cap)
    unlisted_price_usd: Decimal | None = attrs.field(default=None, converter=_cap)
    on_unknown: OnUnknown = "report"
    retry_failed: bool = False
    resume_references: bool | Literal["new"] = False
    name: str | None = None
    verify: Verify = "structure"
    embed_metadata: bool = False
    on_event: Observer | None = None

    @property
    def directory(self) -> Path | None:
        """Where journal and manifest are; None where nothing is kept on this machine."""
        if not isinstance(self.journal, bool):
            return Path(self.journal)
        return None if is_address(self.sink.uri) else Path(self.sink.uri)

    def naming(self, item: Item, now: float) -> FileNaming | None:
        """Say what the files of an item are called; None for the item's key."""
        if self.name is None:
            return None
        date, request = datetime.fromtimestamp(now, UTC).date().isoformat(), item.request
        return FileNaming(template=self.name, id=item.key, model=request.model, date=date, prompt=request.prompt)

    def finish(self, request: GenerationRequest) -> Finish:
        """Say what is done to the files of a request before they get their names."""
        if not self.embed_metadata:
            return Finish(verify=self.verify)
        seed = getattr(request, "seed", None)
        return Finish(verify=self.verify, provenance=Provenance(prompt=request.prompt, model=request.model, seed=seed))

    def __attrs_post_init__(self) -> None:
        self._check_journal()
        checked_verify(self.verify)
        if self.name is not None:
            check_template(self.name, of_items=True)
        for name in ("max_concurrency", "download_workers"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"{name} must be a whole number from 1, not {value!r}.")
        patience = self.patience_seconds
        if patience is not None and (type(patience) not in {int, float} or not patience > 0):
            raise ConfigurationError(f"patience_seconds must be a number above 0, not {patience!r}.")
        if self.on_unknown not in {"report", "resubmit"}:
            raise ConfigurationError(f"on_unknown must be 'report' or 'resubmit', not {self.on_unknown!r}.")

    def _check_journal(self) -> None:
        journal = self.journal
        if not isinstance(journal, bool | str | os.PathLike):
            raise ConfigurationError(f"journal must be True, False or a directory, not {journal!r}.")
        if not isinstance(journal, bool):
            text = os.fspath(journal)
            if not text or is_address(text):
                raise ConfigurationError(f"journal must be a directory on this machine, not {text!r}.")
        elif journal and is_address(self.sink.uri):
            raise ConfigurationError(
                f"The files go to {self.sink.uri}, where no journal can be kept.",
                hint='Give the journal a directory on this machine: journal="runs/july". Without one (journal=False) '
                "nothing can be resumed.",
            )
