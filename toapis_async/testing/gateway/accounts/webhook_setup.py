"""Where a user's webhooks go, and which addresses the gateway takes for them."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import attrs

from toapis_async.errors import ConfigurationError
from toapis_async.policy.files.addresses import is_loopback

_PREVIOUS_SECRET_LIFE_SECONDS = 86_400
_PORTS = {"http": 80, "https": 443}


@attrs.define(eq=False)
class WebhookSetup:
    """What a user set up in the console.

    Attributes:
        url: the default address.
        secret: signs the deliveries.
        previous: the secret before the rotation, or None.
        previous_until: epoch seconds until which both sign.

    """

    url: str
    secret: str = attrs.field(repr=False)
    previous: str | None = attrs.field(default=None, repr=False)
    previous_until: float = 0.0

    def secrets(self, now: float) -> tuple[str, ...]:
        """Those that sign now, the newest first."""
        if self.previous is None or now >= self.previous_until:
            return (self.secret,)
        return self.secret, self.previous

    def rotated(self, secret: str, now: float) -> "WebhookSetup":
        """The same address with a new secret; the old one signs for another 24 hours."""
        return WebhookSetup(self.url, secret, self.secret, now + _PREVIOUS_SECRET_LIFE_SECONDS)


def checked_address(url: str) -> str:
    """Return the address if the gateway would take it.

    It takes https to public hosts, without user and fragment; the simulator takes loopback too, and http there.

    Raises:
        ConfigurationError: it would not.

    """
    parts = _split(url)
    host = None if parts is None else parts.hostname
    if parts is None or host is None or not _allowed(parts, host):
        raise ConfigurationError(f"no webhook goes to {url!r}", hint="give an https address, or http on loopback")
    return url


def may_call_back(setup: WebhookSetup | None, callback_url: str) -> bool:
    """Whether a task may name this address: it may change path and query of the default address only."""
    asked, default = _split(callback_url), None if setup is None else _split(setup.url)
    if asked is None or default is None or "@" in asked.netloc or asked.fragment:
        return False
    return _origin(asked) == _origin(default)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and not any(letter.isspace() for letter in url) else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _allowed(parts: SplitResult, host: str) -> bool:
    if "@" in parts.netloc or parts.fragment:
        return False
    if is_loopback(host):
        return parts.scheme in _PORTS
    try:
        public = ip_address(host).is_global
    except ValueError:
        public = True
    return parts.scheme == "https" and public
