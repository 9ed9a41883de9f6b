"""Words against the words that there are."""

import pytest

from toapis_async.policy.requests.spelling import did_you_mean, wire_word

MODES = {"720P": "std", "1080P": "pro"}


@pytest.mark.parametrize(
    ("word", "words", "expected"),
    [
        ("1k", {}, "1k"),
        ("1K", {}, "1k"),
        ("8k", {}, None),
        ("720p", MODES, "std"),
        ("STD", MODES, "std"),
        ("1K", MODES, "1k"),
        ("", MODES, None),
    ],
)
def test_word_on_the_wire(word, words, expected):
    """Case does not matter, and both the user's word and the wire's are understood."""
    assert expected == wire_word(word, ("1k", "2k"), words)


def test_did_you_mean():
    """The closest word is offered when it is close, in its own spelling."""
    assert did_you_mean("hihg", ["Low", "High"]) == " (did you mean 'High'?)"
    assert not did_you_mean("ultra", ["low", "high"])
    assert not did_you_mean("x", [])
