"""Which limit holds a submission up, and when a change of the pace is worth an event."""

from types import SimpleNamespace

import pytest

from toapis_async.client.limits import LimitWatch, limit_of
from toapis_async.errors import APIConnectionError, Delivery, RateLimitError, ServerError
from toapis_async.ports.events import LimitChanged


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServerError("boom", http_status=503), "gateway"),
        (APIConnectionError("refused", delivery=Delivery.NEVER), "gateway"),
        (RateLimitError("slow down", http_status=429), "rate"),
        (RateLimitError("too many concurrent tasks", http_status=429), "in_flight"),
    ],
)
def test_the_limit_that_an_error_is_about(error, expected):
    """A 429 is about the rate unless it speaks of concurrency; all else is the gateway's own trouble."""
    assert expected == limit_of(error, SimpleNamespace(last_status=lambda _: None))


@pytest.mark.parametrize("purpose", ["submit", "query"])
def test_a_rate_is_told_when_it_has_moved_by_a_tenth(purpose):
    """Small steps add up to one event; each has the rate that was told last, and the present one."""
    told, pacer = [], SimpleNamespace(submit_rate=5.0, query_rate=5.0)
    watch = LimitWatch(pacer)
    for rate in (5.0, 5.2, 5.4, 5.6, 5.7, 2.5):
        setattr(pacer, f"{purpose}_rate", rate)
        watch.tell_change(lambda event, **facts: told.append((event, *list(facts.values())[:3])))
    limit = f"{purpose}_per_second"
    assert [(LimitChanged, limit, 5.0, 5.6), (LimitChanged, limit, 5.6, 2.5)] == told


def test_no_limit_is_never_told():
    """Without a rate there is nothing that could change."""
    watch = LimitWatch(SimpleNamespace(submit_rate=None, query_rate=None))
    watch.tell_change(lambda *_, **__: pytest.fail("told"))
