"""A bucket that learns its rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.pace.pacing import Bucket
from toapis_async.policy.pace.rate_limit_status import RateLimitStatus


def drain(bucket: Bucket, now: float) -> int:
    """Take whatever there is, each answered at once."""
    taken = 0
    while bucket.take(now) == 0.0:
        bucket.on_success(now)
        taken += 1
    return taken


def saturate(bucket: Bucket, start: float, seconds: float) -> float:
    """Use all there is for a while; give the time at the end."""
    now = start
    while now < start + seconds:
        wait = bucket.take(now)
        if wait == 0.0:
            bucket.on_success(now)
        else:
            now += wait
    return now


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    """Nearly the burst at once (a twentieth is kept back), then one per interval."""
    bucket = Bucket(per_second=5.0, burst=50.0, ceiling=5.0, now=0.0)

    assert drain(bucket, 0.0) == 47
    assert bucket.take(0.0) == pytest.approx(0.1)
    assert drain(bucket, 1.0) == 5


def test_the_opening_is_soft() -> None:
    """Ten at once before the first answer; each answer lets more go; without answers one goes every quarter second."""
    bucket = Bucket(per_second=5.0, burst=50.0, ceiling=None, now=0.0)
    first = 0
    while bucket.take(0.0) == 0.0:
        first += 1
    for _ in range(10):
        bucket.on_success(0.02)
    second = 0
    while bucket.take(0.02) == 0.0:
        second += 1
    later = bucket.take(0.3)

    assert (first, second, later) == (10, 20, 0.0)


def test_a_given_rate_is_never_passed() -> None:
    """However long it is used to the full."""
    bucket = Bucket(per_second=5.0, burst=50.0, ceiling=5.0, now=0.0)
    saturate(bucket, 0.0, 60.0)

    assert bucket.per_second == 5.0


def test_without_a_ceiling_it_doubles_every_second_while_it_is_used() -> None:
    """From 5/s to 50/s within four seconds of full use; idle it stays."""
    busy = Bucket(per_second=5.0, burst=1.0, ceiling=None, now=0.0)
    idle = Bucket(per_second=5.0, burst=1.0, ceiling=None, now=0.0)
    saturate(busy, 0.0, 4.0)
    for second in range(20):
        idle.take(float(second))
        idle.on_success(float(second))

    assert busy.per_second > 50.0
    assert idle.per_second == 5.0


def refuse(bucket: Bucket, now: float, times: int = 3) -> None:
    """Refuse some in a row: more than can be scattered."""
    for _ in range(times):
        bucket.on_refused(now)


def test_refusals_cut_once_per_cool_down() -> None:
    """Ten refusals within a second are one cut; as many after it, once something was taken again, are another."""
    bucket = Bucket(per_second=10.0, burst=1.0, ceiling=None, now=0.0)
    drain(bucket, 0.0)
    for n in range(10):
        bucket.on_refused(0.05 + 0.05 * n)
    once = bucket.per_second
    bucket.on_success(1.9)
    refuse(bucket, 2.0)

    assert once < 10.0
    assert bucket.per_second < once
    assert [change.reason for change in bucket.history] == ["refused", "refused"]


def test_one_refusal_on_the_way_up_is_no_limit() -> None:
    """A cut is as large as its evidence: one among many that were taken cuts nothing."""
    bucket = Bucket(per_second=10.0, burst=1.0, ceiling=None, now=0.0)
    drain(bucket, 0.0)
    bucket.on_refused(0.1)

    assert bucket.per_second == 10.0


def test_retry_after_pauses_and_does_not_lengthen_the_cool_down() -> None:
    """A pause of five seconds for all, at the first refusal that asks for it; after a second another one cuts again."""
    bucket = Bucket(per_second=10.0, burst=1.0, ceiling=None, now=0.0)
    drain(bucket, 0.0)
    bucket.on_refused(0.1, 5.0)
    wait = bucket.take(0.2)
    cut = bucket.per_second
    bucket.on_success(0.3)
    bucket.on_refused(1.2, 5.0)

    assert wait == pytest.approx(4.9)
    assert bucket.per_second < cut < 10.0


@pytest.mark.parametrize("asked", [1e9, 3600.0])
def test_a_pause_is_bounded(asked: float) -> None:
    """Two minutes, whatever is asked."""
    bucket = Bucket(per_second=10.0, burst=1.0, ceiling=None, now=0.0)
    bucket.on_refused(0.0, asked)

    assert bucket.take(0.0) <= 120.0


def test_a_refusal_within_the_opening_burst_is_about_the_burst() -> None:
    """The rate stays."""
    bucket = Bucket(per_second=5.0, burst=50.0, ceiling=None, now=0.0)
    for _ in range(5):
        bucket.take(0.0)
    burst = bucket.burst
    refuse(bucket, 0.02)

    assert bucket.per_second == 5.0
    assert bucket.burst < burst


def test_between_two_refusals_the_rate_is_measured() -> None:
    """40 served in two seconds between two refusals: just under 20 per second, not a blind cut."""
    bucket = Bucket(per_second=50.0, burst=1.0, ceiling=None, now=0.0)
    drain(bucket, 0.0)
    refuse(bucket, 0.1)
    for n in range(40):
        bucket.on_success(0.1 + 0.05 * n)
    refuse(bucket, 2.1)

    assert bucket.per_second == pytest.approx(0.98 * 20.0)


@pytest.mark.parametrize("rate", [0.5, 5.0, 50.0])
@pytest.mark.parametrize("ceiling", [False, True])
@pytest.mark.parametrize("retry_after", [None, 1.0, 5.0])
@pytest.mark.parametrize("outage", [60.0, 600.0])
def test_an_outage_teaches_nothing(rate: float, ceiling: bool, retry_after: float | None, outage: float) -> None:
    """However long everything was refused, a minute after the first good answers the rate is back."""
    bucket = Bucket(per_second=rate, burst=10.0, ceiling=rate if ceiling else None, now=0.0)
    now, sent = 0.0, 0
    while now < outage + 60.0:
        wait = bucket.take(now)
        if wait > 0.0:
            now += wait
        elif now < outage:
            bucket.on_refused(now, retry_after)
        else:
            sent += 1
            bucket.on_success(now)

    assert bucket.per_second >= 0.9 * rate
    assert sent >= 0.8 * 60.0 * rate


def test_a_gateway_that_refuses_everything_is_asked_now_and_then() -> None:
    """After one, two, and then every four seconds, by one request at a time."""
    bucket = Bucket(per_second=50.0, burst=10.0, ceiling=None, now=0.0)
    now, tries = 0.0, 0
    while now < 100.0:
        wait = bucket.take(now)
        if wait > 0.0:
            now += wait
        else:
            tries += 1
            bucket.on_refused(now)

    assert 20 <= tries <= 40


def test_the_last_tokens_are_spared() -> None:
    """When the gateway has none left, neither have we."""
    bucket = Bucket(per_second=5.0, burst=50.0, ceiling=5.0, now=0.0)
    bucket.take(0.0)
    bucket.on_success(0.0, RateLimitStatus(remaining=0.0))

    assert bucket.take(0.0) == pytest.approx(0.21, abs=0.02)


def test_changes_are_remembered_and_bounded() -> None:
    """With time, rate and reason; the latest 200."""
    bucket = Bucket(per_second=1000.0, burst=1.0, ceiling=None, now=0.0)
    drain(bucket, 0.0)
    for n in range(500):
        bucket.on_success(2.0 * n)
        refuse(bucket, 2.0 * n + 1.5)

    assert len(bucket.history) <= 200
    assert bucket.history[0].reason == "refused"
    assert bucket.per_second >= 0.1


def test_an_unused_token_comes_back() -> None:
    """A cancelled wait costs nothing."""
    bucket = Bucket(per_second=1.0, burst=2.0, ceiling=1.0, now=0.0)
    bucket.take(0.0)
    bucket.give_back()

    assert bucket.take(0.0) == 0.0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["take", "success", "refused", "status"]),
            st.floats(min_value=0.0, max_value=3.0),
            st.floats(min_value=0.0, max_value=1e9),
        ),
        max_size=80,
    )
)
def test_whatever_happens_the_wait_is_finite(events: list[tuple[str, float, float]]) -> None:
    """No sequence of replies and headers stops a bucket for longer than the longest pause, or starves it."""
    bucket = Bucket(per_second=5.0, burst=50.0, ceiling=None, now=0.0)
    now = 0.0
    for what, later, number in events:
        now += later
        if what == "take":
            assert 0.0 <= bucket.take(now) <= 131.0
        elif what == "success":
            bucket.on_success(now)
        elif what == "refused":
            bucket.on_refused(now, number)
        else:
            bucket.on_success(now, RateLimitStatus(limit=max(1.0, number), remaining=number * later))

    assert bucket.per_second >= 0.1
    assert bucket.per_second < float("inf")
