"""Settings of a session, checked before any input or output."""

from decimal import Decimal
from pathlib import Path

import attrs

from toapis_async.batch.books import Listener
from toapis_async.client.submitting import OnUnknown
from toapis_async.errors import ConfigurationError
from toapis_async.policy.polling import Polling


@attrs.frozen(kw_only=True)
class SessionSettings:
    """See ``AsyncToAPIs.session()`` for what each one means."""

    directory: Path
    max_concurrency: int = 200
    download_workers: int = 16
    journal: bool = True
    durable: bool = True
    polling: Polling | None = None
    patience_seconds: float | None = None
    max_cost_usd: Decimal | None = None
    on_unknown: OnUnknown = "report"
    retry_failed: bool = False
    on_event: Listener | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("max_concurrency", "download_workers"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"{name} must be a whole number from 1, not {value!r}.")
        if self.patience_seconds is not None and not self.patience_seconds > 0:
            raise ConfigurationError(f"patience_seconds must be above 0, not {self.patience_seconds!r}.")
        if self.max_cost_usd is not None and not self.max_cost_usd >= 0:
            raise ConfigurationError(f"max_cost_usd must be 0 or more, not {self.max_cost_usd!r}.")
        if self.on_unknown not in {"report", "resubmit"}:
            raise ConfigurationError(f"on_unknown must be 'report' or 'resubmit', not {self.on_unknown!r}.")
