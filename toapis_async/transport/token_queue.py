"""Requests that wait for the tokens of one bucket."""

import asyncio
from collections import OrderedDict
from typing import Protocol

import attrs

from toapis_async.clock import Clock
from toapis_async.policy.pace.priority import TurnOrder
from toapis_async.transport.loop_binding import LoopBinding
from toapis_async.values.limits import INTERACTIVE


class TokenSource(Protocol):
    """Where tokens come from: a ``Bucket``, or what is lent out of one."""

    def take(self, now: float) -> float:
        """Take one token: 0.0 when it was there, else the seconds to wait before asking again."""
        ...

    def give_back(self) -> None:
        """Return a token that was taken and not used."""
        ...


@attrs.define(eq=False)
class _Waiter:
    """One request in line; *wake* is set when it has its token, or is to be the one who sleeps."""

    wake: "asyncio.Future[None]"
    granted: bool = False


class TokenQueue:
    """First come, first served within a class of priority. One waiter sleeps for all: a line is one timer.

    Args:
        bucket: where the tokens come from.
        clock: the time.

    """

    __slots__ = ("_binding", "_bucket", "_bulk", "_clock", "_interactive", "_order", "_sleeper")

    def __init__(self, bucket: TokenSource, clock: Clock) -> None:
        self._binding = LoopBinding()
        self._bucket = bucket
        self._clock = clock
        # Ordered dictionaries, because whoever is cancelled leaves from the middle of a line that may be long.
        self._interactive: OrderedDict[_Waiter, None] = OrderedDict()
        self._bulk: OrderedDict[_Waiter, None] = OrderedDict()
        self._order = TurnOrder()
        self._sleeper: _Waiter | None = None

    def __len__(self) -> int:
        return len(self._interactive) + len(self._bulk)

    @property
    def waiting(self) -> tuple[int, int]:
        """Interactive and bulk requests in line."""
        return len(self._interactive), len(self._bulk)

    def take_at_once(self) -> bool:
        """Take a token if nobody is in line and one is there."""
        return not len(self) and self._bucket.take(self._clock.monotonic()) == 0.0

    async def acquire(self, priority: int) -> None:
        """Wait in line for a token; whoever is cancelled leaves at once and returns a token that it had.

        Raises:
            ConfigurationError: the line is in use in another event loop.

        """
        if self._binding.moved():  # nobody of a loop that has stopped will ever take a token
            self._interactive.clear()
            self._bulk.clear()
            self._sleeper = None
        waiter = _Waiter(asyncio.get_running_loop().create_future())
        line = self._interactive if priority <= INTERACTIVE else self._bulk
        line[waiter] = None
        try:
            if self._sleeper is None:
                self._sleeper = waiter
            else:
                await waiter.wake
            # Asked again after every sleep: tokens may have gone to somebody else, or been given back.
            while not waiter.granted and (wait := self._hand_out()) > 0.0 and not waiter.granted:
                await self._clock.sleep(wait)
        except asyncio.CancelledError:
            line.pop(waiter, None)
            # It was granted in the very turn of the loop in which the cancellation came.
            if waiter.granted:
                self._bucket.give_back()
            raise
        finally:
            if self._sleeper is waiter:
                self._pass_on()

    def _hand_out(self) -> float:
        """Give tokens to whoever is next, while there are any; return the seconds until there is one more."""
        while len(self):
            if (wait := self._bucket.take(self._clock.monotonic())) > 0.0:
                return wait
            first = self._order.interactive_next(interactive=bool(self._interactive), bulk=bool(self._bulk))
            waiter, _ = (self._interactive if first else self._bulk).popitem(last=False)
            waiter.granted = True
            if not waiter.wake.done():
                waiter.wake.set_result(None)
        return 0.0

    def _pass_on(self) -> None:
        """Let the next in line sleep for all."""
        self._hand_out()
        line = self._interactive or self._bulk
        self._sleeper = next(iter(line), None)
        if self._sleeper is not None and not self._sleeper.wake.done():
            self._sleeper.wake.set_result(None)
