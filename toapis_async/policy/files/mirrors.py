"""Where else a file lies: the same path on another host."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from toapis_async.errors import ConfigurationError

FileHosts: TypeAlias = Mapping[str, Sequence[str]]
"""By host, the hosts that have the same files, the best first."""

_OFFICIAL = ("files.toapis.com", "files.toapis.cn", "files.toapis.xyz")
OFFICIAL_FILE_HOSTS: FileHosts = {host: tuple(one for one in _OFFICIAL if one != host) for host in _OFFICIAL}
"""The gateway's own mirrors."""

AVOIDED_SECONDS = 60.0
_HINT = "Write file_hosts={'files.example.com': ('mirror.example.com',)}; a port may follow a host."


def checked_file_hosts(given: FileHosts | None) -> dict[str, tuple[str, ...]]:
    """Return what was given in one form; None means the gateway's own mirrors.

    Raises:
        ConfigurationError: something in it is no host.

    """
    hosts: dict[str, tuple[str, ...]] = {}
    for host, others in (OFFICIAL_FILE_HOSTS if given is None else given).items():
        if isinstance(others, str):
            raise ConfigurationError(f"file_hosts[{host!r}] must be several hosts, not text.", hint=_HINT)
        for name in (host, *others):
            _check_host(name)
        hosts[host.lower()] = tuple(other.lower() for other in others)
    return hosts


def _check_host(name: object) -> None:
    try:
        parts = urlsplit(f"//{name}") if isinstance(name, str) else None
        sound = parts is not None and bool(parts.hostname) and parts.netloc == name and "@" not in parts.netloc
        sound = sound and (parts is None or parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or any(character.isspace() for character in str(name)):
        raise ConfigurationError(f"file_hosts names {name!r}, which is no host.", hint=_HINT)


def host_names(hosts: FileHosts) -> frozenset[str]:
    """Return the names of the hosts that were given in place of others, without ports."""
    return frozenset(urlsplit(f"//{other}").hostname or "" for others in hosts.values() for other in others)


def addresses_of(url: str, hosts: FileHosts) -> tuple[str, ...]:
    """Return every address of a file, the best first.

    Args:
        url: absolute.
        hosts: by host, with or without a port, those that have the same files. A host that is among its own has its
            place there, otherwise it is first.

    """
    parts = urlsplit(url)
    others = hosts.get(parts.netloc.lower())
    if others is None:
        others = hosts.get((parts.hostname or "").lower(), ())
    if not others:
        return (url,)
    suffix = f":{parts.port}" if parts.port is not None else ""
    own = {parts.netloc.lower(), (parts.hostname or "").lower()}
    names = list(others) if own.intersection(others) else [parts.netloc, *others]
    # Not put together anew: signatures cover what stands after the host letter for letter.
    rest = url.partition("://")[2][len(parts.netloc) :]
    found: dict[str, None] = {}
    for name in names:
        if name.lower() in own:
            found[url] = None
        else:
            netloc = name if urlsplit(f"//{name}").port is not None else f"{name}{suffix}"
            found[f"{parts.scheme}://{netloc}{rest}"] = None
    return tuple(found)


def best_first(addresses: Sequence[str], unreachable_since: Mapping[str, float], now: float) -> tuple[str, ...]:
    """Put addresses whose host could not be reached within the last minute behind the others.

    Args:
        addresses: of one file, the best first.
        unreachable_since: by host with port, monotonic seconds.
        now: monotonic seconds.

    """

    def avoided(url: str) -> bool:
        since = unreachable_since.get(urlsplit(url).netloc)
        return since is not None and now - since < AVOIDED_SECONDS

    return tuple(sorted(addresses, key=avoided))
