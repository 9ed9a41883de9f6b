"""Webhooks: signed and repeated as documented."""

import asyncio
import hashlib
import hmac

import aiohttp
import attrs

from toapis_async.testing.gateway.accounts.account import Account
from toapis_async.testing.gateway.replies.answers import as_json
from toapis_async.testing.gateway.replies.webhook_bodies import event_of
from toapis_async.testing.gateway.state import Gateway
from toapis_async.testing.gateway.tasks import SimulatedTask

RETRY_AFTER_SECONDS = (10.0, 30.0, 120.0, 600.0, 3_600.0, 21_600.0, 86_400.0)
_TIMEOUT_SECONDS = 10.0


@attrs.define(eq=False)
class WebhookSender:
    """Tells each user's address how its tasks ended.

    Attributes:
        gateway: whose tasks.

    """

    gateway: Gateway
    _session: aiohttp.ClientSession | None = attrs.field(default=None, init=False)
    _running: set["asyncio.Task[None]"] = attrs.field(factory=set, init=False)

    def watch(self, task: SimulatedTask, account: Account) -> None:
        """Announce this task when it ends, if its user set that up."""
        if account.webhook is None:
            return
        announcing = asyncio.create_task(self._announce(task, account, task.callback_url or account.webhook.url))
        self._running.add(announcing)
        announcing.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Stop announcing."""
        for announcing in tuple(self._running):
            announcing.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _announce(self, task: SimulatedTask, account: Account, url: str) -> None:
        clock = self.gateway.clock
        await clock.sleep(task.ends_at - clock.now())
        event_id, body = event_of(task, self.gateway.base_url, clock.now())
        for pause in (*RETRY_AFTER_SECONDS, None):
            if await self._deliver(url, event_id, body, account):
                self.gateway.books.webhooks["delivered"] += 1
                return
            self.gateway.books.webhooks["refused"] += 1
            if pause is not None:
                await clock.sleep(pause)
        self.gateway.books.webhooks["gave_up"] += 1

    async def _deliver(self, url: str, event_id: str, body: dict[str, object], account: Account) -> bool:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS))
        raw = as_json(body)
        headers = signed_headers(raw, event_id, int(self.gateway.clock.now()), account)
        try:
            async with self._session.post(url, data=raw, headers=headers, allow_redirects=False) as reply:
                return 200 <= reply.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False


def signed_headers(raw: bytes, event_id: str, timestamp: int, account: Account) -> dict[str, str]:
    """The headers of one delivery; for a day after a rotation both secrets sign."""
    setup = account.webhook
    secrets: list[str] = []
    if setup is not None:
        secrets.append(setup.secret)
        if setup.previous is not None and timestamp < setup.previous_until:
            secrets.append(setup.previous)
    message = f"{event_id}.{timestamp}.".encode() + raw
    signatures = [hmac.new(secret.encode(), message, hashlib.sha256).hexdigest() for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "ToAPIs-Webhook/1.0",
        "X-ToAPIs-Webhook-Id": event_id,
        "X-ToAPIs-Webhook-Timestamp": str(timestamp),
        "X-ToAPIs-Webhook-Signature": ",".join(f"v1={signature}" for signature in signatures),
    }
