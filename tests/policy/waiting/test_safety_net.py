"""How seldom to look while events are trusted."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.waiting.latency_distribution import LatencyDistribution
from toapis_async.policy.waiting.safety_net import NET_SECONDS, safety_delay


@pytest.fixture(scope="module")
def law():
    """Give the law of tasks that take 18 to 22 seconds."""
    known = LatencyDistribution()
    for number in range(200):
        took = 18.0 + 4.0 * (number % 20) / 20
        known.observe(took - 0.5, took)
    return known


def test_nothing_known_is_a_look_a_minute():
    """Without a law the net is a minute wide, and a little wider by jitter."""
    assert NET_SECONDS <= safety_delay(5.0, 0.0, law=None, random=Random(1)) <= 1.1 * NET_SECONDS


def test_a_young_law_is_not_followed():
    """Three completions say little about the slowest of a hundred."""
    young = LatencyDistribution()
    for _ in range(3):
        young.observe(1.0, 2.0)
    assert safety_delay(5.0, 0.0, law=young, random=Random(1)) >= NET_SECONDS


def test_a_known_law_is_looked_at_when_nearly_all_have_ended(law):
    """The first look comes when 99 of 100 tasks have ended and told of it; from there on a look a minute."""
    first = safety_delay(5.0, 0.0, law=law, random=Random(1))
    assert 30.0 <= first <= 37.0
    assert safety_delay(5.0, first, law=law, random=Random(1)) >= NET_SECONDS


@given(planned=st.floats(0.1, 1e4), elapsed=st.floats(0.0, 1e5), seed=st.integers(0, 9), took=st.floats(1.0, 20_000.0))
def test_it_is_never_sooner_than_planned_and_never_for_ever(planned, elapsed, seed, took):
    """Whatever is known, the net is no tighter than the plan, and a lost event costs minutes at most."""
    known = LatencyDistribution()
    for _ in range(40):
        known.observe(0.9 * took, took)
    delay = safety_delay(planned, elapsed, law=known, random=Random(seed))
    assert planned <= delay <= max(planned, 330.0)
