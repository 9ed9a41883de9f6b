"""Which addresses a file may be fetched from. What the gateway names is untrusted: it must not reach inside.

Asked three times for every file: about the text of the address, about what its name resolves to, and about every
redirect.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, quote, urljoin, urlsplit

_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\\]")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://[^/?#]*)?")
# What may stand in an address as it is; a percent sign too, since it begins what is quoted already.
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z"
)
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\Z")

# RFC 2544 gives this range to benchmarks; local proxies answer from it for every public name ("fake IP"), so a
# resolved address in it is as good as public, and nothing inside is reached by it.
_PROXY_RANGE = IPv4Network("198.18.0.0/15")
# What ends names that mean something within one network only (RFC 6762, RFC 8375, and what ICANN will not give out).
_INSIDE = (".local", ".localdomain", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".home.arpa")
_NOBODY: frozenset[str] = frozenset()
_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4_COMPATIBLE = IPv6Network("::/96")


def absolute(url: str, *, base_url: str) -> str:
    """Return the whole address: relative ones (``/f/a.png``, ``//host/a.png``) begin where the gateway is.

    A host in another script than Latin is written as the network knows it.

    Args:
        url: as the gateway or a redirect gave it.
        base_url: of the gateway.

    Raises:
        ValueError: it is no address.

    """
    text = url.strip(" ")
    text = urljoin(base_url, text) if text.startswith("/") else text
    origin = _ORIGIN.match(text)
    if origin is None or origin[0].isascii():
        return text
    scheme, mark, host = origin[0].partition("://")
    return scheme + mark + host.encode("idna").decode("ascii") + text[origin.end() :]


def host_of(url: str, *, base_url: str) -> str:
    """Return the name of the host; empty for what is no address."""
    try:
        return _host(urlsplit(absolute(url, base_url=base_url)))
    except ValueError:
        return ""


def quoted(url: str) -> str:
    """Quote what cannot be sent as it is, and nothing else: signatures cover the address letter for letter.

    Raises:
        ValueError: it holds what no encoding knows.

    """
    if url.isascii() and " " not in url:
        return url
    # A redirect's raw bytes arrive as surrogates, and leave as those bytes.
    return quote(url, safe=_PRINTABLE, errors="surrogateescape")


def refusal(
    url: str, *, base_url: str, trusted: frozenset[str] = _NOBODY, resolved_elsewhere: bool = False
) -> str | None:
    """Say why this file address must not be fetched, or return None when it may.

    Args:
        url: as the gateway or a redirect gave it.
        base_url: of the gateway, as the user set it; what it names itself is trusted.
        trusted: further hosts that the user named; they may lie anywhere.
        resolved_elsewhere: whether a proxy turns the name into an address, so that nobody here can judge that address.
            Names that mean something within a network only are refused then.

    """
    if _UNWRITABLE.search(url):
        return "it contains control characters or backslashes"
    origin = _ORIGIN.match(url)
    if origin is None:
        return "it is no valid address"
    return _origin_refusal(origin[0], base_url, trusted, resolved_elsewhere)


def address_allowed(ip: str, *, host: str, base_url: str, trusted: frozenset[str] = _NOBODY) -> bool:
    """Tell whether a connection to this resolved address may be made.

    Args:
        ip: one of the addresses that the host's name resolved to.
        host: the name that was resolved.
        base_url: of the gateway; its own host may lie anywhere, since the user chose it.
        trusted: further hosts that the user named.

    """
    base_host, name = _base_host(base_url), host.lower().removesuffix(".")
    if base_host in {name, ip} or name in trusted:
        return True
    address = _parsed(ip.partition("%")[0])
    if address is None:
        return False
    if isinstance(address, IPv4Address) and address in _PROXY_RANGE:
        return True
    return _public(address) or (address.is_loopback and is_loopback(base_host))


def is_loopback(host: str) -> bool:
    """Tell whether this host, by its text alone, is the machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _parsed(host)
    return address is not None and _innermost(address).is_loopback


@lru_cache(maxsize=256)
def _origin_refusal(origin: str, base_url: str, trusted: frozenset[str], resolved_elsewhere: bool) -> str | None:
    """Judge scheme, host and port: few of them serve many files."""
    try:
        parts = urlsplit(origin)
        host, _ = _host(parts), parts.port
    except ValueError:
        return "it is no valid address"
    if parts.username is not None or parts.password is not None:
        return "it carries a user name"
    scheme_refusal = _scheme_refusal(parts.scheme, host, base_url)
    if scheme_refusal is not None or host in trusted:
        return scheme_refusal
    refused = _host_refusal(host, base_url)
    if refused is None and resolved_elsewhere and host != _base_host(base_url):
        return _inside_refusal(host)
    return refused


def _scheme_refusal(scheme: str, host: str, base_url: str) -> str | None:
    if scheme == "https":
        return None
    if scheme != "http":
        return "it is not https"
    if is_loopback(host) and is_loopback(_base_host(base_url)):
        return None
    return "it is not https (plain http is for a gateway on this machine only)"


def _host_refusal(host: str, base_url: str) -> str | None:
    if not host:
        return "it names no host"
    base_host = _base_host(base_url)
    address = _parsed(host)
    if address is None:
        return _name_refusal(host, base_host)
    if host == base_host or _public(address) or (is_loopback(host) and is_loopback(base_host)):
        return None
    return f"{host} is not a public address"


def _name_refusal(host: str, base_host: str) -> str | None:
    if not _NAME.match(host) or _ENDS_IN_A_NUMBER.match(host):
        return "its host is not valid"
    if is_loopback(host) and not is_loopback(base_host):
        return f"{host} is this machine"
    return None


def _inside_refusal(host: str) -> str | None:
    if _parsed(host) is None and ("." not in host or host.endswith(_INSIDE)):
        return f"{host} is a name within some network, and a proxy would resolve it there"
    return None


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").removesuffix(".")


@lru_cache(maxsize=16)
def _base_host(base_url: str) -> str:
    try:
        return _host(urlsplit(base_url))
    except ValueError:
        return ""


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _innermost(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Unwrap an IPv4 address that travels inside an IPv6 one (mapped, compatible, NAT64, 6to4)."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _public(address: IPv4Address | IPv6Address) -> bool:
    inner = _innermost(address)
    return inner.is_global and not inner.is_multicast and not inner.is_reserved
