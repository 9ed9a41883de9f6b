"""Webhooks that end waits. Needs: AsyncToAPIs(webhooks)"""

from toapis_async import AsyncToAPIs
from toapis_async.webhooks import RedisWebhookInbox, WebhookInbox

AsyncToAPIs(webhooks=WebhookInbox(secrets="whsec"))
AsyncToAPIs(webhooks=RedisWebhookInbox("redis://127.0.0.1", secrets=["new", "old"]))
