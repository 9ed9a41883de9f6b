"""The front door: ``AsyncToAPIs``."""

import os
import random as random_module
from collections.abc import Mapping
from copy import copy
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, cast
from urllib.parse import urlsplit

import anyio

from toapis_async.client.connections import Connections
from toapis_async.client.dispatching import EventDispatcher
from toapis_async.client.downloading import Downloader
from toapis_async.client.file_sources import RewriteFileUrl
from toapis_async.client.finishing import checked_verify
from toapis_async.client.gateway import ClientIdTraits, Gateway
from toapis_async.client.limits import rate_limiter_of
from toapis_async.client.logging_observer import write_to_stderr
from toapis_async.client.orphans import OnAbandoned, OrphanTracker
from toapis_async.client.settings import (
    DEFAULT_MAX_RETRIES,
    DEFAULT_TIMEOUT_SECONDS,
    Settings,
    check_validation,
    checked_max_retries,
    checked_timeout,
    is_loopback,
)
from toapis_async.client.submitting import OnUnknown
from toapis_async.client.uploads import Uploads
from toapis_async.client.verbs import LOADED, ClientVerbs
from toapis_async.clock import Clock, SystemClock
from toapis_async.policy.files.mirrors import FileHosts
from toapis_async.policy.money.asking import GracePeriods
from toapis_async.policy.money.retrying import RetryPolicy
from toapis_async.policy.network.headers import checked_headers
from toapis_async.policy.requests.validation import Validation
from toapis_async.policy.waiting.latency import LatencyBook
from toapis_async.policy.waiting.polling import LearnedPolling, Polling
from toapis_async.ports.completion import CompletionSource, NoCompletionSource
from toapis_async.ports.events import Observer
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.transport.paced_transport import PacedTransport
from toapis_async.transport.rate_limiter import RateLimiter
from toapis_async.values.catalogue import Catalogue
from toapis_async.values.files import Verify
from toapis_async.values.limits import RateLimitSetting

if TYPE_CHECKING:
    import ssl

    import aiohttp

    from toapis_async.batch.session import GenerationSession
    from toapis_async.storage.files.sinks import Destination
    from toapis_async.telemetry.metrics import Metrics
    from toapis_async.transport.over_aiohttp import AiohttpTransport


class AsyncToAPIs(ClientVerbs):
    """A client of the gateway. Open it with ``async with``, or call ``aclose()`` when done.

    Settings are taken from the arguments, else from the environment, else from the defaults, in that order.

    Args:
        api_key: None for ``TOAPIS_API_KEY``.
        base_url: with or without ``/v1``; None for ``TOAPIS_BASE_URL``, else ``https://toapis.com``.
        http_session: an aiohttp session for calls to the gateway; whoever opened it closes it. None opens one. Files
            are always fetched over a session of their own, without the key.
        timeout: seconds for one HTTP exchange, not for a task; for one call, ``with_options(timeout=…)``.
        max_retries: how often a single call is sent again where that is safe.
        rate_limits: ``"auto"`` starts at the documented default tier and learns from the gateway; a tier's name;
            ``RateLimits``; None for none; or a ``RateLimiter``, which several clients may share.
        polling: when to look at a task; None for ``LearnedPolling()``.
        validation: ``"strict"`` refuses what the catalogue calls wrong, ``"warn"`` warns, ``"off"`` checks nothing.
        catalogue: what each model accepts; None for the one that comes with the library.
        webhooks: a ``CompletionSource``, which ends waits as soon as it hears of the end of a task; while its events
            come, tasks are looked at seldom. None looks only.
        on_abandoned: called with each submission or wait whose caller was cancelled, or that was cut short by closing
            the client, once its outcome is known.
        on_event: hears everything that happens, in single calls and sessions; called on the event loop, must not
            block. What it raises is logged and changes nothing.
        proxy: for the gateway and for files. ``"environment"`` reads ``TOAPIS_PROXY`` (or ``none``), else
            ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``ALL_PROXY``, but for what ``NO_PROXY`` excepts and this machine's own
            addresses. Or the address of one for everything: ``http://user:password@host:port``, ``https://…``, and
            with the extra ``socks`` ``socks5://…`` (names are resolved here) or ``socks5h://…`` (by the proxy). None
            for none. Where a proxy resolves names, it decides where they lead: whether a file host is inside its
            network can then be judged by the name only.
        ssl_context: what to trust, for gateway, proxy and file hosts; None for the system's authorities, or those that
            ``SSL_CERT_FILE`` named when the program started.
        default_headers, file_headers: sent to the gateway, ``User-Agent`` among them, and to every file host.
        file_hosts: by host, those that have the same files, tried when it fails:
            ``{"files.toapis.com": ("files.toapis.cn",)}``. A host that is among its own has its place there. They may
            lie inside your network. None for the gateway's own mirrors, ``{}`` for none.
        verify: of files, their ``"structure"``; ``"decode"`` decodes the pixels of pictures too (extra ``verify``).
        rewrite_file_url: makes the address to fetch of a file's address; what it returns is guarded like any.
        grace: for how long a miss proves nothing after a submission of unknown outcome; None for 15 s, 60 s after
            time-outs.
        resume_references: whether a request with a ``client_business_id`` of its own may have been sent before. Its
            task is then looked for, for the grace period, before it is first sent, and taken up where there is one.
        clock, random: for tests.

    Raises:
        ConfigurationError: a setting is missing or wrong; nothing was sent.

    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        http_session: "aiohttp.ClientSession | None" = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        max_retries: int = DEFAULT_MAX_RETRIES,
        rate_limits: RateLimitSetting | RateLimiter = "auto",
        polling: Polling | None = None,
        validation: Validation = "strict",
        catalogue: Catalogue | None = None,
        webhooks: CompletionSource | None = None,
        on_abandoned: OnAbandoned | None = None,
        on_event: Observer | None = None,
        proxy: str | None = "environment",
        ssl_context: "ssl.SSLContext | None" = None,
        default_headers: Mapping[str, str] | None = None,
        file_headers: Mapping[str, str] | None = None,
        file_hosts: FileHosts | None = None,
        rewrite_file_url: RewriteFileUrl | None = None,
        verify: Verify = "structure",
        grace: GracePeriods | None = None,
        resume_references: bool = False,
        clock: Clock | None = None,
        random: random_module.Random | None = None,
    ) -> None:
        self._settings = Settings.gather(
            api_key=api_key,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            proxy=proxy,
            default_headers=default_headers,
            file_headers=file_headers,
            file_hosts=file_hosts,
        )
        check_validation(validation)
        if self._settings.log_level is not None:
            write_to_stderr(self._settings.log_level)
        clock = clock or SystemClock()
        random = random or random_module.Random()
        self._connections = Connections.made(
            self._settings,
            http_session=http_session,
            ssl_context=ssl_context,
            rewrite_file_url=rewrite_file_url,
            clock=clock,
        )
        self._rate_limiter = rate_limiter_of(rate_limits, clock, random, account=self._settings.account_name)
        self._gateway = Gateway(
            transport=PacedTransport(self._connections.transport, self._rate_limiter),
            unpaced=self._connections.transport,
            rate_limiter=self._rate_limiter,
            clock=clock,
            random=random,
            catalogue=catalogue or packaged_catalogue(),
            validation=validation,
            local=is_loopback(urlsplit(self._settings.base_url).hostname or ""),
            polling=polling or LearnedPolling(),
            latencies=LatencyBook(),
            retries=RetryPolicy(max_retries=self._settings.max_retries),
            grace=grace or GracePeriods(),
            client_ids=ClientIdTraits(),
            resume_references=resume_references,
            verify=checked_verify(verify),
            events=EventDispatcher(clock, on_event),
            completion=NoCompletionSource(clock) if webhooks is None else webhooks,
        )
        self._orphans = OrphanTracker(on_abandoned)
        self._downloader = Downloader(
            host=self._connections.files, sources=self._connections.sources, clock=clock, random=random
        )
        self.uploads: Uploads = Uploads(self._gateway)
        self._is_view = False

    def __repr__(self) -> str:
        return f"AsyncToAPIs(base_url={self._settings.base_url!r})"

    def with_options(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        polling: Polling | None = None,
        default_headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a view of this client with other options: ``client.with_options(timeout=5).images.submit(…)``.

        It shares connections, limits and everything that was learned. Closing it closes nothing; it works as long as
        this client is open.

        Args:
            timeout, max_retries, polling: as of the client; None for the same.
            default_headers: besides this client's, before which they go.

        Raises:
            ConfigurationError: one of them is wrong.

        """
        seconds = None if timeout is None else checked_timeout(timeout)
        headers = checked_headers(default_headers, name="default_headers")
        retries = None if max_retries is None else RetryPolicy(max_retries=checked_max_retries(max_retries))
        transport = cast("AiohttpTransport", self._gateway.unpaced).view(timeout_seconds=seconds, headers=headers)
        gateway = self._gateway.view(transport, retries=retries, polling=polling)
        view = copy(self)
        for name in LOADED:
            vars(view).pop(name, None)
        vars(view).update(_gateway=gateway, uploads=self.uploads.view(gateway), _is_view=True)
        return view

    @property
    def base_url(self) -> str:
        """The API base, ending in ``/v1``."""
        return self._settings.base_url

    def metrics(self) -> "Metrics":
        """Return what this client has done so far, in single calls and sessions, as figures."""
        return self._gateway.events.counters.metrics()

    def session(
        self,
        directory: "Destination",
        *,
        max_concurrency: int = 200,
        download_workers: int = 16,
        journal: bool | str | os.PathLike[str] = True,
        durable: bool = True,
        polling: Polling | None = None,
        patience_seconds: float | None = None,
        max_cost_usd: Decimal | float | str | None = None,
        unlisted_price_usd: Decimal | float | str | None = None,
        on_unknown: OnUnknown = "report",
        retry_failed: bool = False,
        resume_references: bool | Literal["new"] | None = None,
        name: str | None = None,
        verify: Verify | None = None,
        embed_metadata: bool = False,
        on_event: Observer | None = None,
        store_options: Mapping[str, object] | None = None,
    ) -> "GenerationSession":
        """Make a session: many requests, their files in one directory. Open it with ``async with``.

        Args:
            directory: where files, manifest and journal go; made if it is missing. A directory that was stopped in
                any way is gone on with. Or a bucket (``s3://…``, extra ``cloud``) or a ``Sink`` for the files, which
                the session opens and closes; ``journal`` then names a directory on this machine.
            max_concurrency, download_workers: the most tasks in flight, unless the gateway allows fewer, and files.
            journal: whether to remember on disk what was submitted, to resume; or where, with lock and manifest.
            durable: whether to wait for the disk when a file is saved (fsync).
            polling: when to look at a task; None for the client's.
            patience_seconds: after which a task is late: it gives back its slot and is looked at slowly until the end
                of the run. None for 15 minutes (images) or one hour (videos).
            max_cost_usd: no more is submitted once what was spent in this directory, and the estimate of accepted,
                unknown and planned items, would pass this; None for no cap.
            unlisted_price_usd: what an output of a model whose price the catalogue does not know is taken to cost,
                until the gateway tells; None leaves it unknown, and then ``max_cost_usd`` does not let it pass.
            on_unknown: what to do with an item of which it cannot be found out whether a task exists: ``"report"``
                it, or ``"resubmit"`` it and perhaps pay twice.
            retry_failed: whether to make items again whose task failed in an earlier run.
            resume_references: None for the client's; ``"new"`` lets a later owner look for them, and looks for none.
            name, verify, embed_metadata: as in ``client.images.download()``, such as ``"{id}-{model}"``; ``{id}`` is
                the item's key, and has to be among the name.
            on_event: hears everything that happens in this session, beside the client's own ``on_event``.
            store_options: for a bucket, obstore's keys of store and HTTP client in one mapping; None for none.

        Raises:
            ConfigurationError: a setting is wrong.

        """
        # Single calls do not pay for loading the batch floor.
        from toapis_async.batch.resources import SessionResources  # noqa: PLC0415
        from toapis_async.batch.session import GenerationSession  # noqa: PLC0415
        from toapis_async.batch.settings import SessionSettings  # noqa: PLC0415
        from toapis_async.storage.files.sinks import sink_at  # noqa: PLC0415

        settings = SessionSettings(
            sink=sink_at(directory, durable=durable, store_options=store_options),
            max_concurrency=max_concurrency,
            download_workers=download_workers,
            journal=journal,
            durable=durable,
            polling=polling,
            patience_seconds=patience_seconds,
            max_cost_usd=max_cost_usd,
            unlisted_price_usd=unlisted_price_usd,
            on_unknown=on_unknown,
            retry_failed=retry_failed,
            resume_references=self._gateway.resume_references if resume_references is None else resume_references,
            name=name,
            verify=self._gateway.verify if verify is None else verify,
            embed_metadata=embed_metadata,
            on_event=on_event,
        )
        return GenerationSession(
            SessionResources(
                gateway=self._gateway,
                uploads=self.uploads,
                downloader=self._downloader,
                base_url=self._settings.base_url,
                settings=settings,
            )
        )

    async def __aenter__(self) -> Self:
        if self._is_view:
            return self
        try:
            await self._rate_limiter.open()
            await self._connections.open()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for submissions that are still on their way, then close what this client opened.

        Waits for tasks end at once with ``TaskTimeoutError``; their tasks, which are paid for, go to
        ``on_abandoned``.
        """
        if self._is_view:
            return
        # Inside a cancelled scope of anyio every await would end at once, and leave connections open.
        with anyio.CancelScope(shield=True):
            try:
                await self._orphans.aclose(patience_seconds=self._settings.timeout_seconds)
            finally:
                try:
                    await self._connections.aclose()
                finally:
                    await self._rate_limiter.aclose()
