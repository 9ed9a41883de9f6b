"""Webhooks: signed, repeated until they are taken, and as unreliable as the scenario wants."""

import asyncio
import hashlib
import hmac
from collections.abc import Sequence

import aiohttp
import attrs

from toapis_async.testing.gateway.accounts.account import Account
from toapis_async.testing.gateway.replies.answers import as_json
from toapis_async.testing.gateway.replies.webhook_bodies import event_of
from toapis_async.testing.gateway.state import Gateway
from toapis_async.testing.gateway.tasks import SimulatedTask
from toapis_async.testing.scenario.misbehaviour import Delay, Drop, InvalidJson, Misbehaviour
from toapis_async.testing.scenario.webhook_faults import Repeat, StaleTimestamp, WrongSignature

RETRY_AFTER_SECONDS = (10.0, 30.0, 120.0, 600.0, 3_600.0, 21_600.0, 86_400.0)
_TIMEOUT_SECONDS = 10.0
_AT_ONCE = 100


@attrs.frozen
class Event:
    """What is to be told.

    Attributes:
        id: the same at every repetition.
        raw: the body.
        url: where it goes.
        account: whose secrets sign it.

    """

    id: str
    raw: bytes = attrs.field(repr=False)
    url: str
    account: Account = attrs.field(repr=False)

    def secrets(self, now: float) -> tuple[str, ...]:
        """Those that sign it now."""
        setup = self.account.webhook
        return () if setup is None else setup.secrets(now)


@attrs.define(eq=False)
class WebhookSender:
    """Tells each user's address how its tasks ended.

    Attributes:
        gateway: whose tasks.

    """

    gateway: Gateway
    _session: aiohttp.ClientSession | None = attrs.field(default=None, init=False)
    _running: set["asyncio.Task[None]"] = attrs.field(factory=set, init=False)
    _free: asyncio.Semaphore = attrs.field(factory=lambda: asyncio.Semaphore(_AT_ONCE), init=False, repr=False)

    def watch(self, task: SimulatedTask, account: Account) -> None:
        """Send the event of this task when it ends, if its user set that up."""
        if account.webhook is None:
            return
        sending = asyncio.create_task(self._tell(task, account, task.callback_url or account.webhook.url))
        self._running.add(sending)
        sending.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Stop sending."""
        for sending in tuple(self._running):
            sending.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _tell(self, task: SimulatedTask, account: Account, url: str) -> None:
        gateway = self.gateway
        faults = gateway.faults.strike("webhook", task.prompt)
        late = sum(fault.seconds for fault in faults if isinstance(fault, Delay))
        await gateway.clock.sleep(task.ends_at + late - gateway.clock.now())
        if any(isinstance(fault, Drop) for fault in faults):
            gateway.books.webhooks["lost"] += 1
            return
        event_id, body = event_of(task, gateway.scenario, gateway.file_url, gateway.clock.now())
        event = Event(event_id, as_json(body), url, account)
        if not await self._until_taken(event, faults):
            return
        for fault in faults:
            if isinstance(fault, Repeat):
                for _ in range(fault.times):
                    await gateway.clock.sleep(fault.seconds)
                    await self._deliver(event)
                    gateway.books.webhooks["repeated"] += 1

    async def _until_taken(self, event: Event, faults: Sequence[Misbehaviour]) -> bool:
        books = self.gateway.books
        for pause in (*RETRY_AFTER_SECONDS, None):
            if await self._deliver(event, faults):
                books.webhooks["delivered"] += 1
                return True
            faults = ()
            books.webhooks["refused"] += 1
            if pause is not None:
                await self.gateway.clock.sleep(pause)
        books.webhooks["gave_up"] += 1
        return False

    async def _deliver(self, event: Event, faults: Sequence[Misbehaviour] = ()) -> bool:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        # The time limit begins with the sending: events that wait for a connection would otherwise fail together.
        async with self._free:
            raw, headers = _signed(event, self.gateway.clock.now(), faults)
            try:
                async with (
                    asyncio.timeout(_TIMEOUT_SECONDS),
                    self._session.post(event.url, data=raw, headers=headers, allow_redirects=False) as reply,
                ):
                    return 200 <= reply.status < 300
            except (aiohttp.ClientError, TimeoutError, OSError):
                return False


def _signed(event: Event, now: float, faults: Sequence[Misbehaviour]) -> tuple[bytes, dict[str, str]]:
    """One delivery, spoilt as the faults say: the receiver has to refuse it."""
    raw, timestamp, secrets = event.raw, now, event.secrets(now)
    for fault in faults:
        if isinstance(fault, InvalidJson):
            raw = raw[: len(raw) // 2]
        elif isinstance(fault, StaleTimestamp):
            timestamp = now - fault.seconds
        elif isinstance(fault, WrongSignature):
            secrets = tuple(f"not {secret}" for secret in secrets)
    return raw, signed_headers(raw, event.id, int(timestamp), secrets)


def signed_headers(raw: bytes, event_id: str, timestamp: int, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of one delivery; each secret makes a signature."""
    message = f"{event_id}.{timestamp}.".encode() + raw
    signatures = [hmac.new(secret.encode(), message, hashlib.sha256).hexdigest() for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "ToAPIs-Webhook/1.0",
        "X-ToAPIs-Webhook-Id": event_id,
        "X-ToAPIs-Webhook-Timestamp": str(timestamp),
        "X-ToAPIs-Webhook-Signature": ",".join(f"v1={signature}" for signature in signatures),
    }
