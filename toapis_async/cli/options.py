"""Options that several commands share."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeVar, get_args

import click

from toapis_async.cli.settings import DEFAULT_DOWNLOAD_WORKERS, DEFAULT_MAX_CONCURRENCY, NAMED_LIMITS, NETWORK, rate_of
from toapis_async.errors import ConfigurationError
from toapis_async.policy.files.templates import check_template
from toapis_async.values.files import Verify

F = TypeVar("F", bound=Callable[..., object])


def read_rate_limit(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check ``auto``, a tier, ``none`` or ``N/s``; it stays text, so that it can be remembered."""
    if value is None:
        return None
    text = value.strip().lower()
    if text not in NAMED_LIMITS and rate_of(text) is None:
        raise click.BadParameter(
            f"{value!r} is none of {', '.join(NAMED_LIMITS)}, and no rate such as 12/s.", ctx, param
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


def read_template(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check how files are to be named, before anything is read."""
    if value is not None:
        try:
            check_template(value, of_items=True)
        except ConfigurationError as error:
            raise click.BadParameter(f"{error.message.removeprefix('name=')} {error.hint}", ctx, param) from error
    return value


def _keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Keep it for this process only: it may hold a password, and a run that is resumed may be elsewhere."""
    if value is not None:
        ctx.meta[f"{NETWORK}.{param.name}"] = value


def base_url_option(command: F) -> F:
    """``--base-url``, and the way there: ``--proxy`` and ``--ca-file``."""
    command = click.option(
        "--ca-file",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False),
        callback=_keep,
        expose_value=False,
        help="Certificates of the authorities to trust, as PEM.  [SSL_CERT_FILE, else the system's]",
    )(command)
    command = click.option(
        "--proxy",
        metavar="URL",
        callback=_keep,
        expose_value=False,
        help="http, https, socks5 or socks5h; everybody sees a password in it.  [TOAPIS_PROXY, HTTPS_PROXY, ALL_PROXY]",
    )(command)
    return click.option(
        "--base-url",
        metavar="URL",
        help="The gateway's address, with or without /v1.  [TOAPIS_BASE_URL, else https://toapis.com]",
    )(command)


def json_option(command: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Machine-readable results on stdout.")(command)


def embed_option(command: F) -> F:
    """``--embed-metadata``."""
    return click.option(
        "--embed-metadata",
        is_flag=True,
        default=None,
        help="Write prompt, model and seed into PNG and JPEG files; whoever gets the file can read them.",
    )(command)


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
    return _with(_pace(), command)


def single_task_options(command: F) -> F:
    """The same for one request: a rate has nothing to slow down, and is not shown."""
    return _with(_pace(unshown=("rate_limit",)), command)


def waiting_options(command: F) -> F:
    """The same for a task that exists: there is nothing to send, and nothing to check."""
    return _with(_pace(unshown=("rate_limit", "validation")), command)


def _with(options: Iterable[Callable[[F], F]], command: F) -> F:
    for option in reversed(tuple(options)):
        command = option(command)
    return command


def _pace(unshown: Sequence[str] = ()) -> Iterable[Callable[[F], F]]:
    return (
        click.option(
            "--rate-limit",
            metavar="WORD|N/s",
            callback=read_rate_limit,
            hidden="rate_limit" in unshown,
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
            hidden="validation" in unshown,
            help="What to do with requests that the model catalogue calls wrong.  [strict]",
        ),
        click.option(
            "--verify",
            type=click.Choice(get_args(Verify)),
            help="How far files are looked into: decode has the pixels decoded too (extra 'verify').  [structure]",
        ),
        click.option(
            "--uvloop/--no-uvloop",
            default=None,
            help="The faster event loop (extra 'speed').  [used where it is installed]",
        ),
    )


_AT_A_TIME = (
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
)
_CAPS = (
    click.option(
        "--max-cost",
        metavar="USD",
        callback=read_usd,
        help="Stop submitting before all runs of DIR together would cost more than this.",
    ),
    click.option(
        "--price",
        metavar="USD",
        callback=read_usd,
        help="What an image costs whose price is not known; for --max-cost and estimates.",
    ),
    click.option(
        "--max-images",
        type=click.IntRange(min=1),
        metavar="N",
        help="Ask for no more than the first N images of the input.",
    ),
)
_FOR_LINES = (
    click.option("--model", "-m", metavar="MODEL", help="For lines that name none."),
    click.option("--size", metavar="SIZE", help="For lines that give none, such as 16:9."),
    click.option("--resolution", metavar="RES", help="For lines that give none, such as 2K."),
)
_NAMES = (
    click.option(
        "--name",
        metavar="TEMPLATE",
        callback=read_template,
        help="What files are called, of {id}, {index}, {model}, {size}, {date}, {slug}; {id} has to be there.  [{id}]",
    ),
    embed_option,
)
_AGAIN = (
    click.option(
        "--resubmit-unknown",
        is_flag=True,
        help="Send items again of which it cannot be found out whether they were accepted; may charge twice.",
    ),
    click.option("--retry-failed", is_flag=True, help="Make items again that failed in an earlier run."),
    click.option("--print-paths", is_flag=True, help="Print the files' paths on a terminal too, not only in a pipe."),
)


def run_option_group(command: F) -> F:
    """What shapes a run: how much at a time, what it may cost, what lines are taken to mean, what is made again."""
    return _with((*_AT_A_TIME, *_CAPS, *_FOR_LINES, *_NAMES, *_AGAIN), command)


def resume_option_group(command: F) -> F:
    """The same without what lines are taken to mean: that would make other items of them, and pay for all again."""
    return _with((*_AT_A_TIME, *_CAPS, *_AGAIN), command)
