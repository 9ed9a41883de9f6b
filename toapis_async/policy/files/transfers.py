"""What a file host's answer means for a transfer, and when to try again."""

import random as random_module
import re
from enum import Enum

from toapis_async.errors import ContentMismatchError, DownloadError, TruncatedError

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\Z")
_GONE = frozenset({401, 403, 404, 410})
# 478 is what the CDN before the file hosts says when it is overloaded (contract §1, Downloads).
_BUSY = frozenset({408, 425, 429, 478})

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0


class Answer(Enum):
    """What a file host said."""

    WHOLE = "whole"
    """The file from its first byte."""
    REST = "rest"
    """The file from where we stopped."""
    START_OVER = "start over"
    """What we have is of no use: ask again for the whole file."""
    GONE = "gone"
    """The link has died."""
    BUSY = "busy"
    """It may work later."""
    REFUSED = "refused"
    """It will not work later."""


def answer_of(http_status: int, *, offset: int, content_range: str | None) -> Answer:
    """Judge the answer to a request for everything from ``offset`` on (RFC 9110, sections 14 and 15)."""
    if http_status == 200:
        return Answer.WHOLE
    if http_status == 206:
        start, _ = parse_content_range(content_range)
        return Answer.START_OVER if start != offset else Answer.REST if offset else Answer.WHOLE
    if http_status == 416:
        return Answer.START_OVER if offset else Answer.REFUSED
    if http_status in _GONE:
        return Answer.GONE
    return Answer.BUSY if http_status in _BUSY or http_status >= 500 else Answer.REFUSED


def parse_content_range(text: str | None) -> tuple[int | None, int | None]:
    """Return the first byte and the whole file's length; None for what is not said or makes no sense."""
    match = _CONTENT_RANGE.match(text or "")
    if match is None:
        return None, None
    return int(match[1]), None if match[3] == "*" else int(match[3])


def worth_another_try(error: DownloadError) -> bool:
    """Tell whether the same address may still yield the file."""
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
