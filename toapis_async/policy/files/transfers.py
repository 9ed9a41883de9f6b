"""What a file host's answer means for a transfer, and when to try again."""

import random as random_module
import re
from enum import Enum

import attrs

from toapis_async.errors import ContentMismatchError, DownloadError, TruncatedError

# Longer numbers are no lengths, and turning them into integers would raise.
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)\Z")
_UNSATISFIED_RANGE = re.compile(r"bytes \*/([0-9]{1,18})\Z")
# What may be sent back in a header: no control character, no foreign letter.
_SENDABLE = re.compile(r"[ -~]{1,4096}\Z")
_CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"})
_GONE = frozenset({401, 403, 404, 410})
# 478 is what the CDN before the file hosts says when it is overloaded.
_BUSY = frozenset({408, 425, 429, 478})

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0


class Answer(Enum):
    """What a file host said."""

    WHOLE = "whole"
    """The file from its first byte."""
    REST = "rest"
    """The file from where we stopped."""
    NOTHING_LEFT = "nothing left"
    """What we have is all of it."""
    START_OVER = "start over"
    """What we have is of no use: ask again for the whole file."""
    GONE = "gone"
    """The link has died."""
    BUSY = "busy"
    """It may work later."""
    REFUSED = "refused"
    """It will not work later."""


@attrs.frozen(kw_only=True)
class FileVersion:
    """What a host says about which version of a file it sends.

    Attributes:
        etag, last_modified: the headers, or None.
        length: of the whole file in bytes, or None.

    """

    etag: str | None = None
    last_modified: str | None = None
    length: int | None = None

    @property
    def validator(self) -> str | None:
        """What makes a range continue this version or none; None where nothing the host said can."""
        # Weak tags must not be sent in If-Range (RFC 9110, section 13.1.5).
        strong = self.etag if self.etag and not self.etag.startswith("W/") else None
        for word in (strong, self.last_modified):
            if word and _SENDABLE.match(word):
                return word
        return None

    def continues(self, begun: "FileVersion") -> bool:
        """Tell whether this is the version that was begun: something has to agree, and nothing may differ."""
        ours, theirs = (begun.etag, begun.length), (self.etag, self.length)
        if begun.etag is None or self.etag is None:
            ours, theirs = (begun.last_modified, begun.length), (self.last_modified, self.length)
        known = [(one, other) for one, other in zip(ours, theirs, strict=True) if one is not None and other is not None]
        return bool(known) and all(one == other for one, other in known)


def answer_of(
    http_status: int, *, offset: int, content_range: str | None, begun: FileVersion, found: FileVersion
) -> Answer:
    """Judge the answer to a request for everything from ``offset`` on (RFC 9110, sections 14 and 15).

    Args:
        http_status: of the answer.
        offset: how many bytes are here.
        content_range: the header, or None.
        begun: the version that they are of.
        found: the version that the answer is of.

    """
    if http_status == 200:
        return Answer.WHOLE
    if http_status == 206:
        return _partial_answer(offset, content_range, same=found.continues(begun))
    if http_status == 416:
        if not offset:
            return Answer.REFUSED
        left = _UNSATISFIED_RANGE.match(content_range or "")
        other = None not in {begun.etag, found.etag} and begun.etag != found.etag
        return Answer.NOTHING_LEFT if left and int(left[1]) == offset and not other else Answer.START_OVER
    if http_status in _GONE:
        return Answer.GONE
    return Answer.BUSY if http_status in _BUSY or http_status >= 500 else Answer.REFUSED


def _partial_answer(offset: int, content_range: str | None, *, same: bool) -> Answer:
    start, _ = parse_content_range(content_range)
    if offset:
        return Answer.REST if start == offset and same else Answer.START_OVER
    # Nobody asked for a part; if it is the whole, the file itself will say so.
    return Answer.WHOLE if start in {0, None} else Answer.START_OVER


def coding_of(label: str) -> str:
    """Return the compression that a Content-Encoding names; empty for labels that are none, such as ``aws-chunked``.

    Several are given as they are applied, with commas between.
    """
    codings = [coding for coding in re.split(r"[\s,;]+", label.lower()) if coding in _CODINGS]
    return ", ".join(codings)


def parse_content_range(text: str | None) -> tuple[int | None, int | None]:
    """Return the first byte and the whole file's length; None for what is not said or makes no sense."""
    match = _CONTENT_RANGE.match(text or "")
    if match is None:
        return None, None
    return int(match[1]), None if match[3] == "*" else int(match[3])


def worth_another_try(error: DownloadError) -> bool:
    """Tell whether the same address may still yield the file."""
    if error.lasting:
        return False
    if isinstance(error, TruncatedError | ContentMismatchError) or error.http_status is None:
        return True
    return error.http_status in _BUSY or error.http_status >= 500


def delay_seconds(failures: int, *, retry_after_seconds: float | None, random: random_module.Random) -> float:
    """Return 0.5, 1, 2, 4 … s plus up to half of it again; longer when the host asks, up to 30 s.

    Args:
        failures: how many tries have failed so far, from 1.
        retry_after_seconds: what the host asked for, or None.
        random: the source of jitter.

    """
    delay = FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 8)
    return min(max(delay, retry_after_seconds or 0.0), LONGEST_DELAY_SECONDS) * (1 + random.random() / 2)
