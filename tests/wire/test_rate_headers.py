"""Rate headers, in every reading of their units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.pace.rate_limit_status import Budget, RateLimitStatus
from toapis_async.wire.rate_headers import rate_limit_status, retry_after

NOW = 1_800_000_000.0


def test_the_documented_headers_are_read() -> None:
    """All of them together."""
    headers = {
        "X-RateLimit-Limit": "300",
        "X-RateLimit-Remaining": "42",
        "X-RateLimit-Reset": "1800000007",
        "X-RateLimit-Category": "async_submit",
        "Retry-After": "3",
    }

    assert rate_limit_status(headers, now=NOW) == RateLimitStatus(
        budget=Budget.SUBMIT, limit=300.0, remaining=42.0, reset_seconds=7.0, retry_after_seconds=3.0
    )


def test_lower_case_names_are_found() -> None:
    """As some proxies send them."""
    status = rate_limit_status({"x-ratelimit-remaining": "5"}, now=NOW)

    assert status == RateLimitStatus(remaining=5.0)


def test_nothing_said_is_none() -> None:
    """No header, or nothing that makes sense."""
    assert rate_limit_status({}, now=NOW) is None
    assert rate_limit_status({"X-RateLimit-Limit": "plenty", "X-RateLimit-Reset": "soon"}, now=NOW) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("1800000007", 7.0),
        ("1800000007.25", 7.25),
        ("1800000007250", 7.25),
        ("1799999998", 0.0),
        ("7s", 7.0),
        ("1m30s", 90.0),
        ("250ms", 0.25),
        ("1799990000", None),
        ("1900000000", None),
        ("-3000", None),
        ("999999", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        ("", None),
        ("7 apples", None),
    ],
)
def test_a_reset_is_an_instant_or_a_span(text: str, seconds: float | None) -> None:
    """Epoch seconds, epoch milliseconds, seconds from now, or a span with its unit; anything else is nothing."""
    status = rate_limit_status({"X-RateLimit-Reset": text, "X-RateLimit-Limit": "1"}, now=NOW)

    assert status is not None
    assert status.reset_seconds == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "limit", "window"),
    [
        ("300", 300.0, None),
        ("100, 100;w=60", 100.0, 60.0),
        ('5;w="1"', 5.0, 1.0),
        ("50.0", 50.0, None),
        ("0", None, None),
        ("-5", None, None),
        ("10000000000", None, None),
        ("unlimited", None, None),
    ],
)
def test_a_limit_may_name_its_window(text: str, limit: float | None, window: float | None) -> None:
    """The unit is taken when it is there; nonsense is not."""
    status = rate_limit_status({"X-RateLimit-Limit": text, "X-RateLimit-Remaining": "1"}, now=NOW)

    assert status is not None
    assert (status.limit, status.window_seconds) == (limit, window)


@pytest.mark.parametrize(
    ("word", "budget"),
    [
        ("async_submit", Budget.SUBMIT),
        ("ASYNC_QUERY", Budget.QUERY),
        ("concurrency", Budget.CONCURRENCY),
        ("images", None),
    ],
)
def test_a_category_names_the_budget(word: str, budget: Budget | None) -> None:
    """The documented words, and the one that nobody documents."""
    status = rate_limit_status({"X-RateLimit-Category": word, "X-RateLimit-Remaining": "1"}, now=NOW)

    assert status is not None
    assert status.budget is budget


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2.0),
        ("0", 0.0),
        ("Fri, 15 Jan 2027 08:00:09 GMT", 9.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("tomorrow", None),
        ("-1", 0.0),
        ("-100", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    """Both forms of the standard."""
    assert retry_after({"Retry-After": text}, now=NOW) == seconds


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "X-RateLimit-Limit",
                "X-RateLimit-Remaining",
                "X-RateLimit-Reset",
                "X-RateLimit-Category",
                "Retry-After",
            ]
        ),
        st.text("0123456789.,;=-+eEwsmhinfa xW:", max_size=12) | st.integers().map(str) | st.floats().map(str),
    )
)
def test_anything_is_read_without_an_error(headers: dict[str, str]) -> None:
    """Whatever comes: no exception, and no number outside its bounds."""
    status = rate_limit_status(headers, now=NOW) or RateLimitStatus()

    assert status.limit is None or 1.0 <= status.limit <= 1e9
    assert status.remaining is None or 0.0 <= status.remaining <= 1e9
    assert status.reset_seconds is None or 0.0 <= status.reset_seconds <= 86_400.0
    assert status.retry_after_seconds is None or 0.0 <= status.retry_after_seconds <= 86_400.0
