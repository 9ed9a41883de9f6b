"""Asking again where asking again is free: everything but submissions."""

import random as random_module
from collections.abc import Callable
from typing import TypeVar

from toapis_async.clock import Clock
from toapis_async.errors import APIConnectionError, RateLimitError, ServerError, ToAPIsError, UnreadableReplyError
from toapis_async.policy.money.retrying import RetryPolicy, retry_seconds
from toapis_async.transport.port import Transport
from toapis_async.values.exchange import HttpReply, HttpRequest
from toapis_async.wire.failures import error_from

T = TypeVar("T")


async def ask(
    transport: Transport,
    request: HttpRequest,
    read: Callable[[HttpReply], T],
    *,
    asked_for: str,
    retries: RetryPolicy,
    clock: Clock,
    random: random_module.Random,
) -> T:
    """Send a request that costs nothing, again after broken connections, 429, 5xx and garbled replies.

    Args:
        transport: where to send it.
        request: what to send; never a submission.
        read: makes the result of a 2xx; raises ``UnreadableReplyError`` where it cannot.
        asked_for: what it was about, for the error's text.
        retries: how patiently.
        clock: waits.
        random: jitters.

    Raises:
        ToAPIsError: the last failure, once patience is at an end or at once where waiting does not help.

    """
    start = clock.monotonic()
    tried = 0
    while True:
        try:
            return read(await ask_once(transport, request, asked_for=asked_for, clock=clock))
        except (APIConnectionError, RateLimitError, ServerError, UnreadableReplyError) as error:
            delay = retry_seconds(
                retries,
                retries=tried,
                elapsed_seconds=clock.monotonic() - start,
                retry_after_seconds=getattr(error, "retry_after_seconds", None),
                random=random,
            )
            # What lasts (a refused certificate, an unknown proxy) is the same at every try.
            if delay is None or error.lasting:
                raise
        tried += 1
        await clock.sleep(delay)


async def ask_once(transport: Transport, request: HttpRequest, *, asked_for: str, clock: Clock) -> HttpReply:
    """Send once; return a 2xx, raise anything else.

    Raises:
        ToAPIsError: no reply, or one that is no 2xx.

    """
    reply = await transport.send(request)
    if 200 <= reply.http_status < 300:
        return reply
    error: ToAPIsError = error_from(reply, asked_for=asked_for, now=clock.now(), submission=False)
    raise error
