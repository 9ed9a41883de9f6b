"""Which event loop connections and lines belong to: both are of no use in another."""

import asyncio
import contextlib

import aiohttp

from toapis_async.errors import ConfigurationError


class LoopBinding:
    """Follows its owner from one event loop to the next, as with ``asyncio.run`` twice, and never into two at once."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def moved(self) -> bool:
        """Take hold of the running loop; tell whether that is another one than before.

        Raises:
            ConfigurationError: the one before is still running, in another thread.

        """
        loop, before = asyncio.get_running_loop(), self._loop
        if loop is before:
            return False
        if before is not None and before.is_running():
            raise ConfigurationError(
                "This client is in use in another event loop; nothing was sent.",
                hint="Make one client for each loop, inside it.",
            )
        self._loop = loop
        return before is not None


def check_lent(session: aiohttp.ClientSession) -> None:
    """Refuse a lent session of another event loop, in which a request could be sent and its reply never be read.

    Raises:
        ConfigurationError: it belongs to another loop.

    """
    # Its public name warns that it will go; without either, aiohttp's own errors have to do.
    loop = getattr(session, "_loop", None)
    if loop is not None and loop is not asyncio.get_running_loop():
        raise ConfigurationError(
            "The http_session belongs to another event loop; nothing was sent.",
            hint="Open session and client in the loop that uses them.",
        )


def let_go(session: aiohttp.ClientSession) -> None:
    """Part from a session whose event loop has stopped, and from its connections as far as that is still possible."""
    connector = session.connector
    session.detach()
    if connector is None:
        return
    closing = connector.close()
    if asyncio.iscoroutine(closing):
        # As far as it goes without its loop: what it would wait for there never comes.
        with contextlib.suppress(StopIteration, RuntimeError):
            closing.send(None)
        closing.close()
