"""When to send again, and after how long."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.money.delivery import Knowledge
from toapis_async.policy.money.retrying import (
    LONGEST_DELAY_SECONDS,
    RetryPolicy,
    backoff_seconds,
    may_send_again,
    retry_seconds,
)


def asked(policy=None, *, retries=0, elapsed=0.0, retry_after=None, seed=1):
    return retry_seconds(
        policy or RetryPolicy(),
        retries=retries,
        elapsed_seconds=elapsed,
        retry_after_seconds=retry_after,
        random=Random(seed),
    )


@pytest.mark.parametrize(("retries", "middle"), [(0, 1), (1, 2), (2, 4), (3, 8), (9, 60), (10_000, 60)])
def test_the_waits_double_with_jitter(retries, middle):
    """1 s, 2 s, 4 s … 60 s, each spread by a quarter, as the gateway's page asks."""
    seen = {backoff_seconds(retries, Random(seed)) for seed in range(50)}
    assert middle * 0.75 <= min(seen) < max(seen) <= middle * 1.25


def test_retry_after_goes_first_and_is_spread():
    """Everyone waits at least as long as asked, and not all for the same time."""
    seen = {asked(retry_after=20.0, seed=seed) for seed in range(50)}
    assert 20.0 <= min(seen) < max(seen) <= 22.0


def test_retry_after_of_nothing_is_no_hurry():
    """A Retry-After of zero does not make a storm."""
    assert asked(retry_after=0.0) >= 0.05
    assert asked(retry_after=-5.0) >= 0.05


def test_patience_has_three_ends():
    """Too many retries, too much time, or too long a wait asked for: each ends it."""
    assert asked(retries=3) is None
    assert asked(RetryPolicy(max_retries=None), retries=1000) is not None
    assert asked(RetryPolicy(max_retries=None, max_elapsed_seconds=100.0), elapsed=99.9) is None
    assert asked(RetryPolicy(max_retries=None, max_elapsed_seconds=100.0), elapsed=90.0) is not None
    assert asked(retry_after=121.0) is None


@given(
    retries=st.integers(0, 10**6),
    elapsed=st.floats(0, 1e9),
    retry_after=st.none() | st.floats(-10, 1e9),
    most=st.none() | st.integers(0, 10),
    seed=st.integers(),
)
def test_a_wait_is_always_sane(retries, elapsed, retry_after, most, seed):
    """Whatever is asked, the answer is None or a wait above zero that nobody could call for ever."""
    delay = asked(RetryPolicy(max_retries=most), retries=retries, elapsed=elapsed, retry_after=retry_after, seed=seed)
    assert delay is None or 0 < delay <= max(LONGEST_DELAY_SECONDS * 1.25, 120.0 * 1.1)


@pytest.mark.parametrize("knowledge", Knowledge)
def test_only_what_was_not_accepted_goes_again(knowledge):
    """Nothing goes again while an earlier attempt may have been accepted."""
    assert may_send_again(knowledge) is (knowledge in {Knowledge.NEVER_DELIVERED, Knowledge.REFUSED_FOR_NOW})
