"""Options that several commands share, and what they mean to the client and the session."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeVar, cast

import attrs
import click

from toapis_async.batch.settings import SessionSettings
from toapis_async.client.keeping import OnAbandoned
from toapis_async.front_door import AsyncToAPIs
from toapis_async.policy.polling import LearnedPolling
from toapis_async.policy.validation import Validation
from toapis_async.values.limits import RateLimits, RateLimitSetting

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_MAX_CONCURRENCY = int(attrs.fields(SessionSettings).max_concurrency.default or 0)
DEFAULT_DOWNLOAD_WORKERS = int(attrs.fields(SessionSettings).download_workers.default or 0)

_NAMED_LIMITS = ("auto", "default", "vip", "svip", "none")
# The documented tiers allow 10 to 15 queries per submission.
_QUERIES_PER_SUBMISSION = 10


def read_rate_limit(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check ``auto``, a tier, ``none`` or ``N/s``; it stays text, so that it can be remembered."""
    if value is None:
        return None
    text = value.strip().lower()
    if text not in _NAMED_LIMITS and rate_of(text) is None:
        raise click.BadParameter(
            f"{value!r} is none of {', '.join(_NAMED_LIMITS)}, and no rate such as 12/s.", ctx, param
        )
    return text


def read_seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Read a number of seconds above zero; a trailing ``s`` is allowed."""
    if value is None:
        return None
    try:
        seconds = float(value.strip().removesuffix("s"))
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < float("inf"):
        raise click.BadParameter(f"{value!r} is no number of seconds above 0.", ctx, param)
    return seconds


def read_usd(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
    """Read an exact amount of USD, zero or more; a leading dollar sign is allowed."""
    if value is None:
        return None
    try:
        amount = Decimal(value.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise click.BadParameter(f"{value!r} is no amount in USD, such as 2.50.", ctx, param)
    return amount


def rate_of(text: str) -> float | None:
    """Return the number of ``N/s`` (or ``N/m``, per minute), or None where it is none above zero."""
    number, slash, unit = text.partition("/")
    if not slash or unit.strip() not in {"s", "m"}:
        return None
    try:
        rate = float(number) / (60 if unit.strip() == "m" else 1)
    except ValueError:
        return None
    return rate if 0 < rate < float("inf") else None


def rate_limits_of(text: str) -> RateLimitSetting:
    """Return what ``--rate-limit`` means."""
    if text == "none":
        return None
    if text in _NAMED_LIMITS:
        return cast(Literal["auto", "default", "vip", "svip"], text)
    rate = rate_of(text) or 1.0
    return RateLimits(
        submit_per_second=rate,
        submit_burst=max(1.0, rate),
        query_per_second=rate * _QUERIES_PER_SUBMISSION,
        query_burst=max(1.0, rate * _QUERIES_PER_SUBMISSION),
    )


@attrs.frozen(kw_only=True)
class ClientOptions:
    """What the options say about the client.

    Attributes:
        base_url: None leaves it to the environment.
        rate_limit: as written.
        min_poll_interval: seconds, or None for the documented floor.
        validation: what the catalogue's word counts.

    """

    base_url: str | None = None
    rate_limit: str = "auto"
    min_poll_interval: float | None = None
    validation: Validation = "strict"

    @property
    def polling(self) -> LearnedPolling:
        """When to look."""
        return (
            LearnedPolling() if self.min_poll_interval is None else LearnedPolling(min_interval=self.min_poll_interval)
        )

    def client(self, *, api_key: str | None = None, on_abandoned: OnAbandoned | None = None) -> AsyncToAPIs:
        """Make a client; the key is the environment's unless one is given.

        Raises:
            ConfigurationError: there is no key, or a setting is wrong.

        """
        return AsyncToAPIs(
            api_key=api_key,
            base_url=self.base_url,
            rate_limits=rate_limits_of(self.rate_limit),
            polling=self.polling,
            validation=self.validation,
            on_abandoned=on_abandoned,
        )


@attrs.frozen(kw_only=True)
class RunOptions:
    """What the options say about a run; everything in it is remembered for ``toapis resume``.

    Attributes:
        client: of the client.
        max_concurrency, download_workers: of the session.
        patience: seconds, or None.
        max_cost: USD, or None.
        model, size, resolution: for lines that do not say.

    """

    client: ClientOptions = ClientOptions()
    max_concurrency: int = DEFAULT_MAX_CONCURRENCY
    download_workers: int = DEFAULT_DOWNLOAD_WORKERS
    patience: float | None = None
    max_cost: Decimal | None = None
    model: str | None = None
    size: str | None = None
    resolution: str | None = None


_CLIENT_NAMES = tuple(field.name for field in attrs.fields(ClientOptions))
_RUN_NAMES = tuple(field.name for field in attrs.fields(RunOptions) if field.name != "client")


def run_options(given: Mapping[str, Any], base: RunOptions | None = None) -> RunOptions:
    """Lay the options that were given over others (None was not given)."""
    base = base or RunOptions()
    said = {name: value for name, value in given.items() if value is not None}
    client = attrs.evolve(base.client, **{name: said[name] for name in _CLIENT_NAMES if name in said})
    return attrs.evolve(base, client=client, **{name: said[name] for name in _RUN_NAMES if name in said})


def base_url_option(command: F) -> F:
    """``--base-url``."""
    return click.option(
        "--base-url",
        metavar="URL",
        help="The gateway's address, with or without /v1.  [TOAPIS_BASE_URL, else https://toapis.com]",
    )(command)


def json_option(command: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Machine-readable results on stdout.")(command)


def quiet_option(command: F) -> F:
    """``--quiet``."""
    return click.option("--quiet", "-q", is_flag=True, help="No progress and no summary; errors are still shown.")(
        command
    )


def output_option(command: F) -> F:
    """``-o DIR``."""
    return click.option(
        "--output", "-o", "directory", metavar="DIR", required=True, help="Where the files go; made if it is missing."
    )(command)


def pace_options(command: F) -> F:
    """How fast, and how patiently: ``--rate-limit``, ``--min-poll-interval``, ``--patience``, ``--validation``."""
    for option in reversed(
        (
            click.option(
                "--rate-limit",
                metavar="WORD|N/s",
                callback=read_rate_limit,
                help="Submissions per second: learned from the gateway, a documented tier, or a number.  [auto]",
            ),
            click.option(
                "--min-poll-interval",
                metavar="SECONDS",
                callback=read_seconds,
                help="Never look at a task more often than this; the gateway asks for 5.  [5]",
            ),
            click.option(
                "--patience",
                metavar="SECONDS",
                callback=read_seconds,
                help="When a task counts as late. Late is not failed.  [900 for images, 3600 for videos]",
            ),
            click.option(
                "--validation",
                type=click.Choice(("strict", "warn", "off")),
                help="What to do with requests that the model catalogue calls wrong.  [strict]",
            ),
            click.option("--uvloop", is_flag=True, help="Use the faster event loop (extra 'speed')."),
        )
    ):
        command = option(command)
    return command


def run_option_group(command: F) -> F:
    """What shapes a run: ``--max-concurrency`` and so on."""
    for option in reversed(
        (
            click.option(
                "--max-concurrency",
                type=click.IntRange(min=1),
                help=f"Tasks in flight at the gateway, at most.  [{DEFAULT_MAX_CONCURRENCY}]",
            ),
            click.option(
                "--download-workers",
                type=click.IntRange(min=1),
                help=f"Files fetched at a time.  [{DEFAULT_DOWNLOAD_WORKERS}]",
            ),
            click.option(
                "--max-cost",
                metavar="USD",
                callback=read_usd,
                help="Stop submitting before the estimate passes this; needs models with a known price.",
            ),
            click.option("--model", "-m", metavar="MODEL", help="For lines that name none."),
            click.option("--size", metavar="SIZE", help="For lines that give none, such as 16:9."),
            click.option("--resolution", metavar="RES", help="For lines that give none, such as 2K."),
            click.option(
                "--resubmit-unknown",
                is_flag=True,
                help="Send items again of which it cannot be found out whether they were accepted; may charge twice.",
            ),
            click.option("--retry-failed", is_flag=True, help="Make items again that failed in an earlier run."),
        )
    ):
        command = option(command)
    return command
