"""A law as it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.waiting.latency_curve import LawCurve
from toapis_async.policy.waiting.latency_grid import COARSEST, LAST_EDGE, coarse_edge, edge_index, edge_seconds

masses = st.lists(st.floats(min_value=0.0, max_value=1.0), min_size=1, max_size=40).map(
    lambda weights: tuple((w + 1e-3) / sum(v + 1e-3 for v in weights) for w in weights)
)
curves = st.builds(LawCurve, st.sampled_from([1, 2, 4, 8]), st.integers(0, 200), masses)


@given(curves, st.floats(min_value=0.0, max_value=1e6), st.floats(min_value=0.0, max_value=1e6))
def test_more_has_finished_later(curve: LawCurve, one: float, other: float) -> None:
    """The share that has finished never falls, and is a share."""
    early, late = curve.done(min(one, other)), curve.done(max(one, other))

    assert -1e-9 <= early <= late + 1e-12 <= 1.0 + 1e-9


@given(curves, st.integers(0, LAST_EDGE))
def test_edges_and_seconds_say_the_same(curve: LawCurve, index: int) -> None:
    """At its own edges a law is the same by edge and by time."""
    own = (coarse_edge(index, curve.factor) - 1) * curve.factor + 1

    assert curve.done_at(own) == pytest.approx(curve.done(edge_seconds(own)), abs=1e-6)


@given(curves, st.floats(min_value=0.01, max_value=0.99))
def test_a_quantile_is_where_that_share_has_finished(curve: LawCurve, share: float) -> None:
    """There and back."""
    assert curve.done(curve.quantile(share)) == pytest.approx(share, abs=1e-6)


@given(curves)
def test_a_law_on_a_whole_grid_is_still_a_law(curve: LawCurve) -> None:
    """The probabilities sum to one."""
    assert sum(curve.on_grid(COARSEST)) == pytest.approx(1.0)


@given(st.integers(-100, 100))
def test_a_moved_law_is_later_by_so_much(by: int) -> None:
    """Its median is, on the logarithmic scale."""
    curve = LawCurve(4, 100, tuple([0.05] * 20))
    first, last = 400 + by - 20, 480 + by + 20
    moved = LawCurve(1, first, tuple(curve.moved(by, factor=1, first=first, last=last)))

    assert edge_index(moved.quantile(0.5)) - edge_index(curve.quantile(0.5)) == pytest.approx(by, abs=1)


def test_stragglers_do_not_make_a_law_wide() -> None:
    """One task in twenty that takes for ever leaves the spread alone."""
    narrow = LawCurve(1, 400, (0.25, 0.25, 0.25, 0.25))
    straggling = LawCurve(1, 400, (0.24, 0.24, 0.24, 0.23, *[0.0] * 500, 0.05))

    assert straggling.spread == pytest.approx(narrow.spread, abs=1.0)
