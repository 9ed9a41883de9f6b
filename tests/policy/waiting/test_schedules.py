"""Times to look, from a law."""

from math import exp
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toapis_async.policy.waiting.latency_distribution import LatencyDistribution
from toapis_async.policy.waiting.schedules import look_times, mean_looks


def law_of(median: float, sigma: float, count: int = 200, seed: int = 1) -> LatencyDistribution:
    """A learned log-normal law."""
    law, random = LatencyDistribution(), Random(seed)
    for _ in range(count):
        took = median * exp(sigma * random.gauss(0.0, 1.0))
        law.observe(took * 0.98, took * 1.02)
    return law


@settings(max_examples=60)
@given(
    st.floats(min_value=0.3, max_value=2000.0),
    st.floats(min_value=0.02, max_value=1.5),
    st.sampled_from([0.05, 0.2, 1.0, 5.0, 30.0]),
    st.floats(min_value=1.0, max_value=40.0),
)
def test_floor_and_budget_hold(median: float, sigma: float, floor: float, looks: float) -> None:
    """Whatever the law: times rise by at least the floor, the first included, and cost no more than allowed."""
    law = law_of(median, sigma, count=60)
    times = look_times(law, floor=floor, looks=looks)

    assert times
    assert all(b - a >= floor * (1 - 1e-9) for a, b in zip((0.0, *times), times, strict=False))
    assert mean_looks(law, times) <= 1.02 * max(looks, 1.02) + 0.01


def test_the_first_look_is_near_the_fifth_percentile() -> None:
    """With a few looks to spend, none is spent where nothing finishes."""
    law = law_of(20.0, 0.25)
    times = look_times(law, floor=5.0, looks=10.0)

    assert law.quantile(0.01) <= times[0] <= law.quantile(0.25)


def test_more_looks_are_denser() -> None:
    """Ten looks lie closer together than four."""
    law = law_of(20.0, 0.25)

    assert len(look_times(law, floor=0.2, looks=10.0)) > len(look_times(law, floor=0.2, looks=4.0))


def test_one_look_comes_late() -> None:
    """A single look finds nearly every task finished."""
    law = law_of(20.0, 0.25)
    times = look_times(law, floor=0.2, looks=1.05)

    assert law.survival(times[0]) < 0.06


def test_a_floor_beyond_the_law_is_one_look() -> None:
    """Tasks of a second, a floor of a minute: look after the minute."""
    assert look_times(law_of(1.0, 0.1), floor=60.0, looks=10.0) == pytest.approx((60.0,))
