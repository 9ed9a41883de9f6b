"""A law as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.waiting.latency_codec import parse_weights, print_weights


@given(st.lists(st.floats(min_value=0.0, max_value=900.0), max_size=60))
def test_weights_come_back(weights: list[float]) -> None:
    """All but the negligible ones, to three digits."""
    expected = {k: pytest.approx(w, rel=0.006) for k, w in enumerate(weights) if w >= 0.0051}
    found = parse_weights(print_weights(weights), 100)

    assert {k: found[k] for k in expected} == expected
    assert all(weights[k] >= 0.0049 for k in found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1",
        "v1 0",
        "v2 0 1",
        "v1 x 1",
        "v1 0 1,x",
        "v1 -1 1",
        "v1 99 1,1",
        "v1 0 -1",
        "v1 0 nan",
        "v1 0 inf",
        "v1 0 1e9",
    ],
)
def test_nonsense_is_empty(text: str) -> None:
    """Another version, another length, another kind of number: nothing is taken."""
    assert parse_weights(text, 100) == {}
