"""Settings of a client, checked before any input or output. The only door to the environment."""

import ipaddress
import logging
import os
import platform
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import SplitResult, urlsplit

import attrs

from toapis_async._version import __version__
from toapis_async.errors import ConfigurationError

API_KEY_VARIABLE = "TOAPIS_API_KEY"
BASE_URL_VARIABLE = "TOAPIS_BASE_URL"
LOG_VARIABLE = "TOAPIS_LOG"
DEFAULT_BASE_URL = "https://toapis.com"
DEFAULT_TIMEOUT_SECONDS = 60.0
DEFAULT_MAX_RETRIES = 3

# Cloudflare in front of the gateway has refused clients that do not look like a browser.
USER_AGENT = f"Mozilla/5.0 (compatible; toapis-async/{__version__}; python/{platform.python_version()})"

_LOG_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}
_KEY_HINT = f"Set {API_KEY_VARIABLE} in the environment (in Python, or pass api_key=)."
_URL_HINT = f"Set {BASE_URL_VARIABLE}, --base-url or base_url= to something like {DEFAULT_BASE_URL}."


@attrs.frozen(kw_only=True)
class Settings:
    """Checked settings.

    Attributes:
        api_key: never shown.
        base_url: ends in ``/v1``.
        timeout_seconds: for one HTTP exchange.
        max_retries: of a single call.
        log_level: of ``logging``, from which on events are shown; None leaves that to the program.

    """

    api_key: str = attrs.field(repr=False)
    base_url: str
    timeout_seconds: float
    max_retries: int
    log_level: int | None = None

    @property
    def account_name(self) -> str:
        """A name for the account, by address and key, from which neither can be told."""
        return sha256(f"{self.base_url}\0{self.api_key}".encode()).hexdigest()[:32]

    @classmethod
    def gather(
        cls,
        *,
        api_key: str | None,
        base_url: str | None,
        timeout: float,
        max_retries: int,
        environment: Mapping[str, str] = os.environ,
    ) -> "Settings":
        """Take arguments first, then the environment, then the defaults.

        Raises:
            ConfigurationError: one of them is missing or cannot be right.

        """
        if type(timeout) not in {int, float} or not 0 < timeout < float("inf"):
            raise ConfigurationError(
                f"timeout must be a number of seconds above 0, not {timeout!r}.", hint="60 is the default."
            )
        if type(max_retries) is not int or max_retries < 0:
            raise ConfigurationError(
                f"max_retries must be a whole number from 0, not {max_retries!r}.", hint="3 is the default."
            )
        return cls(
            api_key=checked_key(api_key if api_key is not None else environment.get(API_KEY_VARIABLE)),
            base_url=checked_base_url(base_url or environment.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL),
            timeout_seconds=float(timeout),
            max_retries=max_retries,
            log_level=checked_log_level(environment.get(LOG_VARIABLE)),
        )


def checked_key(key: str | None) -> str:
    """Return the key, or say what is wrong with it without showing it.

    Raises:
        ConfigurationError: there is none, or it cannot stand in a header.

    """
    if key is None or key == "":
        raise ConfigurationError("There is no API key.", hint=_KEY_HINT)
    if not isinstance(key, str):
        raise ConfigurationError(f"The API key must be text, not {type(key).__name__}.", hint=_KEY_HINT)
    if any(character.isspace() for character in key):
        raise ConfigurationError(
            "The API key has a space or a line break in it, probably from copying.",
            hint=f"Copy it again without them. {_KEY_HINT}",
        )
    if not key.isascii() or not key.isprintable():
        raise ConfigurationError("The API key has a character that no key has.", hint=f"Copy it again. {_KEY_HINT}")
    return key


def checked_log_level(word: str | None) -> int | None:
    """Return the level that the word means; None for none.

    Raises:
        ConfigurationError: it is none of the three.

    """
    if not word:
        return None
    level = _LOG_LEVELS.get(word.strip().lower())
    if level is None:
        raise ConfigurationError(
            f"{LOG_VARIABLE} must be one of {', '.join(_LOG_LEVELS)}, not {word!r}.", hint="'info' shows hold-ups."
        )
    return level


def checked_base_url(url: str) -> str:
    """Return the API base with exactly one ``/v1`` at its end.

    Raises:
        ConfigurationError: it is no http(s) address, or would send the key in clear over a network.

    """
    if not isinstance(url, str):
        raise ConfigurationError(f"The base URL must be text, not {type(url).__name__}.", hint=_URL_HINT)
    url = url.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"The base URL {url!r} is no address: {error}.", hint=_URL_HINT) from error
    _refuse_strange(parts, url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ConfigurationError(
            f"The base URL http://{parts.hostname} would send the key unencrypted.",
            hint="Use https://; plain http is for this machine's own addresses only.",
        )
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    path = parts.path.rstrip("/")
    while path.endswith("/v1"):
        path = path.removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}/v1"


def _refuse_strange(parts: SplitResult, url: str) -> None:
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"The base URL {url!r} is no http(s) address.", hint=_URL_HINT)
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("The base URL has a user name or password in it.", hint=_URL_HINT)
    if parts.query or parts.fragment:
        raise ConfigurationError("The base URL has a query or a fragment.", hint=_URL_HINT)
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ConfigurationError("The base URL has a space or a control character in it.", hint=_URL_HINT)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
