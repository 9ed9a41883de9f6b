"""The rule that a file host is held to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.files.progress import ProgressRule

RULE = ProgressRule()


@pytest.mark.parametrize(("failures", "seconds"), [(0, 30.0), (1, 60.0), (2, 120.0), (3, 120.0), (5000, 120.0)])
def test_each_try_waits_longer_for_the_first_byte(failures, seconds):
    """A host that needs 45 seconds delivers on the second try."""
    assert RULE.begin(100.0, failures=failures).ends_at == 100.0 + seconds


def test_a_first_byte_that_may_take_long_is_never_cut_by_the_growth():
    """Whoever allows more than the longest at once gets it."""
    assert ProgressRule(first_byte_seconds=300.0).begin(0.0, failures=3).ends_at == 300.0


def test_a_drip_of_single_bytes_ends():
    """A byte a second buys a millisecond each, whatever else comes along."""
    progress = RULE.begin(0.0)
    now = 0.0
    while now < progress.ends_at:
        now += 1.0
        progress = progress.received(1, now)

    assert 31.0 <= now <= 33.0


def test_the_least_speed_goes_on_for_ever():
    """As slow as allowed is allowed."""
    progress = RULE.begin(0.0)
    for second in range(1, 5000):
        progress = progress.received(1024, float(second))
        assert progress.late_at > second


def test_speed_in_the_past_does_not_pay_for_silence():
    """A gigabyte at once buys no more than the allowance."""
    progress = RULE.begin(0.0).received(1, 1.0).received(2**30, 2.0)

    assert progress.ends_at == 32.0
    assert progress.late_at == 4.0


def test_pauses_that_are_ours_do_not_count():
    """A slow disk is no fault of the host's."""
    progress = RULE.begin(0.0).received(1, 1.0)

    assert progress.paused(50.0).ends_at == progress.ends_at + 50.0


@given(st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 20)), max_size=50))
def test_it_never_has_more_than_its_allowance(steps):
    """Whatever comes and when, no transfer is paid further than now."""
    progress, now = RULE.begin(0.0), 0.0
    for size, seconds in steps:
        now += seconds
        progress = progress.received(size, now)
        assert progress.paid_until <= now
        assert progress.late_at <= progress.ends_at
