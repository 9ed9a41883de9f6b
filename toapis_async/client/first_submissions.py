"""The first submissions of a session, while no reply could be read: few, since each may be charged for nothing."""

import attrs

from toapis_async.client.gateway import Gateway
from toapis_async.errors import ConfigurationError
from toapis_async.policy.money.asking import Unanswered, step_unanswered

_LOOK_SECONDS = 0.5


@attrs.define(kw_only=True, eq=False, repr=False)
class FirstSubmissions:
    """Lets few out until something could be read; where nothing can, neither then nor when asked again, no more.

    Attributes:
        gateway: whose replies.
        given_up: how many were asked about in vain.

    """

    gateway: Gateway
    given_up: int = 0
    _under_way: set[int] = attrs.field(factory=set)

    async def admit(self, submission: object) -> None:
        """Wait until one more may be sent; ``ended()`` has to follow.

        Raises:
            ConfigurationError: nothing that came back could be read.

        """
        while True:
            step = step_unanswered(
                given_up=self.given_up, under_way=len(self._under_way), answered=self.gateway.client_ids.answered
            )
            if step is Unanswered.SEND:
                self._under_way.add(id(submission))
                return
            if step is Unanswered.STOP:
                raise ConfigurationError(
                    f"No reply to the first {self.given_up} submissions could be read, nor any to the questions about "
                    "them. They may have been charged; nothing more was sent.",
                    hint="Look for what stands between this machine and the gateway: a proxy, a firewall, a wrong "
                    "base URL. Then start again: what was sent is asked about first.",
                )
            # Looked at and not signalled: what it waits for may be learned in many places.
            await self.gateway.clock.sleep(_LOOK_SECONDS)

    def ended(self, submission: object) -> None:
        """Hear that it is known what became of it, or that this cannot be found out."""
        self._under_way.discard(id(submission))
