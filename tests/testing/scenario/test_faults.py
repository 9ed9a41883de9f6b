"""Faults as values."""

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.testing import Drop, Fail, Fault, MoveUrl, Truncate


@pytest.mark.parametrize(
    ("where", "what"), [("submit", Truncate()), ("task", Drop()), ("query", Fail()), ("file", MoveUrl(place="data"))]
)
def test_what_cannot_happen_there_is_refused(where, what):
    """The message lists what can."""
    with pytest.raises(ConfigurationError, match="there it can be"):
        Fault(where=where, what=what)


def test_a_single_number_is_a_list_of_one():
    """``nth=3`` and ``nth=(3,)`` are the same fault."""
    assert Fault(where="file", what=Drop(), nth=3) == Fault(where="file", what=Drop(), nth=[3])


@pytest.mark.parametrize("wrong", [{"probability": 1.5}, {"every": 0}, {"first": -1}, {"per": "week"}, {"where": "x"}])
def test_selectors_have_ranges(wrong):
    """Nonsense is refused when it is written, not when it strikes."""
    with pytest.raises(ValueError, match="must be"):
        Fault(**{"where": "file", "what": Drop(), **wrong})
