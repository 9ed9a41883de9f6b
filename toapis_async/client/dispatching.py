"""Bringing events to whoever listens, at no cost where nobody does."""

import logging
from collections.abc import Callable
from typing import Protocol

from toapis_async.client import logging_observer
from toapis_async.clock import Clock
from toapis_async.ports.events import Event, Observer
from toapis_async.values.requests import GenerationRequest


class Tell(Protocol):
    """Tells whoever listens of one thing that happened to a task or a file; see ``EventDispatcher.tell``."""

    def __call__(self, event: Callable[..., Event], /, **facts: object) -> None:
        """Make the event of these facts; what is known to be the same for all, such as the item, is added."""
        ...


def tell_nobody(event: Callable[..., Event], /, **facts: object) -> None:
    """Be a ``Tell`` where nobody listens."""


logger: logging.Logger = logging.getLogger("toapis_async")


class EventDispatcher:
    """Tells observers what happens, and the log.

    Args:
        clock: dates events.
        observers: called in order with each event; what one raises is logged and changes nothing.

    """

    __slots__ = ("_clock", "_observers")

    def __init__(self, clock: Clock, *observers: Observer | None) -> None:
        self._clock = clock
        self._observers = tuple(observer for observer in observers if observer is not None)

    def also(self, observer: Observer | None) -> "EventDispatcher":
        """Return a dispatcher that tells one more."""
        return self if observer is None else EventDispatcher(self._clock, *self._observers, observer)

    def tell(
        self,
        event: Callable[..., Event],
        /,
        *,
        key: str | None = None,
        request: GenerationRequest | None = None,
        task_id: str | None = None,
        attempt: int | None = None,
        **facts: object,
    ) -> None:
        """Make an event of these facts and tell it; where nobody listens, it is not even made."""
        logged = logging_observer.wanted(event)
        if not self._observers and not logged:
            return
        told = event(at=self._clock.now(), key=key, request=request, task_id=task_id, attempt=attempt, **facts)
        for observer in (logging_observer.log, *self._observers) if logged else self._observers:
            try:
                observer(told)
            except Exception:
                logger.exception("An observer of events broke")
