"""Why items did not end well, in few groups."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.money.reasons import reason_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Task t_1f09a2b3 (m) failed: [policy] no", "Task t_77777777 (other) failed: [policy] no"),
        ("The submission: HTTP 500, request 0a1b2c3d-4e5f", "The submission: HTTP 500, request ffff0000-1111"),
        ("Task 'a b' is 'queued' after 900 s.", "Task 'c' is 'running' after 1.5 s."),
        ("no room\nFree some.", "no room\nFree more."),
    ],
)
def test_what_differs_from_item_to_item_does_not_count(one, other):
    """Ids, numbers, quoted words and hints do not make another reason."""
    assert reason_of("TaskFailedError", one) == reason_of("TaskFailedError", other)


@pytest.mark.parametrize("other", [("ServerError", "[policy] no"), ("TaskFailedError", "[upstream] no")])
def test_another_trouble_is_another_reason(other):
    """The kind of error and its own words tell reasons apart."""
    assert reason_of("TaskFailedError", "[policy] no") != reason_of(*other)


def test_a_reason_has_a_title():
    """It is said in words, also where the error is of no known kind or there is none."""
    assert reason_of("ContentPolicyError", "x").title == "Refused by content policy"
    assert reason_of("APITimeoutError", "").slug == "api-timeout"
    assert reason_of("SomethingNewError", "").title == "Something new"
    assert reason_of(None, None).title == "No reason given"


@given(st.none() | st.text(), st.none() | st.text())
def test_a_slug_can_stand_in_a_command(error_type, message):
    """Whatever an error holds, its slug is one short word without a meaning to any shell."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", reason_of(error_type, message).slug)
    assert len(reason_of(error_type, message).slug) <= 48
    assert len(reason_of(error_type, message).detail) <= 140
