"""Settings of a session, checked before any input or output."""

from decimal import Decimal, InvalidOperation
from pathlib import Path

import attrs

from toapis_async.client.submitting import OnUnknown
from toapis_async.errors import ConfigurationError
from toapis_async.policy.waiting.polling import Polling
from toapis_async.ports.events import Observer


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

    directory: Path
    max_concurrency: int = 200
    download_workers: int = 16
    journal: bool = True
    durable: bool = True
    polling: Polling | None = None
    patience_seconds: float | None = None
    max_cost_usd: Decimal | None = attrs.field(default=None, converter=_cap)
    unlisted_price_usd: Decimal | None = attrs.field(default=None, converter=_cap)
    on_unknown: OnUnknown = "report"
    retry_failed: bool = False
    on_event: Observer | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("max_concurrency", "download_workers"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"{name} must be a whole number from 1, not {value!r}.")
        patience = self.patience_seconds
        if patience is not None and (type(patience) not in {int, float} or not patience > 0):
            raise ConfigurationError(f"patience_seconds must be a number above 0, not {patience!r}.")
        if self.on_unknown not in {"report", "resubmit"}:
            raise ConfigurationError(f"on_unknown must be 'report' or 'resubmit', not {self.on_unknown!r}.")
