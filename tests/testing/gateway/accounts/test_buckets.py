"""The buckets and their headers, alone and at the endpoints."""

import pytest

from toapis_async.testing import RateHeaders
from toapis_async.testing.gateway.accounts.buckets import Bucket
from toapis_async.values.limits import RateLimits

LIMITS = RateLimits(submit_per_second=1, submit_burst=2, query_per_second=2, query_burst=3)


def test_a_bucket_begins_full_and_refills():
    """Two at once, then one a second; what is refused costs nothing."""
    bucket = Bucket("async_submit", 1, 2)

    taken = [bucket.take(now) for now in (0.0, 0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 10.0, 10.0, 10.0)]

    assert taken == [True, True, False, False, True, False, True, True, True, False]


def test_a_bucket_says_how_long_to_wait():
    """Seconds until the next token."""
    bucket = Bucket("async_submit", 4, 1)
    bucket.take(0.0)
    bucket.take(0.0)

    assert bucket.wait == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (RateHeaders(), ("50", "49", "1001")),
        (RateHeaders(limit="minute"), ("300", "294", "1001")),
        (RateHeaders(reset="seconds"), ("50", "49", "1")),
    ],
)
def test_headers_in_each_form(form, expected):
    """The documentation names the headers and no units."""
    bucket = Bucket("async_submit", 5, 50)
    bucket.take(0.0)

    headers = bucket.headers(form, 1000.0)

    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"], headers["X-RateLimit-Reset"]) == expected
    assert headers["X-RateLimit-Category"] == "async_submit"


async def test_submissions_over_the_limit_are_refused_with_headers(running):
    """429, the documented code, Retry-After, and what is left."""
    async with running(tier=LIMITS) as (sim, caller):
        for left in ("1", "0"):
            body = {"model": "gpt-4o-image", "prompt": "p"}
            _, headers, _ = await caller.call("POST", "/v1/images/generations", json=body)
            assert headers["X-RateLimit-Remaining"] == left

        status, headers, document = await caller.call("POST", "/v1/images/generations", json=body)

        assert (status, headers["Retry-After"], headers["X-RateLimit-Category"]) == (429, "1", "async_submit")
        assert document["error"]["code"] == "rate_limit_exceeded"
        assert (sim.books.accepted, sim.books.refused(429)) == (2, 1)
        sim.clock.advance(1)
        assert await caller.submit()


async def test_queries_have_a_bucket_of_their_own(running):
    """Asking does not use up what submitting may."""
    async with running(tier=LIMITS) as (sim, caller):
        task = await caller.submit()
        path = f"/v1/images/generations/{task['id']}"

        statuses = [(await caller.call("GET", path))[0] for _ in range(4)]

        assert statuses == [200, 200, 200, 429]
        assert await caller.submit()
        assert sim.books.refused(429, "query") == 1


async def test_a_silent_gateway_says_nothing_but_no(running):
    """No headers and no Retry-After where the scenario leaves them out."""
    async with running(tier=LIMITS, rate_headers=None, retry_after=False) as (_, caller):
        await caller.submit()
        await caller.submit()

        status, headers, _ = await caller.call("POST", "/v1/images/generations", json={})

        assert status == 429
        assert not [name for name in headers if name.lower().startswith(("x-rate", "retry"))]


async def test_business_failures_use_up_allowance(running):
    """A 400 costs a token."""
    async with running(tier=LIMITS) as (_, caller):
        for _ in range(2):
            assert (await caller.call("POST", "/v1/images/generations", json={}))[0] == 400

        assert (await caller.call("POST", "/v1/images/generations", json={}))[0] == 429


async def test_too_many_unfinished_tasks_are_refused(running):
    """Until one ends; this 429 has no Retry-After and uses no allowance."""
    async with running(
        max_unfinished=2, tier=RateLimits(submit_per_second=1, submit_burst=3, query_per_second=1, query_burst=1)
    ) as (sim, caller):
        await caller.submit()
        await caller.submit()

        status, headers, _ = await caller.call(
            "POST", "/v1/images/generations", json={"model": "gpt-4o-image", "prompt": "p"}
        )

        assert (status, "Retry-After" in headers, sim.books.max_unfinished) == (429, False, 2)
        sim.clock.advance(1.5)
        await caller.submit()
        assert (sim.books.unfinished, sim.books.completed) == (1, 2)
