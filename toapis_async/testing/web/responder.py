"""What every endpoint does with a call: note it, know its sender, misbehave as the scenario says, answer."""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from random import Random

import attrs
from aiohttp import web

from toapis_async.testing.gateway.accounts.account import Account
from toapis_async.testing.gateway.replies.answers import Answer
from toapis_async.testing.gateway.replies.refusals import REFUSALS, with_headers
from toapis_async.testing.gateway.state import Gateway
from toapis_async.testing.scenario.faults import Where
from toapis_async.testing.scenario.misbehaviour import Delay, Drop, InvalidJson, Misbehaviour, Refuse, Reply

_KEY_SHOWN = 7
Faults = tuple[Misbehaviour, ...]


@attrs.frozen(eq=False)
class Responder:
    """What all endpoints share: authentication, records, faults, replies.

    Attributes:
        gateway: its state.
        rng: makes new keys.

    """

    gateway: Gateway
    rng: Random

    def record_request(self, request: web.Request, where: str) -> None:
        """Enter the arrival of a call into the books."""
        books, headers = self.gateway.books, request.headers
        books.requests[where] += 1
        agent = headers.get("User-Agent")
        if agent is not None:
            books.user_agents[agent] += 1
        authorization = headers.get("Authorization")
        if authorization is not None:
            books.with_key[where] += 1
            books.keys_seen[where].add(authorization.removeprefix("Bearer ")[:_KEY_SHOWN])

    def authenticate(self, request: web.Request) -> Account | None:
        """Whose key the call carries; None for a wrong one or none."""
        return self.gateway.accounts.get(request.headers.get("Authorization", "").removeprefix("Bearer "))

    def respond(self, where: str, answer: Answer) -> web.Response:
        """Make HTTP of an answer."""
        self.gateway.books.replies[where, answer.http_status] += 1
        return web.Response(
            status=answer.http_status,
            body=answer.body,
            headers={"Content-Type": answer.content_type, **answer.headers},
        )

    def unauthorized(self, request: web.Request, where: str) -> web.Response:
        """The documented 401."""
        return self.respond(where, REFUSALS["unauthorized" if "Authorization" in request.headers else "missing_token"])

    def drop_connection(self, request: web.Request, where: str) -> web.Response:
        """Cut the connection without a reply."""
        self.gateway.books.replies[where, 0] += 1
        reset(request)
        return web.Response()

    async def answer(
        self, request: web.Request, where: Where, subject: str, make: Callable[[Faults], Answer]
    ) -> web.Response:
        """Answer a call, as badly as the scenario wants.

        Args:
            request: the call.
            where: its class.
            subject: the prompt that it is about.
            make: does what was asked and says so; gets the faults, for those that bend the answer.

        """
        faults = self.gateway.faults.strike(where, subject)
        if not faults:
            return self.respond(where, make(faults))
        replaced = await self.apply_faults(request, where, faults, after=False)
        if replaced is not None:
            return replaced
        answer = make(faults)
        if answer.http_status < 300:
            replaced = await self.apply_faults(request, where, faults, after=True, answer=answer)
        return replaced or self.respond(where, answer)

    async def apply_faults(
        self, request: web.Request, where: Where, faults: Faults, *, after: bool = False, answer: Answer | None = None
    ) -> web.Response | None:
        """Do what goes wrong before, or after, the call is done; a response ends the call."""
        for fault in faults:
            if getattr(fault, "after_acceptance", None) is not after:
                continue
            match fault:
                case Delay(seconds=seconds):
                    await self.gateway.clock.sleep(seconds)
                case Drop():
                    return self.drop_connection(request, where)
                case Refuse() | Reply():
                    return self.respond(where, refusal(fault))
                case InvalidJson() if answer is not None:
                    return self.respond(where, attrs.evolve(answer, body=answer.body[: len(answer.body) // 2]))
                case _:
                    pass
        return None


def refusal(fault: Refuse | Reply) -> Answer:
    """The answer that a fault stands for."""
    if isinstance(fault, Reply):
        return Answer(fault.http_status, fault.body.encode(), fault.content_type, dict(fault.headers))
    answer = REFUSALS[fault.reply]
    return answer if fault.retry_after is None else with_headers(answer, {"Retry-After": f"{fault.retry_after:g}"})


def reset(request: web.Request) -> None:
    """Reset the connection: the other side sees it break, not end."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # uvloop's stand-in for a socket may refuse; then the connection only ends.
        with suppress(OSError, TypeError, AttributeError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
