"""Ending a drain that cannot come to its end, because nothing can be reached."""

import asyncio
from functools import partial

from toapis_async.client.gateway import Gateway
from toapis_async.errors import APIConnectionError, APITimeoutError, Delivery, ServerError, ToAPIsError
from toapis_async.policy.files.host_outage import drain_goes_on
from toapis_async.transport.with_retries import ask_once
from toapis_async.wire.encoding import models

# Questions of one kind are answered within a second where anything is answered at all.
_ANSWER_SECONDS = 3.0
_NEXT_TRY_SECONDS = 1.0
_NEXT_LOOK_SECONDS = 15.0


async def until_unreachable(gateway: Gateway) -> ToAPIsError:
    """Return once the gateway has answered nothing for some seconds: what is paid for waits for the next run then."""
    clock = gateway.clock
    silent_since: float | None = None
    while True:
        asked = clock.monotonic()
        error = await _silence(gateway)
        if error is None:
            silent_since = None
        else:
            silent_since = asked if silent_since is None else silent_since
            if not drain_goes_on(clock.monotonic() - silent_since):
                return _unreachable(error)
        await clock.sleep(_NEXT_LOOK_SECONDS if error is None else _NEXT_TRY_SECONDS)


async def _silence(gateway: Gateway) -> ToAPIsError | None:
    """Ask for something that costs nothing; return why there was no answer, or None. A refusal is an answer."""
    ask = partial(ask_once, gateway.transport, models("image"), asked_for="the list of models", clock=gateway.clock)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await ask()
    except TimeoutError:
        return APITimeoutError(f"No reply within {_ANSWER_SECONDS:g} s.", delivery=Delivery.UNKNOWN)
    except (APIConnectionError, ServerError) as error:
        return error
    except ToAPIsError:
        return None
    return None


def _unreachable(error: ToAPIsError) -> ToAPIsError:
    return APIConnectionError(
        f"The gateway cannot be reached any more ({error.message.rstrip('.')}).",
        delivery=Delivery.NEVER,
        hint="What is paid for is in the journal: resume the run when the gateway can be reached.",
    )
