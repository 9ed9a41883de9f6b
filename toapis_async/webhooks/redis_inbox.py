"""``RedisWebhookInbox``: an inbox for several processes, whichever of them an event reaches."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from toapis_async.clock import Clock
from toapis_async.errors import WebhookVerificationError
from toapis_async.values.tasks import GenerationTask
from toapis_async.webhooks.inbox import OnWebhook, WebhookInbox
from toapis_async.webhooks.receiving import AGAIN_LATER, MAX_BODY_BYTES, OK, judged
from toapis_async.webhooks.waiters import Waiters
from toapis_async.wire.redacting import redactor_of
from toapis_async.wire.webhooks import event_in

_SEEN_SECONDS = 3 * 86_400  # the gateway repeats a delivery for about a day and a half
_ENDED_SECONDS = 90_000  # links live for a day
_REMEMBERED = 100
_RECONNECT_SECONDS = 1.0
_BROKEN = (RedisError, OSError)


class RedisWebhookInbox(WebhookInbox):
    """A ``WebhookInbox`` whose events reach the waits of every process that shares a Redis.

    Which events came before is known to all of them, so a replay at another process is dropped too. While Redis
    cannot be reached deliveries are answered with 503, so that the gateway sends them again, and waits fall back to
    looks. Close it with ``async with`` or ``aclose()``; use it in one event loop.

    Args:
        url: ``redis://`` or ``rediss://``.
        secrets, on_event, max_body_bytes, clock: as for ``WebhookInbox``; of all processes one calls ``on_event``.
        prefix: of the keys, so that several accounts can share a Redis.

    Raises:
        ConfigurationError: no secret, or an empty one.

    """

    def __init__(
        self,
        url: str,
        *,
        secrets: str | Sequence[str],
        on_event: OnWebhook | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        prefix: str = "toapis",
        clock: Clock | None = None,
    ) -> None:
        super().__init__(secrets, on_event=on_event, max_body_bytes=max_body_bytes, clock=clock)
        # Most ends are those of other workers, and Redis remembers them.
        self._waiters = Waiters(self._clock, remembered=_REMEMBERED)
        self._redis: Redis = Redis.from_url(url)
        self._prefix = prefix
        self._asked: set[str] = set()
        self._connected = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop listening and close the connections."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
        await self._redis.aclose()

    async def receive(self, body: bytes, headers: Mapping[str, str]) -> int:
        """See ``WebhookInbox.receive``; 503 while Redis cannot be reached."""
        event = judged(body, headers, secrets=self._secrets, clock=self._clock, max_body_bytes=self.max_body_bytes)
        if isinstance(event, int):
            return event
        try:
            fresh = await self._share(event.id, event.task, redactor_of(self._secrets)(body))
        except _BROKEN:
            return AGAIN_LATER
        if event.task is not None and event.task.finished:
            self._waiters.end(event.task)
        if fresh and self._on_event is not None:
            try:
                self._on_event(event)
            except BaseException:
                with suppress(*_BROKEN):  # then the gateway's next delivery is taken for a repeat
                    await self._redis.delete(self._key("seen", event.id))
                raise
        return OK

    async def _share(self, event_id: str, task: GenerationTask | None, body: bytes) -> bool:
        """Tell every process, and return whether the event is new; all of it happens, or nothing."""
        told = event_id.encode() + b"\n" + body
        async with self._redis.pipeline(transaction=True) as together:
            together.set(self._key("seen", event_id), b"", nx=True, ex=_SEEN_SECONDS)
            if task is not None and task.finished:
                for name in {task.id, task.client_business_id} - {None, ""}:
                    together.set(self._key("ended", str(name)), told, ex=_ENDED_SECONDS)
                together.publish(self._key("channel", "ended"), told)
            results = await together.execute()
        return bool(results[0])

    @property
    def trusted(self) -> bool:
        """See ``CompletionSource.trusted``; not while Redis cannot be reached."""
        return self._connected.is_set() and super().trusted

    def forget(self, task_id: str) -> None:
        """See ``CompletionSource.forget``."""
        self._asked.discard(task_id)
        super().forget(task_id)

    async def news(self, task_id: str, seconds: float) -> GenerationTask | None:
        """See ``CompletionSource.news``."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="toapis-webhooks")
        if self._connected.is_set() and task_id not in self._asked:
            # It may have ended before anybody here listened; asked for once, since the channel tells the rest.
            self._asked.add(task_id)
            with suppress(*_BROKEN):
                await self._recall((task_id,))
        return await super().news(task_id, seconds)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(self._key("channel", "ended"))
                    self._connected.set()
                    await self._recall(self._waiters.expected)
                    async for message in channel.listen():
                        self._told(message["data"])
            except _BROKEN:
                if self._connected.is_set():
                    self._connected.clear()
                    self._waiters.wake()
            await self._clock.sleep(_RECONNECT_SECONDS)

    async def _recall(self, task_ids: Sequence[str]) -> None:
        """Take the ends of these tasks that came while nobody here listened."""
        self._asked.update(task_ids)
        if task_ids:
            for told in await self._redis.mget([self._key("ended", task_id) for task_id in task_ids]):
                if isinstance(told, bytes):
                    self._told(told)

    def _told(self, told: bytes) -> None:
        event_id, _, body = told.partition(b"\n")
        try:
            event = event_in(event_id.decode(), redactor_of(self._secrets)(body))
        except (WebhookVerificationError, UnicodeDecodeError):
            return  # not by this library: whoever can write to our Redis can also stop us
        self._trust.told()
        if event.task is not None and event.task.finished:
            self._waiters.end(event.task)

    def _key(self, kind: str, name: str) -> str:
        return f"{self._prefix}:{kind}:{name}"
