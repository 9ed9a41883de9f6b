"""The network, as the floors above see it."""

from typing import Protocol

from toapis_async.values.exchange import HttpReply, HttpRequest


class Transport(Protocol):
    """One exchange with the gateway.

    Implementations add the key, the host and nothing else: no retry, no reading of the body.
    """

    async def send(self, request: HttpRequest) -> HttpReply:
        """Send once and return the whole reply, whatever its status.

        Raises:
            APIConnectionError: no reply; ``delivery`` says whether the request may have arrived.
            APITimeoutError: no reply in time.

        """
        ...
