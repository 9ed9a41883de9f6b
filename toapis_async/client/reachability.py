"""Whether there is a gateway at all, found out by a question that costs nothing."""

import asyncio

from toapis_async.client.gateway import Gateway
from toapis_async.errors import APIConnectionError, APITimeoutError, Delivery, ServerError, ToAPIsError
from toapis_async.transport.with_retries import ask_once
from toapis_async.wire.encoding import models


async def silence(gateway: Gateway, *, within_seconds: float | None = None) -> ToAPIsError | None:
    """Ask once; return why there was no answer, or None. A refusal is an answer.

    Args:
        gateway: which one.
        within_seconds: for how long it is waited for; None for as long as for any exchange.

    """
    try:
        async with asyncio.timeout(within_seconds):
            await _list_models(gateway)
    except TimeoutError:
        return APITimeoutError(f"No reply within {within_seconds:g} s.", delivery=Delivery.UNKNOWN)
    except (APIConnectionError, ServerError) as error:
        return error
    except ToAPIsError:
        return None
    return None


async def has_paths(gateway: Gateway) -> bool:
    """Tell whether the base address is right: it has accepted something, or lists models."""
    if gateway.client_ids.recent_task is not None:
        return True
    try:
        await _list_models(gateway)
    except ToAPIsError:
        return False
    return True


# It costs nothing and touches no task: the one question that is safe to repeat during an outage.
async def _list_models(gateway: Gateway) -> None:
    await ask_once(gateway.transport, models("image"), asked_for="the list of models", clock=gateway.clock)
