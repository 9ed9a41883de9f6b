"""What the options mean to the client and to the session."""

import ssl
import warnings
from decimal import Decimal
from typing import Literal, TypedDict, cast

import attrs
import click

from toapis_async.async_client import AsyncToAPIs
from toapis_async.batch.settings import SessionSettings
from toapis_async.client.orphans import OnAbandoned
from toapis_async.errors import ConfigurationError
from toapis_async.policy.requests.validation import Validation
from toapis_async.policy.waiting.polling import LearnedPolling
from toapis_async.values.files import Verify
from toapis_async.values.limits import RateLimits, RateLimitSetting

DEFAULT_MAX_CONCURRENCY = int(attrs.fields(SessionSettings).max_concurrency.default or 0)
DEFAULT_DOWNLOAD_WORKERS = int(attrs.fields(SessionSettings).download_workers.default or 0)
NETWORK = "toapis_async.network"
"""Where click keeps what was said about the way to the gateway."""
NAMED_LIMITS = ("auto", "default", "vip", "svip", "none")

# The documented tiers allow 10 to 15 queries per submission.
_QUERIES_PER_SUBMISSION = 10


class PaceGiven(TypedDict):
    """What the options of every command that talks to the gateway parse to; None was not given."""

    base_url: str | None
    rate_limit: str | None
    min_poll_interval: float | None
    patience: float | None
    validation: Validation | None
    verify: Verify | None
    uvloop: bool | None
    as_json: bool
    quiet: bool


class RunGiven(PaceGiven):
    """The same for the commands that run a session."""

    max_concurrency: int | None
    download_workers: int | None
    max_cost: Decimal | None
    price: Decimal | None
    max_images: int | None
    print_paths: bool
    model: str | None
    size: str | None
    resolution: str | None
    name: str | None
    embed_metadata: bool | None
    resubmit_unknown: bool
    retry_failed: bool


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
    if text in NAMED_LIMITS:
        return cast(Literal["auto", "default", "vip", "svip"], text)
    rate = rate_of(text) or 1.0
    return RateLimits(
        submit_per_second=rate,
        submit_burst=max(1.0, rate),
        query_per_second=rate * _QUERIES_PER_SUBMISSION,
        query_burst=max(1.0, rate * _QUERIES_PER_SUBMISSION),
    )


def trusting(path: str) -> ssl.SSLContext:
    """Return what trusts the authorities in a file.

    Raises:
        ConfigurationError: there is no certificate in it.

    """
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise ConfigurationError(
            f"{path} has no certificates that can be read.", hint="--ca-file takes a PEM file."
        ) from error


@attrs.frozen(kw_only=True)
class ClientOptions:
    """What the options say about the client.

    Attributes:
        base_url: None leaves it to the environment.
        rate_limit: as written.
        min_poll_interval: seconds, or None for the documented floor.
        validation: what the catalogue's word counts.
        verify: how far files are looked into.

    """

    base_url: str | None = None
    rate_limit: str = "auto"
    min_poll_interval: float | None = None
    validation: Validation = "strict"
    verify: Verify = "structure"

    @property
    def polling(self) -> LearnedPolling:
        """When to look."""
        return (
            LearnedPolling() if self.min_poll_interval is None else LearnedPolling(min_interval=self.min_poll_interval)
        )

    def client(self, *, api_key: str | None = None, on_abandoned: OnAbandoned | None = None) -> AsyncToAPIs:
        """Make a client; the key is the environment's unless one is given.

        It does not warn: the program has said by itself what is doubtful.

        Raises:
            ConfigurationError: there is no key, or a setting is wrong.

        """
        warnings.filterwarnings("ignore", category=UserWarning, module="toapis_async")
        context = click.get_current_context(silent=True)
        said = {} if context is None else context.meta
        authorities = said.get(f"{NETWORK}.ca_file")
        return AsyncToAPIs(
            api_key=api_key,
            base_url=self.base_url,
            rate_limits=rate_limits_of(self.rate_limit),
            polling=self.polling,
            validation=self.validation,
            verify=self.verify,
            on_abandoned=on_abandoned,
            proxy=said.get(f"{NETWORK}.proxy", "environment"),
            ssl_context=None if authorities is None else trusting(authorities),
        )


@attrs.frozen(kw_only=True)
class RunOptions:
    """What the options say about a run; everything in it is remembered for ``toapis resume``.

    Attributes:
        client: of the client.
        max_concurrency, download_workers: of the session.
        patience: seconds, or None.
        max_cost: USD, or None.
        price: USD of an output whose price the catalogue does not know, or None.
        max_images: the most outputs that are asked for, counted from the beginning of the input; or None.
        comments: whether lines of a text file that begin with # are no prompts.
        model, size, resolution: for lines that do not say.
        name: the template of the files' names, or None.
        embed_metadata: whether pictures carry prompt, model and seed.

    """

    client: ClientOptions = ClientOptions()
    max_concurrency: int = DEFAULT_MAX_CONCURRENCY
    download_workers: int = DEFAULT_DOWNLOAD_WORKERS
    patience: float | None = None
    max_cost: Decimal | None = None
    price: Decimal | None = None
    max_images: int | None = None
    comments: bool = False
    model: str | None = None
    size: str | None = None
    resolution: str | None = None
    name: str | None = None
    embed_metadata: bool = False


_CLIENT_NAMES = tuple(field.name for field in attrs.fields(ClientOptions))
_RUN_NAMES = tuple(field.name for field in attrs.fields(RunOptions) if field.name != "client")


def client_options(given: PaceGiven, base: ClientOptions | None = None) -> ClientOptions:
    """Lay the options that were given over others (None was not given)."""
    said = {name: value for name in _CLIENT_NAMES if (value := given.get(name)) is not None}
    return attrs.evolve(base or ClientOptions(), **said)  # type: ignore[arg-type]  # checked when it was parsed


def run_options(given: RunGiven, base: RunOptions | None = None) -> RunOptions:
    """Lay the options that were given over others (None was not given)."""
    base = base or RunOptions()
    said = {name: value for name in _RUN_NAMES if (value := given.get(name)) is not None}
    client = client_options(given, base.client)
    return attrs.evolve(base, client=client, **said)  # type: ignore[arg-type]  # checked when it was parsed
