"""Headers that a user adds to every request."""

import re
from collections.abc import Mapping

from toapis_async.errors import ConfigurationError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}\Z")
# Visible ASCII, spaces and tabs within: what every server reads alike.
_VALUE = re.compile(r"(?:[!-~](?:[\t -~]{0,8190}[!-~])?)?\Z")
_OURS = frozenset({
    "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type", "host",
    "if-range", "proxy-authorization", "range", "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
_HINT = "Give names and values as text, such as {'User-Agent': 'my-program/1.0'}."


def checked_headers(given: object, *, name: str) -> dict[str, str]:
    """Return the headers, or say what is wrong with them without showing a value.

    Args:
        given: by name; None for none.
        name: of the setting, for errors.

    Raises:
        ConfigurationError: one is no header, or one that only the library can set.

    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{name} must be a mapping, not {type(given).__name__}.", hint=_HINT)
    headers: dict[str, str] = {}
    for header, value in given.items():
        if not isinstance(header, str) or not _NAME.match(header):
            raise ConfigurationError(f"{name} has {header!r}, which is no name of a header.", hint=_HINT)
        if header.lower() in _OURS:
            hint = "The key goes into api_key=, a proxy's password into its address; leave out the rest."
            raise ConfigurationError(f"{name} cannot set {header}: every request has its own.", hint=hint)
        if not isinstance(value, str) or not _VALUE.match(value):
            raise ConfigurationError(f"The value of {header} in {name} cannot stand in a header.", hint=_HINT)
        headers[header] = value
    return headers
