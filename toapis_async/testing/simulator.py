"""The gateway in miniature, on a socket of this machine."""

import ssl
import tempfile
from collections.abc import Iterable
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

import attrs
from aiohttp import web

from toapis_async.async_client import AsyncToAPIs
from toapis_async.client.settings import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT_SECONDS
from toapis_async.errors import ConfigurationError
from toapis_async.policy.waiting.polling import Polling
from toapis_async.testing.gateway.accounts.account import Account
from toapis_async.testing.gateway.accounts.webhook_setup import WebhookSetup, checked_address
from toapis_async.testing.gateway.books import Books
from toapis_async.testing.gateway.state import Gateway
from toapis_async.testing.gateway.tokens import new_key
from toapis_async.testing.scenario.library import SCENARIOS, scenario_named
from toapis_async.testing.scenario.settings import Scenario
from toapis_async.testing.simulator_clock import SimulatorClock
from toapis_async.testing.tls import Certificate, make_certificate
from toapis_async.testing.web.accounts import account_routes, last_route
from toapis_async.testing.web.admin import admin_routes
from toapis_async.testing.web.file_store import FileStore
from toapis_async.testing.web.files import file_routes
from toapis_async.testing.web.listening import FileHosts, listen
from toapis_async.testing.web.responder import Responder
from toapis_async.testing.web.tasks import task_routes
from toapis_async.testing.web.uploads import upload_routes
from toapis_async.testing.web.webhooks import WebhookSender
from toapis_async.values.limits import TIERS, RateLimits, RateLimitSetting

_MAX_BODY_BYTES = 64_000_000


def _as_scenario(value: Scenario | str) -> Scenario:
    return scenario_named(value) if isinstance(value, str) else value


def _as_hosts(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


@attrs.define(eq=False)
class Simulator:
    """A gateway to test against: ``async with Simulator() as sim``, then use ``sim.base_url`` and ``sim.api_key``.

    It runs in the event loop that enters it and needs no network but the loopback.

    Attributes:
        scenario: a name of ``SCENARIOS`` or a ``Scenario``.
        host, port: where to listen; port 0 takes a free one.
        tls: whether to speak https, with a certificate made for the occasion (``ca_file``).
        name: a host name that stands in its addresses and certificate in place of ``host``, for clients that reach it
            through a proxy or a resolver of their own; None for the address.
        seed: decides every chance; the same seed and prompts give the same run.
        speed: how many of the simulator's seconds pass in one of the machine's.
        file_hosts: loopback addresses, such as ``("127.0.0.2", "127.0.0.3")``, on which result files lie besides, all
            on one port; links name the first. Empty serves them from ``base_url``.
        clock: the simulator's time; ``clock.advance(seconds)`` lets tasks finish and links expire.

    """

    scenario: Scenario = attrs.field(factory=lambda: SCENARIOS["calm"], converter=_as_scenario)
    host: str = attrs.field(default="127.0.0.1", kw_only=True)
    port: int = attrs.field(default=0, kw_only=True)
    tls: bool = attrs.field(default=False, kw_only=True)
    name: str | None = attrs.field(default=None, kw_only=True)
    seed: int = attrs.field(default=0, kw_only=True)
    speed: float = attrs.field(default=1.0, kw_only=True)
    file_hosts: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_as_hosts)
    clock: SimulatorClock = attrs.field(init=False, repr=False)
    gateway: Gateway = attrs.field(init=False, repr=False)
    _rng: Random = attrs.field(init=False, repr=False)
    _key: str = attrs.field(init=False, repr=False)
    _runner: web.AppRunner | None = attrs.field(default=None, init=False, repr=False)
    _webhooks: WebhookSender = attrs.field(init=False, repr=False)
    _mirrors: FileHosts = attrs.field(init=False, repr=False)
    _file_store: FileStore = attrs.field(init=False, repr=False)
    _certificate: Certificate | None = attrs.field(default=None, init=False, repr=False)
    _folder: "tempfile.TemporaryDirectory[str] | None" = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Open the first user's account."""
        self.clock = SimulatorClock(self.speed)
        self._rng = Random(f"keys of {self.seed}")
        self.gateway = Gateway(self.scenario, self.clock, self.seed)
        self._webhooks = WebhookSender(self.gateway)
        self._file_store = FileStore(self.scenario)
        self._mirrors = FileHosts(self.file_hosts, self._file_application)
        self._key = self.add_account(limits=self.scenario.tier, balance_usd=self.scenario.balance_usd)

    @property
    def base_url(self) -> str:
        """``http://host:port``, without ``/v1``.

        Raises:
            ConfigurationError: it does not run yet.

        """
        if not self.gateway.base_url:
            raise ConfigurationError(
                "the simulator has no address yet", hint="use it inside `async with Simulator() as sim:`"
            )
        return self.gateway.base_url

    @property
    def api_key(self) -> str:
        """The key of the first user; it opens nothing but this simulator."""
        return self._key

    @property
    def books(self) -> Books:
        """The gateway's books, settled up to now."""
        self.gateway.settle()
        return self.gateway.books

    @property
    def account(self) -> Account:
        """The first user."""
        return self.gateway.accounts[self._key]

    @property
    def ca_file(self) -> Path:
        """The certificate that clients have to trust, as a PEM file.

        Programs that take no such option trust it through the environment: ``SSL_CERT_FILE``.

        Raises:
            ConfigurationError: it does not speak TLS, or does not run.

        """
        if self._certificate is None:
            raise ConfigurationError("there is no certificate", hint="use `async with Simulator(tls=True) as sim:`")
        return self._certificate.ca_file

    def client_ssl_context(self) -> ssl.SSLContext:
        """A context for clients that trusts this simulator."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    def client(
        self,
        *,
        api_key: str | None = None,
        polling: Polling | None = None,
        rate_limits: RateLimitSetting = "auto",
        max_retries: int = DEFAULT_MAX_RETRIES,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> AsyncToAPIs:
        """Make a client of this simulator, which waits by the simulator's clock: ``async with sim.client() as client``.

        With ``speed=50`` it polls as patiently as in production, and a minute of it takes about a second.

        Args:
            api_key: of another user; None for the first.
            polling, rate_limits, max_retries, timeout: as in ``AsyncToAPIs``.

        Raises:
            ConfigurationError: the simulator does not run, or speaks TLS: the client trusts the machine's authorities.

        """
        if self.tls:
            raise ConfigurationError(
                "the client does not trust this simulator's certificate",
                hint="use tls=False, or start Python with SSL_CERT_FILE set to ca_file and make the client yourself",
            )
        return AsyncToAPIs(
            api_key=api_key or self.api_key,
            base_url=self.base_url,
            polling=polling,
            rate_limits=rate_limits,
            max_retries=max_retries,
            timeout=timeout,
            clock=self.clock,
            random=Random(self.seed),
        )

    def add_account(self, *, limits: RateLimits | str | None = None, balance_usd: Decimal | int | None = None) -> str:
        """Another user.

        Args:
            limits: a tier's name, ``RateLimits``, or None for no limit.
            balance_usd: USD, or None for unlimited.

        Returns:
            The user's key.

        """
        key = new_key(self._rng)
        balance = None if balance_usd is None else Decimal(balance_usd)
        self.gateway.open_account(key, limits=TIERS[limits] if isinstance(limits, str) else limits, balance_usd=balance)
        return key

    def set_webhook(self, url: str, *, secret: str | None = None, api_key: str | None = None) -> str:
        """Set up a user's webhook, as in the console.

        Args:
            url: https, without user and fragment; here, unlike at the gateway, plain http to loopback is allowed too.
            secret: signs the deliveries; None makes one.
            api_key: of another user; None for the first.

        Returns:
            The secret that signs the deliveries.

        Raises:
            ConfigurationError: the gateway would not take this address.

        """
        account = self.account if api_key is None else self.gateway.accounts[api_key]
        account.webhook = WebhookSetup(checked_address(url), secret or self._rng.randbytes(16).hex())
        return account.webhook.secret

    def rotate_webhook_secret(self) -> str:
        """Make a new secret; for 24 hours the previous one signs too.

        Raises:
            ConfigurationError: no webhook was set up.

        """
        setup = self.account.webhook
        if setup is None:
            raise ConfigurationError("there is no webhook to rotate", hint="call set_webhook(url) first")
        self.account.webhook = setup.rotated(self._rng.randbytes(16).hex(), self.clock.now())
        return self.account.webhook.secret

    @property
    def file_host_urls(self) -> tuple[str, ...]:
        """Base URLs of ``file_hosts``, in their order."""
        return self._mirrors.urls

    async def stop_file_host(self, number: int = 0) -> None:
        """Take one of ``file_hosts`` down: connections to it are refused from now on."""
        await self._mirrors.stop(number)

    async def start_file_host(self, number: int = 0) -> None:
        """Bring one of ``file_hosts`` up again, at the same address."""
        await self._mirrors.start(number)

    def forget_uploads(self) -> None:
        """Lose every stored reference, as the gateway may at any time."""
        self.gateway.uploads.clear()

    async def __aenter__(self) -> Self:
        if self.scenario.files == "drawn" and find_spec("PIL") is None:
            raise ConfigurationError(
                "drawing pictures needs Pillow",
                hint='pip install "toapis-async[sim]", or use a Scenario with files="small"',
            )
        try:
            await self._listen(self._server_context() if self.tls else None)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()

    async def _listen(self, context: ssl.SSLContext | None) -> None:
        self._runner, self.gateway.base_url = await listen(self._application(), self.host, self.port, context)
        if self.name is not None:
            scheme, port = self.gateway.base_url.partition("://")[0], self.gateway.base_url.rpartition(":")[2]
            self.gateway.base_url = f"{scheme}://{self.name}:{port}"
        await self._mirrors.start_all(context)
        self.gateway.file_host = next(iter(self._mirrors.urls), "")

    async def _close(self) -> None:
        await self._webhooks.close()
        await self._mirrors.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._file_store.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _application(self) -> web.Application:
        responder = Responder(self.gateway, self._rng)
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.add_routes(
            [
                *task_routes(responder, self._webhooks),
                *account_routes(responder),
                *upload_routes(responder),
                *file_routes(responder, self._file_store),
                *admin_routes(self, responder),
                last_route(responder),
            ]
        )
        return app

    def _file_application(self) -> web.Application:
        app = web.Application()
        app.add_routes(file_routes(Responder(self.gateway, self._rng), self._file_store))
        return app

    def _server_context(self) -> ssl.SSLContext:
        self._folder = tempfile.TemporaryDirectory(prefix="toapis-simulator-")
        self._certificate = make_certificate((self.name or self.host, *self.file_hosts), Path(self._folder.name))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._certificate.chain_file)
        return context
