"""A distribution as it stands, and the grid it stands on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.waiting.latency_curve import (
    COARSEST,
    FIRST_EDGE,
    LAST_EDGE,
    LONGEST,
    LatencyCurve,
    coarse_edge,
    coarse_interval,
    edge_index,
    edge_seconds,
)

masses = st.lists(st.floats(min_value=0.0, max_value=1.0), min_size=1, max_size=40).map(
    lambda weights: tuple((w + 1e-3) / sum(v + 1e-3 for v in weights) for w in weights)
)
curves = st.builds(LatencyCurve, st.sampled_from([1, 2, 4, 8]), st.integers(0, 200), masses)


@given(curves, st.floats(min_value=0.0, max_value=1e6), st.floats(min_value=0.0, max_value=1e6))
def test_more_has_finished_later(curve: LatencyCurve, one: float, other: float) -> None:
    """The share that has finished never falls, and is a share."""
    early, late = curve.done(min(one, other)), curve.done(max(one, other))

    assert -1e-9 <= early <= late + 1e-12 <= 1.0 + 1e-9


@given(curves, st.integers(0, LAST_EDGE))
def test_edges_and_seconds_say_the_same(curve: LatencyCurve, index: int) -> None:
    """At its own edges a law is the same by edge and by time."""
    own = (coarse_edge(index, curve.factor) - 1) * curve.factor + 1

    assert curve.done_at(own) == pytest.approx(curve.done(edge_seconds(own)), abs=1e-6)


@given(curves, st.floats(min_value=0.01, max_value=0.99))
def test_a_quantile_is_where_that_share_has_finished(curve: LatencyCurve, share: float) -> None:
    """There and back."""
    assert curve.done(curve.quantile(share)) == pytest.approx(share, abs=1e-6)


@given(curves)
def test_a_law_on_a_whole_grid_is_still_a_law(curve: LatencyCurve) -> None:
    """The probabilities sum to one."""
    assert sum(curve.on_grid(COARSEST)) == pytest.approx(1.0)


@given(curves)
def test_a_coarser_law_has_its_median_where_it_was(curve: LatencyCurve) -> None:
    """Within a bin of the coarse grid, as wide as four and a half per cent."""
    middle, again = edge_index(curve.quantile(0.5)), curve.coarsest()

    assert sum(again.masses) == pytest.approx(1.0)
    assert again.done_at(middle - COARSEST) <= 0.5 + 1e-9 <= again.done_at(middle + COARSEST) + 2e-9


def test_stragglers_do_not_make_a_law_wide() -> None:
    """One task in twenty that takes for ever leaves the spread alone."""
    narrow = LatencyCurve(1, 400, (0.25, 0.25, 0.25, 0.25))
    straggling = LatencyCurve(1, 400, (0.24, 0.24, 0.24, 0.23, *[0.0] * 500, 0.05))

    assert straggling.spread == pytest.approx(narrow.spread, abs=1.0)


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
