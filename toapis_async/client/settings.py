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
from toapis_async.policy.files.mirrors import FileHosts, checked_file_hosts
from toapis_async.policy.network.headers import checked_headers
from toapis_async.policy.network.proxies import ProxyRules, proxy_rules

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
        proxies: which proxy is for what.
        proxy_named: whether it was named in an argument, and not found in the environment.
        headers: sent to the gateway besides; never shown.
        file_headers: sent to file hosts besides; never shown.
        file_hosts: by host, those that have the same files.

    """

    api_key: str = attrs.field(repr=False)
    base_url: str
    timeout_seconds: float
    max_retries: int
    log_level: int | None = None
    proxies: ProxyRules = attrs.field(factory=ProxyRules)
    proxy_named: bool = False
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    file_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    file_hosts: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)

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
        proxy: str | None = "environment",
        default_headers: Mapping[str, str] | None = None,
        file_headers: Mapping[str, str] | None = None,
        file_hosts: FileHosts | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> "Settings":
        """Take arguments first, then the environment, then the defaults.

        Raises:
            ConfigurationError: one of them is missing or cannot be right.

        """
        return cls(
            api_key=checked_key(api_key if api_key is not None else environment.get(API_KEY_VARIABLE)),
            base_url=checked_base_url(base_url or environment.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL),
            timeout_seconds=checked_timeout(timeout),
            max_retries=checked_max_retries(max_retries),
            log_level=checked_log_level(environment.get(LOG_VARIABLE)),
            proxies=proxy_rules(proxy, environment),
            proxy_named=proxy not in {"environment", None},
            headers=checked_headers(default_headers, name="default_headers"),
            file_headers=checked_headers(file_headers, name="file_headers"),
            file_hosts=checked_file_hosts(file_hosts),
        )


def checked_timeout(seconds: float) -> float:
    """Return the seconds for one HTTP exchange.

    Raises:
        ConfigurationError: it is no number above zero.

    """
    if type(seconds) not in {int, float} or not 0 < seconds < float("inf"):
        raise ConfigurationError(
            f"timeout must be a number of seconds above 0, not {seconds!r}.", hint="60 is the default."
        )
    return float(seconds)


def checked_max_retries(count: int) -> int:
    """Return how often a single call is sent again.

    Raises:
        ConfigurationError: it is no whole number from zero.

    """
    if type(count) is not int or count < 0:
        raise ConfigurationError(f"max_retries must be a whole number from 0, not {count!r}.", hint="3 is the default.")
    return count


def check_validation(word: object) -> None:
    """Refuse a word that says nothing about validation.

    Raises:
        ConfigurationError: it is none of the three.

    """
    if word not in {"strict", "warn", "off"}:
        raise ConfigurationError(
            f"validation must be 'strict', 'warn' or 'off', not {word!r}.", hint="'strict' is the default."
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
