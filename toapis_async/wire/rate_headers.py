"""``X-RateLimit-*`` and ``Retry-After``, whose units nobody has written down.

Numbers are taken for what they can be; what cannot be is None. What a limit counts (a minute, ten seconds, a second,
a bucket) is left to ``policy.pace.pacing``, which sees the traffic.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite

from toapis_async.policy.pace.rate_limit_status import Budget, RateLimitStatus

_LONGEST = 86_400.0  # seconds; no budget of the gateway spans more than a day
_MOST = 1e9  # requests; more is a word for "no limit", or nonsense
_EPOCH_SECONDS = 1e9  # 2001: a smaller number is a span
_EPOCH_MILLISECONDS = 1e11  # as seconds the year 5138
_SKEW = 5.0  # seconds by which clocks may differ; a reset just past is a reset now
_NUMBER = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)")
_WINDOW = re.compile(r";\s*w\s*=\s*\"?([0-9]+)")
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h)")
_SPAN_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def rate_limit_status(headers: Mapping[str, str], *, now: float) -> RateLimitStatus | None:
    """Read what a reply says about a budget.

    Args:
        headers: of the reply; names are looked up as documented and in lower case.
        now: epoch seconds, for resets and dates given as instants.

    Returns:
        None when it says nothing that makes sense.

    """
    limit_text = _header(headers, "X-RateLimit-Limit")
    status = RateLimitStatus(
        budget=_budget(_header(headers, "X-RateLimit-Category")),
        limit=_count(limit_text, least=1.0),
        window_seconds=_window(limit_text),
        remaining=_count(_header(headers, "X-RateLimit-Remaining"), least=0.0),
        reset_seconds=_seconds_from_now(_header(headers, "X-RateLimit-Reset"), now),
        retry_after_seconds=retry_after(headers, now=now),
    )
    return None if status == RateLimitStatus() else status


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Read ``Retry-After``, seconds or an HTTP date, as seconds from *now*; None when absent or nonsense."""
    text = _header(headers, "Retry-After")
    if not text:
        return None
    seconds = _seconds_from_now(text, now)
    if seconds is not None:
        return seconds
    try:
        instant = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return _span(instant - now)


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if value is None:
        value = headers.get(name.lower())
    return "" if value is None else value[:200]


def _budget(text: str) -> Budget | None:
    word = text.lower()
    if "concurren" in word:
        return Budget.CONCURRENCY
    if "submit" in word:
        return Budget.SUBMIT
    if "query" in word:
        return Budget.QUERY
    return None


def _count(text: str, *, least: float) -> float | None:
    # A list ("100, 100;w=60") begins with the limit that is closest.
    found = _NUMBER.match(text)
    if found is None:
        return None
    value = float(found[1])
    return value if least <= value <= _MOST else None


def _window(text: str) -> float | None:
    found = _WINDOW.search(text)
    return None if found is None else _span(float(found[1])) or None


def _seconds_from_now(text: str, now: float) -> float | None:
    text = text.strip()
    spans = _SPAN.findall(text)
    if spans and _SPAN.sub("", text).strip() == "":
        return _span(sum(float(number) * _SPAN_SECONDS[unit] for number, unit in spans))
    try:
        value = float(text)
    except ValueError:
        return None
    if not isfinite(value):
        return None
    if value >= _EPOCH_MILLISECONDS:
        return _span(value / 1000.0 - now)
    return _span(value - now if value >= _EPOCH_SECONDS else value)


def _span(seconds: float) -> float | None:
    if not -_SKEW <= seconds <= _LONGEST:
        return None
    return max(0.0, seconds)
