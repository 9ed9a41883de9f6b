"""Webhooks that end waits: an inbox for the gateway's events, in memory or shared through Redis."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toapis_async.webhooks.inbox import WebhookInbox
    from toapis_async.webhooks.redis_inbox import RedisWebhookInbox

__all__ = ["RedisWebhookInbox", "WebhookInbox"]

_HOMES = {"RedisWebhookInbox": "redis_inbox", "WebhookInbox": "inbox"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        raise ImportError(f"{name} needs {error.name}: pip install 'toapis-async[redis]'") from error
    globals()[name] = value
    return value
