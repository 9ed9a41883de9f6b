"""Times on a logarithmic grid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.waiting.latency_grid import (
    FIRST_EDGE,
    LAST_EDGE,
    LONGEST,
    coarse_edge,
    coarse_interval,
    edge_index,
    edge_seconds,
)


@given(st.floats(min_value=FIRST_EDGE, max_value=LONGEST))
def test_the_nearest_edge_is_within_half_a_bin(seconds: float) -> None:
    """An edge is at most 0.28 % away."""
    assert edge_seconds(edge_index(seconds)) == pytest.approx(seconds, rel=0.0028)


@given(st.floats(min_value=0.0, allow_infinity=True))
def test_an_edge_there_is_for_any_time(seconds: float) -> None:
    """None is beyond the last."""
    assert 0 <= edge_index(seconds) <= LAST_EDGE


@given(st.integers(0, LAST_EDGE), st.sampled_from([1, 2, 4, 8]))
def test_a_coarse_edge_is_near_the_fine_one(index: int, factor: int) -> None:
    """Within half a coarse bin; time zero stays where it is."""
    coarse = coarse_edge(index, factor)

    assert (coarse == 0) == (index == 0)
    assert index == 0 or abs((coarse - 1) * factor + 1 - index) <= factor / 2


@given(st.integers(0, LAST_EDGE - 1), st.integers(1, 300), st.sampled_from([1, 2, 4, 8]))
def test_no_coarse_interval_is_empty(low: int, width: int, factor: int) -> None:
    """What finished did so in some bin, at most one away."""
    first, last = coarse_interval((low, low + width), factor)

    assert first < last
    assert abs(first - coarse_edge(low, factor)) <= 1
