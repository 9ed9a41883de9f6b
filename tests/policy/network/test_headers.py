"""Headers of the user's."""

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.policy.network.headers import checked_headers


def test_headers_are_taken_as_they_are():
    """Names and values, the agent's among them."""
    given = {"User-Agent": "mine/1", "X-Tenant": "a b", "X-Empty": ""}

    assert given == checked_headers(given, name="default_headers")
    assert checked_headers(None, name="default_headers") == {}


@pytest.mark.parametrize(
    "given",
    [
        {"X": "a\r\nInjected: b"},
        {"X": "secret\n"},
        {"X": " secret"},
        {"X": "сekret"},
        {"X": 7},
        {"a b": "x"},
        {"": "x"},
        {7: "x"},
        {"Authorization": "Bearer secret"},
        {"host": "elsewhere"},
        {"Content-Length": "0"},
        ["X"],
    ],
    ids=str,
)
def test_what_cannot_be_a_header_is_refused_unseen(given):
    """Line breaks, foreign letters, and what every request has of its own."""
    with pytest.raises(ConfigurationError, match="default_headers") as caught:
        checked_headers(given, name="default_headers")

    assert "secret" not in str(caught.value)
