"""Ending a drain that cannot come to its end, because nothing can be reached."""

from toapis_async.client.gateway import Gateway
from toapis_async.client.reachability import silence
from toapis_async.errors import APIConnectionError, Delivery, ToAPIsError
from toapis_async.policy.network.outage import drain_goes_on

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
        error = await silence(gateway, within_seconds=_ANSWER_SECONDS)
        if error is None:
            silent_since = None
        else:
            silent_since = asked if silent_since is None else silent_since
            if not drain_goes_on(clock.monotonic() - silent_since):
                return _unreachable(error)
        await clock.sleep(_NEXT_LOOK_SECONDS if error is None else _NEXT_TRY_SECONDS)


def _unreachable(error: ToAPIsError) -> ToAPIsError:
    return APIConnectionError(
        f"The gateway cannot be reached any more ({error.message.rstrip('.')}).",
        delivery=Delivery.NEVER,
        hint="What is paid for is in the journal: resume the run when the gateway can be reached.",
    )
