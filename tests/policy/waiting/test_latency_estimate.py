"""From what was seen to what is believed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toapis_async.policy.waiting.latency_curve import COARSEST, LatencyCurve, edge_index
from toapis_async.policy.waiting.latency_estimate import estimate
from toapis_async.policy.waiting.likelihood import Observations

intervals = st.tuples(st.integers(0, 2800), st.integers(1, 400)).map(lambda pair: (pair[0], min(2817, sum(pair))))
SHAPE = LatencyCurve(8, 100, (0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05))


@settings(max_examples=60)
@given(
    st.dictionaries(intervals, st.floats(min_value=0.02, max_value=50.0), min_size=1, max_size=30),
    st.dictionaries(intervals, st.floats(min_value=0.02, max_value=50.0), max_size=30),
    st.sampled_from([None, SHAPE, LatencyCurve(1, 700, (0.2, 0.6, 0.2)).coarsest()]),
    st.sampled_from([None, SHAPE, LatencyCurve(1, 700, (0.2, 0.6, 0.2))]),
)
def test_whatever_was_seen_makes_a_law(
    ends: dict[tuple[int, int], float],
    survived: dict[tuple[int, int], float],
    shape: LatencyCurve | None,
    before: LatencyCurve | None,
) -> None:
    """Probabilities, none below zero, that sum to one."""
    seen = Observations(ends)
    for (low, high), weight in survived.items():
        seen.survived(low, high, weight)
    curve = estimate(seen, shape=shape, before=before)

    assert min(curve.masses) >= -1e-12
    assert sum(curve.masses) == pytest.approx(1.0)


def test_a_shape_alone_is_a_law() -> None:
    """After a change nothing has finished yet: the old law, moved to where the tasks still run."""
    until = edge_index(SHAPE.quantile(0.99)) + 100
    curve = estimate(Observations({}, {0: 50.0, until: -50.0}), shape=SHAPE, before=SHAPE)

    assert curve.quantile(0.5) > 1.3 * SHAPE.quantile(0.5)


def test_a_wide_law_stays_on_the_coarse_grid() -> None:
    """Two modes are no bell, however narrow each is."""
    ends = {(800, 801): 60.0, (1000, 1001): 40.0}
    curve = estimate(Observations(ends, {0: 100.0, 800: -60.0, 1000: -40.0}), shape=None, before=None)

    assert curve.factor == COARSEST
    assert curve.done_at(900) == pytest.approx(0.6, abs=0.08)
