"""Which calls are struck."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import ConfigurationError
from toapis_async.testing import Drop, Fault, InvalidJson, Refuse
from toapis_async.testing.gateway.fault_plan import FaultPlan


def struck(fault, subjects, seed=0):
    """For each call, whether the fault strikes."""
    plan = FaultPlan((fault,), seed)
    return [bool(plan.strike(fault.where, subject)) for subject in subjects]


def test_without_a_selector_every_call_is_struck():
    """A fault is a rule; selectors narrow it."""
    assert struck(Fault(where="query", what=Drop()), "aab") == [True, True, True]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"nth": 2}, [False, True, False, False]),
        ({"nth": (1, 4)}, [True, False, False, True]),
        ({"every": 2}, [False, True, False, True]),
        ({"first": 3}, [True, True, True, False]),
        ({"first": 1, "per": "prompt"}, [True, False, True, False]),
        ({"nth": 2, "per": "prompt"}, [False, True, False, True]),
        ({"match": "b"}, [False, False, True, True]),
        ({"match": "b", "nth": 1}, [False, False, True, False]),
        ({"probability": 0.0}, [False] * 4),
        ({"probability": 1.0}, [True] * 4),
    ],
)
def test_selectors(selector, expected):
    """Counted over all calls, or per prompt."""
    assert struck(Fault(where="submit", what=Drop(), **selector), ["a", "a", "b", "b"]) == expected


def test_other_places_are_left_alone():
    """A fault at files strikes no query."""
    plan = FaultPlan((Fault(where="file", what=Drop()),), 0)

    assert plan.strike("query", "a") == ()


def test_several_faults_strike_in_their_order():
    """The responder decides which of them wins."""
    plan = FaultPlan((Fault(where="query", what=InvalidJson()), Fault(where="query", what=Drop())), 0)

    assert plan.strike("query", "a") == (InvalidJson(), Drop())
    assert plan.struck == Counter(InvalidJson=1, Drop=1)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=60), st.randoms(), st.integers(0, 5))
def test_chance_does_not_depend_on_the_order_of_calls(subjects, rng, seed):
    """The same calls in another order strike the same prompts equally often."""
    fault = Fault(where="query", what=Drop(), probability=0.5)
    shuffled = list(subjects)
    rng.shuffle(shuffled)

    def tally(calls):
        return Counter(s for s, hit in zip(calls, struck(fault, calls, seed), strict=True) if hit)

    assert tally(subjects) == tally(shuffled)


def test_chance_is_about_as_often_as_said():
    """A tenth of ten thousand, give or take; another seed strikes others."""
    fault = Fault(where="query", what=Drop(), probability=0.1)
    subjects = [f"prompt {number}" for number in range(10_000)]

    hits = struck(fault, subjects)

    assert 900 < sum(hits) < 1100
    assert hits != struck(fault, subjects, seed=1)


def test_an_unknown_reply_is_refused_at_once():
    """Not when the fault first strikes."""
    with pytest.raises(ConfigurationError, match="html_504"):
        FaultPlan((Fault(where="submit", what=Refuse(reply="html_599")),), 0)
