"""``WebhookInbox``: takes the gateway's events in and ends the waits of one process."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from toapis_async.clock import Clock, SystemClock
from toapis_async.policy.waiting.trust import EventTrust
from toapis_async.values.tasks import GenerationTask
from toapis_async.values.webhooks import WebhookEvent
from toapis_async.webhooks.asgi import ASGIApp, WebhookApp
from toapis_async.webhooks.receiving import MAX_BODY_BYTES, OK, judged
from toapis_async.webhooks.seen_events import SeenEvents
from toapis_async.webhooks.waiters import Waiters
from toapis_async.wire.webhooks import checked_secrets

if TYPE_CHECKING:
    from aiohttp import web

OnWebhook: TypeAlias = Callable[[WebhookEvent], None]

# Deliveries are repeated for about a day and a half; each has its event's id.
_REMEMBERED_EVENTS = 100_000


class WebhookInbox:
    """An inbox for the gateway's webhooks; give it to ``AsyncToAPIs(webhooks=…)`` and put it into the web app.

    ``take_webhooks(app, "/toapis", inbox)`` for FastAPI; ``Route("/toapis", inbox.asgi())`` for Starlette;
    ``app.router.add_post("/toapis", inbox.aiohttp_handler)`` for aiohttp; ``await inbox.receive(body, headers)`` for
    everything else. It serves one process; for several, ``RedisWebhookInbox``.

    Args:
        secrets: the signing secret of the key's webhook, or several: after a rotation the old one stays valid for a
            day.
        on_event: hears each genuine event once, types that are not known yet included; must not block. What it
            raises comes out of ``receive()``: the web server answers 500, and the gateway sends the event again.
        max_body_bytes: a larger body is refused with 413.
        clock: for tests.

    Raises:
        ConfigurationError: no secret, or an empty one.

    """

    def __init__(
        self,
        secrets: str | Sequence[str],
        *,
        on_event: OnWebhook | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        clock: Clock | None = None,
    ) -> None:
        self._secrets = checked_secrets(secrets)
        self._on_event = on_event
        self.max_body_bytes = max_body_bytes
        self._clock = clock or SystemClock()
        self._waiters = Waiters(self._clock)
        self._trust = EventTrust()
        self._seen = SeenEvents(_REMEMBERED_EVENTS)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._waiters.expected)} expected)"

    async def receive(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Take one delivery in.

        Args:
            body: the raw bytes as they came, before any JSON parsing.
            headers: of the request; names in any case.

        Returns:
            the HTTP status to answer, with an empty body: 200 for a genuine event, also one that came before; 400
            for a signature, a time or a form that is not right; 413 for a body that is too large.

        """
        event = judged(body, headers, secrets=self._secrets, clock=self._clock, max_body_bytes=self.max_body_bytes)
        if isinstance(event, int):
            return event
        if event.id not in self._seen:
            self._heard(event)
            self._seen.add(event.id)
        return OK

    def _heard(self, event: WebhookEvent) -> None:
        self._trust.told()
        if event.task is not None and event.task.finished:
            self._waiters.end(event.task)
        if self._on_event is not None:
            self._on_event(event)

    def asgi(self) -> ASGIApp:
        """Return an ASGI application that takes deliveries by POST, on whatever path it is put.

        Starlette takes it as ``Route("/toapis", inbox.asgi())``, and FastAPI by ``take_webhooks`` of
        ``toapis_async.integrations.fastapi``. Mounted at ``/toapis`` it is reached at ``/toapis/`` alone: they answer
        ``/toapis`` with a redirect, which the gateway counts as lost.
        """
        return WebhookApp(self.receive, max_body_bytes=self.max_body_bytes)

    async def aiohttp_handler(self, request: "web.Request") -> "web.Response":
        """Take a delivery in an aiohttp application."""
        from toapis_async.webhooks.over_aiohttp import answer  # noqa: PLC0415  # web servers are not for everybody

        return await answer(request, self.receive, max_body_bytes=self.max_body_bytes)

    # What ``AsyncToAPIs(webhooks=…)`` asks; see ``ports.completion.CompletionSource``.

    @property
    def trusted(self) -> bool:
        """See ``CompletionSource.trusted``."""
        return self._trust.trusted

    def expect(self, task_id: str) -> None:
        """See ``CompletionSource.expect``."""
        self._waiters.expect(task_id)

    async def news(self, task_id: str, seconds: float) -> GenerationTask | None:
        """See ``CompletionSource.news``."""
        return await self._waiters.wait(task_id, seconds)

    def missed(self, task_id: str) -> None:
        """See ``CompletionSource.missed``."""
        if self._waiters.known(task_id) is None:
            trusted = self._trust.trusted
            self._trust.missed()
            if trusted and not self._trust.trusted:
                self._waiters.wake()

    def forget(self, task_id: str) -> None:
        """See ``CompletionSource.forget``."""
        self._waiters.forget(task_id)
