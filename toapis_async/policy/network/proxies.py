"""Which proxy a connection goes through: one that was named, or those of the environment, read as others read them."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

import attrs

from toapis_async.errors import ConfigurationError
from toapis_async.policy.files.addresses import is_loopback

PROXY_VARIABLE = "TOAPIS_PROXY"
_DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
# Desktops write the first; it has always meant version 5.
_OTHER_NAMES = {"socks": "socks5"}
_HINT = "Write it like http://proxy.example:3128, with https, socks5 or socks5h where that is what it speaks."


@attrs.frozen(kw_only=True)
class Proxy:
    """A proxy.

    Attributes:
        scheme: ``http``, ``https``, ``socks5`` (names are resolved here) or ``socks5h`` (by the proxy).
        host: name or address, without brackets.
        port: where it listens.
        user, password: or None; never shown.

    """

    scheme: str
    host: str
    port: int
    user: str | None = attrs.field(default=None, repr=False)
    password: str | None = attrs.field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Its address without credentials, which may be shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def socks(self) -> bool:
        """Whether it speaks SOCKS, and not HTTP."""
        return self.scheme.startswith("socks")

    @property
    def resolves(self) -> bool:
        """Whether names are resolved there and not on this machine."""
        return self.scheme != "socks5"


@attrs.frozen(kw_only=True)
class ProxyRules:
    """Which proxy is for what.

    Attributes:
        http, https: for addresses with that scheme; None for none.
        exceptions: hosts that are reached without, as in ``NO_PROXY``.
        loopback: whether this machine's own addresses, too, are reached through it.

    """

    http: Proxy | None = None
    https: Proxy | None = None
    exceptions: tuple[str, ...] = ()
    loopback: bool = False

    def proxy_for(self, url: str) -> Proxy | None:
        """Return the proxy for an address, or None for the straight way."""
        parts = urlsplit(url)
        proxy = self.https if parts.scheme == "https" else self.http
        host = (parts.hostname or "").removesuffix(".")
        if proxy is None or (not self.loopback and is_loopback(host)):
            return None
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
        return None if any(_excepts(entry, host, port) for entry in self.exceptions) else proxy

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        """Every proxy that may be used."""
        return tuple(dict.fromkeys(proxy for proxy in (self.http, self.https) if proxy is not None))


def proxy_rules(given: str | None, environment: Mapping[str, str]) -> ProxyRules:
    """Return the rules that an argument means.

    Args:
        given: ``"environment"``, the address of a proxy for everything, or None for no proxy.
        environment: ``TOAPIS_PROXY`` (an address, or ``none``) goes before ``HTTPS_PROXY``, ``HTTP_PROXY`` and
            ``ALL_PROXY``; ``NO_PROXY`` makes exceptions from all of them. Lower case goes before upper case. This
            machine's own addresses are always an exception.

    Raises:
        ConfigurationError: it is no address of a proxy.

    """
    if given is None:
        return ProxyRules()
    if given != "environment":
        proxy = parsed_proxy(given, name="proxy")
        return ProxyRules(http=proxy, https=proxy, loopback=True)
    exceptions = tuple(_variable(environment, "no_proxy").replace(",", " ").lower().split())
    if ours := environment.get(PROXY_VARIABLE, "").strip():
        own = None if ours.lower() == "none" else parsed_proxy(ours, name=PROXY_VARIABLE)
        return ProxyRules(http=own, https=own, exceptions=exceptions)
    # In a CGI program HTTP_PROXY is the header "Proxy" of whoever calls it (CVE-2016-5385).
    untrusted = {"HTTP_PROXY"} if "REQUEST_METHOD" in environment else set()
    return ProxyRules(
        http=_from_environment(environment, "http_proxy", untrusted),
        https=_from_environment(environment, "https_proxy", untrusted),
        exceptions=exceptions,
    )


def parsed_proxy(text: str, *, name: str) -> Proxy:
    """Read a proxy's address; without a scheme it is http.

    Args:
        text: the address, perhaps with ``user:password@``.
        name: of the setting, for errors.

    Raises:
        ConfigurationError: it is none; the text is not shown, since it may hold a password.

    """
    if not isinstance(text, str):
        raise ConfigurationError(f"{name} must be text, not {type(text).__name__}.", hint=_HINT)
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"{name} is no address of a proxy.", hint=_HINT) from None
    scheme = _OTHER_NAMES.get(parts.scheme, parts.scheme)
    if scheme not in _DEFAULT_PORTS:
        raise ConfigurationError(f"{name} is of a kind that is not supported: {scheme}://.", hint=_HINT)
    if not host or any(character.isspace() or not character.isprintable() for character in text):
        raise ConfigurationError(f"{name} is no address of a proxy.", hint=_HINT)
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    return Proxy(scheme=scheme, host=host, port=port or _DEFAULT_PORTS[scheme], user=user, password=password)


def _from_environment(environment: Mapping[str, str], name: str, untrusted: set[str]) -> Proxy | None:
    for variable in (name, name.upper(), "all_proxy", "ALL_PROXY"):
        text = environment.get(variable, "").strip()
        if text and variable not in untrusted:
            return parsed_proxy(text, name=variable)
    return None


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _excepts(entry: str, host: str, port: int) -> bool:
    """Tell whether an entry of ``NO_PROXY`` covers a host: ``*``, a name and what is below it, an address, a network.

    A name may begin with a dot or ``*.``, and a port may follow name or address.
    """
    if entry == "*":
        return True
    name, only_port = _split_port(entry)
    if only_port is not None and only_port != port:
        return False
    try:
        return ip_address(host) in ip_network(name, strict=False)
    except ValueError:
        name = name.removeprefix("*").removeprefix(".").removesuffix(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]")
        port = port.removeprefix(":")
    elif entry.count(":") == 1:
        name, _, port = entry.partition(":")
    else:
        return entry, None
    return name, int(port) if port.isascii() and port.isdigit() else None
