"""Dividing by demand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.pace.sharing.fair_shares import fair_shares, whole_shares

NAMES = st.sampled_from("abcdefgh")
AMOUNTS = st.floats(0.0, 1e4)


@given(AMOUNTS, st.dictionaries(NAMES, AMOUNTS, min_size=1))
def test_all_of_it_is_given_as_far_as_it_is_wanted(total, demands):
    """The parts add up to what there is, or to what is wanted."""
    assert min(total, sum(demands.values())) == pytest.approx(sum(fair_shares(total, demands).values()))


@given(AMOUNTS, st.dictionaries(NAMES, AMOUNTS, min_size=1))
def test_nobody_is_poorer_than_another_unless_he_wants_less(total, demands):
    """Whoever does not get all that he wants gets at least as much as any other."""
    shares = fair_shares(total, demands)
    assert all(share >= demands[name] - 1e-6 or share >= max(shares.values()) - 1e-6 for name, share in shares.items())


@given(st.integers(0, 1000), st.dictionaries(NAMES, st.integers(0, 1000), min_size=1))
def test_whole_things_are_shared_as_evenly_as_they_allow(total, demands):
    """They add up, nobody gets more than he wants, and two who want more differ by at most one."""
    shares = whole_shares(total, demands)
    wanting = [share for name, share in shares.items() if share < demands[name]]
    assert min(total, sum(demands.values())) == sum(shares.values())
    assert all(share <= demands[name] for name, share in shares.items())
    assert not wanting or max(shares.values()) - min(wanting) <= 1
