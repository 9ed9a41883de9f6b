"""Where a file is asked for, and which hosts have been found down."""

from collections.abc import Callable, Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

import attrs

from toapis_async.clock import Clock
from toapis_async.errors import ConfigurationError, ContentMismatchError, DownloadError, TruncatedError
from toapis_async.policy.files.addresses import absolute
from toapis_async.policy.files.mirrors import addresses_of, best_first

RewriteFileUrl: TypeAlias = Callable[[str], str]

_MOST_REMEMBERED = 256


@attrs.define(kw_only=True, eq=False)
class FileSources:
    """Every address of a file, in the order in which they are tried.

    Attributes:
        base_url: of the gateway, where relative addresses begin.
        clock: dates failures.
        hosts: by host, those that have the same files.
        rewrite: makes another address of one; None for none.

    """

    base_url: str
    clock: Clock
    hosts: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    rewrite: RewriteFileUrl | None = None
    _unreachable_since: dict[str, float] = attrs.field(factory=dict, init=False)

    def named(self, url: str) -> str:
        """Return the address that a link means.

        Raises:
            ConfigurationError: ``rewrite_file_url`` broke, or made no text of it.

        """
        try:
            url = absolute(url, base_url=self.base_url)
        except ValueError:
            return url  # whoever fetches it says what is wrong with it
        if self.rewrite is None:
            return url
        hint = "It takes the address of a file, and returns the address to fetch."
        try:
            rewritten = self.rewrite(url)
        except Exception as error:
            raise ConfigurationError(f"rewrite_file_url broke: {type(error).__name__}.", hint=hint) from error
        if not isinstance(rewritten, str):
            raise ConfigurationError(f"rewrite_file_url returned {type(rewritten).__name__}, not text.", hint=hint)
        return rewritten

    def addresses(self, named: str) -> tuple[str, ...]:
        """Return every address of a file; those whose host was found down in the last minute are last."""
        if not self.hosts:
            return (named,)
        try:
            addresses = addresses_of(named, self.hosts)
            return best_first(addresses, self._unreachable_since, self.clock.monotonic())
        except ValueError:
            return (named,)

    def heard(self, url: str, error: DownloadError | None) -> None:
        """Learn from how a transfer ended."""
        if error is None and not self._unreachable_since:
            return
        try:
            host = urlsplit(url).netloc
        except ValueError:
            return
        down = error is not None and error.http_status is None
        if not down or isinstance(error, TruncatedError | ContentMismatchError):
            # It answered, if only with what is of no use: the host is there.
            self._unreachable_since.pop(host, None)
            return
        while len(self._unreachable_since) >= _MOST_REMEMBERED:
            del self._unreachable_since[next(iter(self._unreachable_since))]
        self._unreachable_since[host] = self.clock.monotonic()
