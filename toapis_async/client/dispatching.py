"""Bringing events to whoever listens, at no cost where nobody does."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from toapis_async.client import logging_observer
from toapis_async.clock import Clock
from toapis_async.errors import ToAPIsError
from toapis_async.ports.events import CallBegun, CallEnded, Event, Observer, Verb
from toapis_async.telemetry.counters import Counters
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
        counters: count every event; None for new ones.
        session: the directory of the session whose events these are; None for single calls.

    """

    __slots__ = ("_clock", "_observers", "_session", "counters")

    def __init__(
        self,
        clock: Clock,
        *observers: Observer | None,
        counters: Counters | None = None,
        session: str | None = None,
    ) -> None:
        self._clock = clock
        self._observers = tuple(observer for observer in observers if observer is not None)
        self._session = session
        self.counters: Counters = counters or Counters()

    def of_session(self, directory: str, observer: Observer | None) -> "EventDispatcher":
        """Return a dispatcher for the events of a session, that tells one more."""
        return EventDispatcher(self._clock, *self._observers, observer, counters=self.counters, session=directory)

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
        """Count an event of these facts, make it and tell it; where nobody listens, it is not even made."""
        self.counters.count(event, request, facts)
        logged = logging_observer.wanted(event, facts)
        if not self._observers and not logged:
            return
        told = event(
            at=self._clock.now(),
            key=key,
            session=self._session,
            request=request,
            task_id=task_id,
            attempt=attempt,
            **facts,
        )
        for observer in (logging_observer.log, *self._observers) if logged else self._observers:
            try:
                observer(told)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException:  # a cancellation of something else, looked at by an observer, is not ours
                logger.exception("An observer of events broke")

    @contextmanager
    def call(
        self, verb: Verb, *, request: GenerationRequest | None = None, task_id: str | None = None
    ) -> Iterator[None]:
        """Tell where a single call begins and how it ends, in the context of its caller."""
        self.tell(CallBegun, request=request, task_id=task_id, verb=verb)
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            known = error if isinstance(error, ToAPIsError) else None
            cancelled = isinstance(error, asyncio.CancelledError)
            self.tell(CallEnded, request=request, task_id=task_id, verb=verb, error=known, cancelled=cancelled)
