"""Connections that could not be made, and what to do about it. Nothing was sent over any of them."""

import ssl

import aiohttp
import attrs

from toapis_async.policy.network.proxies import Proxy

_TRUST_HINT = (
    "Nothing was sent. If the network or the gateway has an authority of its own, name its file: ssl_context=, "
    "--ca-file, or SSL_CERT_FILE before the program starts. If not, somebody may be listening in."
)
_PROXY_HINT = (
    "Nothing was sent. Check proxy=, --proxy, TOAPIS_PROXY or HTTPS_PROXY, with user and password if it asks for them; "
    "NO_PROXY or proxy=None goes without."
)
_NAME_HINT = (
    "Nothing was sent. With socks5:// names are resolved on this machine; socks5h:// leaves them to the proxy. "
    "Otherwise check TOAPIS_BASE_URL."
)


@attrs.frozen(kw_only=True)
class ConnectionFailure:
    """Why there is no connection.

    Attributes:
        what: happened; without addresses, which may be signed.
        hint: what to do; empty where nothing special helps.
        lasting: whether trying again soon cannot help.

    """

    what: str
    hint: str = ""
    lasting: bool = False


def connection_failure(error: BaseException, said: str, proxy: Proxy | None = None) -> ConnectionFailure | None:
    """Return why no connection was made, or None when there was one, so that something may have been sent.

    Args:
        error: of aiohttp.
        said: its text, without secrets.
        proxy: the way went through it; None for none.

    """
    if proxy is not None and isinstance(error, aiohttp.ConnectionTimeoutError):
        return ConnectionFailure(what=f"No connection through the proxy {proxy.url} in time.", hint=_PROXY_HINT)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        refused = error.status in {401, 403, 405, 407}
        wants = ": it asks for a user and a password" if error.status == 407 else ""
        what = f"The proxy refused the connection ({error.status}){wants}."
        return ConnectionFailure(what=what, hint=_PROXY_HINT, lasting=refused)
    if not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        return None
    certificate = _certificate_error(error)
    if certificate is not None:
        what = f"The certificate of {error.host} was not accepted: {_reason(certificate)}."
        return ConnectionFailure(what=what, hint=_TRUST_HINT, lasting=True)
    if proxy is not None and isinstance(error, aiohttp.ClientConnectorDNSError):
        if error.host == proxy.host:
            what = f"The name of the proxy {proxy.url} is not known: {_reason(error.os_error)}."
            return ConnectionFailure(what=what, hint=_PROXY_HINT)
        what = f"The name {error.host} is not known: {_reason(error.os_error)}."
        return ConnectionFailure(what=what, hint=_PROXY_HINT if proxy.resolves else _NAME_HINT)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        # Its own text names the host of the request.
        return ConnectionFailure(what=f"No connection through the proxy: {_reason(error.os_error)}.", hint=_PROXY_HINT)
    return ConnectionFailure(what=f"Could not connect: {type(error).__name__}: {said}.")


def _certificate_error(error: aiohttp.ClientConnectorError) -> BaseException | None:
    cause = getattr(error, "certificate_error", None) or error.os_error
    return cause if isinstance(cause, ssl.CertificateError) else None


def _reason(error: BaseException) -> str:
    said = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error) or type(error).__name__
    return str(said).rstrip(".")
