"""Sockets that an application listens on."""

import ssl
from collections.abc import Callable

import attrs
from aiohttp import web

from toapis_async.errors import ConfigurationError

# As many as most systems allow: thousands of clients may connect in the same moment.
_BACKLOG = 4096


async def listen(
    app: web.Application, host: str, port: int, context: ssl.SSLContext | None
) -> tuple[web.AppRunner, str]:
    """Serve an application; returns what stops it, and the base URL.

    Args:
        app: what to serve.
        host: the address to listen on.
        port: 0 takes a free one.
        context: of the server's certificate, or None for plain http.

    Raises:
        ConfigurationError: the port is taken, or the address is none of this machine's.

    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=context, backlog=_BACKLOG).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}", hint="take another port, or port 0"
        ) from error
    bound, port = runner.addresses[0][:2]
    # Listening everywhere is no address to go to.
    bound = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bound, bound)  # noqa: S104
    shown = f"[{bound}]" if ":" in bound else bound
    return runner, f"{'http' if context is None else 'https'}://{shown}:{port}"


@attrs.define(eq=False)
class FileHosts:
    """Mirrors of the file host: the same paths on each, all on one port, each can be down.

    Attributes:
        hosts: addresses to listen on, such as ``127.0.0.2``.
        make_app: makes the application of one of them.
        urls: their base URLs, once they listen.

    """

    hosts: tuple[str, ...]
    make_app: Callable[[], web.Application]
    urls: tuple[str, ...] = attrs.field(default=(), init=False)
    _port: int = attrs.field(default=0, init=False)
    _context: ssl.SSLContext | None = attrs.field(default=None, init=False, repr=False)
    _runners: dict[int, web.AppRunner] = attrs.field(factory=dict, init=False, repr=False)

    async def start_all(self, context: ssl.SSLContext | None) -> None:
        """Listen on all of them; the first one's port is free, the others take the same.

        Raises:
            ConfigurationError: one cannot.

        """
        self._context = context
        for number in range(len(self.hosts)):
            await self.start(number)

    async def start(self, number: int) -> None:
        """Bring one of them up, at the port that it had.

        Raises:
            ConfigurationError: somebody else has the port by now.

        """
        if number in self._runners:
            return
        self._runners[number], url = await listen(self.make_app(), self.hosts[number], self._port, self._context)
        self._port = int(url.rpartition(":")[2])
        if number == len(self.urls):
            self.urls += (url,)

    async def stop(self, number: int) -> None:
        """Take one of them down: connections to it are refused, and open ones end."""
        runner = self._runners.pop(number, None)
        if runner is not None:
            await runner.cleanup()

    async def close(self) -> None:
        """Take all of them down."""
        for number in tuple(self._runners):
            await self.stop(number)
