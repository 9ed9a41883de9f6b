"""What a file host answers."""

from collections.abc import AsyncIterator

import aiohttp

from toapis_async.errors import TruncatedError
from toapis_async.policy.files.transfers import FileVersion, coding_of, parse_content_range
from toapis_async.transport.inflating import inflated
from toapis_async.transport.progress_timer import ProgressTimer

FETCH_AGAIN = "The task is paid for: fetch the file again, do not submit again."


def bare(url: str) -> str:
    """Return an address without its query, which may carry a signature."""
    return url.partition("?")[0].partition("#")[0]


class FileReply:
    """The beginning of a file host's answer; ``chunks`` is the rest.

    Attributes:
        http_status: of the answer.
        version: which version of the file this is, as far as the host says.

    """

    __slots__ = ("_response", "_timer", "http_status", "version")

    def __init__(self, response: aiohttp.ClientResponse, timer: ProgressTimer) -> None:
        self._response = response
        self._timer = timer
        self.http_status: int = response.status
        headers = response.headers
        _, length = parse_content_range(headers.get("Content-Range"))
        self.version: FileVersion = FileVersion(
            etag=headers.get("ETag"), last_modified=headers.get("Last-Modified"), length=length
        )

    @property
    def url(self) -> str:
        """Where it was found, after redirects and without its query."""
        return bare(str(self._response.url))

    @property
    def content_type(self) -> str:
        """What the host calls it; empty when it does not say."""
        return self._response.headers.get("Content-Type", "")

    @property
    def declared_length(self) -> int | None:
        """The length of this body in bytes; None where the host does not say, or compresses."""
        return None if self._encoding else self._response.content_length

    @property
    def content_range(self) -> str | None:
        """The header, or None."""
        return self._response.headers.get("Content-Range")

    @property
    def validator(self) -> str | None:
        """What to send with a later range so that it continues this very file, or None."""
        return None if self._encoding else self.version.validator

    @property
    def retry_after_seconds(self) -> float | None:
        """How long the host asks to wait, or None."""
        text = self._response.headers.get("Retry-After", "")
        return float(text) if text.isascii() and text.isdigit() else None

    @property
    def _encoding(self) -> str:
        label = self._response.headers.get("Content-Encoding")
        return "" if label is None else coding_of(label)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes.

        Raises:
            TruncatedError: the transfer broke.

        """
        encoding, timer = self._encoding, self._timer
        body = inflated(self._chunks(), encoding=encoding, url=self.url) if encoding else self._chunks()
        timer.go_on()
        async for chunk in body:
            timer.received(len(chunk))
            yield chunk
            timer.go_on()
        timer.pause()

    async def _chunks(self) -> AsyncIterator[bytes]:
        content = self._response.content
        while True:
            try:
                chunk = await content.readany()
            except (aiohttp.ClientError, OSError) as error:
                raise TruncatedError(
                    f"The transfer broke: {type(error).__name__}.", url=self.url, hint=FETCH_AGAIN
                ) from error
            if not chunk:
                return
            yield chunk
