"""From bytes to JSON, or to nothing."""

import pytest

from toapis_async.errors import UnreadableReplyError
from toapis_async.values.exchange import HttpReply
from toapis_async.wire.json_objects import json_in, object_in, unreadable


@pytest.mark.parametrize(
    ("data", "parsed"),
    [
        (b'{"a": 1}', {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"{", None),
        (b"\xff", None),
        (b"9" * 10_000, None),
        (b"[" * 1_000_000, None),
        (b"[" * 65 + b"]" * 65, None),
        ("[" * 65 + "]" * 65, None),
    ],
)
def test_json(data, parsed):
    """Anything that is no JSON, or is nested without sense, is nothing."""
    assert parsed == json_in(data)


def test_honest_depth_is_read():
    """Many brackets are no depth, and 64 levels are read."""
    assert json_in(b"[" * 64 + b"]" * 64) is not None
    assert len(json_in(b"[" + b",".join([b"[]"] * 1000) + b"]")) == 1000


def test_an_object_and_nothing_else():
    """A reply that is no object raises, and says what was promised."""
    assert object_in(HttpReply(200, {}, b"{}"), promised="a task") == {}
    with pytest.raises(UnreadableReplyError, match="not a task"):
        object_in(HttpReply(200, {}, b"[]"), promised="a task")


def test_the_excerpt_is_bounded():
    """A megabyte is shown by its first 200 characters."""
    error = unreadable(HttpReply(200, {}, b"x" * 1_000_000), promised="a task")

    assert len(error.excerpt) == 200
    assert len(error.message) < 300


@pytest.mark.parametrize("part", [b"{}", b"[]", b"0", b'{"url":"https://f"}'])
def test_a_flood_of_parts_is_not_even_parsed(part):
    """A reply with a million results is refused without making them; a few long pictures are read."""
    flood = b'{"data":[' + b",".join([part] * 300_000) + b"]}"

    assert json_in(flood) is None
    assert json_in(b'{"data":["' + b"A" * 4_000_000 + b'"]}') == {"data": ["A" * 4_000_000]}


@pytest.mark.parametrize(
    "body", [b"1" * 1_000_000, b"[" * 1_000_000, b'{"a":' * 200_000, b"[1." + b"1" * 999_999 + b"]"]
)
def test_endless_digits_and_nesting_end_soon(body):
    """What is hostile in one piece is refused or read, and raises nothing."""
    json_in(body)
