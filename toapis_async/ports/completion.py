"""Where the end of a task may be heard of before the next look at it."""

from typing import Protocol

from toapis_async.values.tasks import GenerationTask


class CompletionSource(Protocol):
    """Ends waits early, such as by a webhook. The gateway stays the authority: looks go on, only more slowly.

    The default, ``NoCompletionSource``, hears nothing: then a wait is nothing but looks.
    """

    @property
    def trusted(self) -> bool:
        """Whether events have been coming of late, so that looks may be few; False hands waiting back to looks."""
        ...

    def expect(self, task_id: str) -> None:
        """Begin to listen for a task; an event that came before counts too. ``forget()`` has to follow."""
        ...

    async def news(self, task_id: str, seconds: float) -> GenerationTask | None:
        """Wait for a task's end.

        Args:
            task_id: the gateway's id, or the ``client_business_id`` that it was submitted with.
            seconds: the longest wait; 0 asks what is known now.

        Returns:
            the finished task as the event told it (its result may be missing: then look), or None when the time is
            up.

        """
        ...

    def forget(self, task_id: str) -> None:
        """Stop listening for a task."""
        ...
