"""Where the end of a task may be heard of before the next look at it."""

from typing import Protocol

from toapis_async.clock import Clock
from toapis_async.values.tasks import GenerationTask


class CompletionSource(Protocol):
    """Ends waits early, such as by a webhook. The gateway stays the authority: looks go on, only more slowly.

    One waiter per task calls ``expect()``, then ``news()`` any number of times, then ``forget()``; two waiters for the
    same task may do so side by side, and each hears. The default, ``NoCompletionSource``, hears nothing: then a wait
    is nothing but looks.
    """

    @property
    def trusted(self) -> bool:
        """Whether events have been coming of late, so that looks may be few; False hands waiting back to looks."""
        ...

    def expect(self, task_id: str) -> None:
        """Begin to listen for a task; an event that came before counts too. ``forget()`` has to follow."""
        ...

    async def news(self, task_id: str, seconds: float) -> GenerationTask | None:
        """Wait for a task's end; what is known already is told at once, each time that it is asked for.

        Whoever waits while events are trusted may wait long; so a source that loses that trust ends its waits.

        Args:
            task_id: the gateway's id, or the ``client_business_id`` that it was submitted with.
            seconds: the longest wait; 0 asks what is known now, after others have had their turn.

        Returns:
            the finished task as the event told it (its result may be missing: then look), or None when the time is
            up, or when events have just ceased to be trusted.

        """
        ...

    def missed(self, task_id: str) -> None:
        """Hear that a look found a task finished of which no event had come: a reason to trust events less."""
        ...

    def forget(self, task_id: str) -> None:
        """Stop listening for a task; one that nobody expects is no error."""
        ...


class NoCompletionSource:
    """Nothing but time: every end is found by a look.

    Args:
        clock: waits.

    """

    __slots__ = ("_clock",)

    trusted = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def expect(self, task_id: str) -> None:
        """See ``CompletionSource.expect``."""

    async def news(self, task_id: str, seconds: float) -> GenerationTask | None:
        """Wait out the time; see ``CompletionSource.news``."""
        del task_id
        await self._clock.sleep(seconds)
        return None

    def missed(self, task_id: str) -> None:
        """See ``CompletionSource.missed``."""

    def forget(self, task_id: str) -> None:
        """See ``CompletionSource.forget``."""
