"""Single values: what is read, and what is nonsense."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.wire.scalars import (
    amount_of,
    decimal_of,
    id_of,
    moment_of,
    name_of,
    number_of,
    percent_of,
    size_of,
)

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (50, 50),
        ("50", 50),
        ("100%", 100),
        (" 7 % ", 7),
        (99.9, 99),
        (-3, 0),
        (250, 100),
        (10**400, 100),
        (1e308, 100),
        ("", None),
        ("%", None),
        ("half", None),
        (True, None),
        (None, None),
        (NAN, None),
        (INFINITY, None),
        ([50], None),
    ],
)
def test_progress(value, expected):
    """Numbers and their texts are held to 0-100; the rest is not said."""
    assert expected == percent_of(value)


NOON = datetime(2026, 10, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1791547200, NOON),
        (1791547200.0, NOON),
        ("1791547200", NOON),
        (1791547200000, NOON),
        ("1791547200000", NOON),
        (1791547200000000, NOON),
        ("2026-10-09T12:00:00Z", NOON),
        ("2026-10-09T14:00:00+02:00", NOON),
        ("2026-10-09 12:00:00", NOON),
        ("2026-10-09", datetime(2026, 10, 9, tzinfo=UTC)),
        (0, None),
        (-1, None),
        (7_258_118_400, None),
        (10**17, None),
        (10**400, None),
        (1e308, None),
        (NAN, None),
        (True, None),
        (None, None),
        ("", None),
        ("soon", None),
        ("1900-01-01", None),
        ("2300-01-01", None),
        ("0001-01-01T00:00:00+23:59", None),
        ({}, None),
    ],
)
def test_moments(value, expected):
    """Seconds, milliseconds, microseconds and ISO 8601 are read as UTC; absurd ones are not said."""
    assert expected == moment_of(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.135", "0.135"),
        ("27", "27"),
        (0.1, "0.1"),
        (0.135, "0.135"),
        (2100, "2100"),
        ("-1", "-1"),
        (" 1.50 ", "1.50"),
        ("NaN", None),
        ("Infinity", None),
        ("sNaN", None),
        (NAN, None),
        (-INFINITY, None),
        ("1e999999", None),
        (10**31, None),
        (10**4000, None),
        ("$1", None),
        ("", None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_decimals(value, expected):
    """Text and numbers become the decimal that they write; what cannot be money is not said."""
    assert (None if expected is None else Decimal(expected)) == decimal_of(value)


def test_amounts_are_not_negative():
    """A negative price is nonsense; an overdrawn balance is not, and is read as a decimal."""
    assert amount_of("-0.01") is None
    assert amount_of("0") == 0


@pytest.mark.parametrize(
    ("value", "name", "identifier"),
    [
        ("tsk_1", "tsk_1", "tsk_1"),
        (" tsk_1 ", "tsk_1", "tsk_1"),
        ("任务", "任务", "任务"),
        (400, "400", "400"),
        (0, "0", None),
        (-1, "-1", None),
        ("", None, None),
        (" ", None, None),
        ("a\nb", None, None),
        ("\x1b[31m", None, None),
        ("\ud800", None, None),
        ("x" * 513, None, None),
        (10**4000, None, None),
        (True, None, None),
        (1.5, None, None),
        (None, None, None),
        ({}, None, None),
    ],
)
def test_names(value, name, identifier):
    """A name is taken as it is or not at all; an id is never zero or below."""
    assert name == name_of(value)
    assert identifier == id_of(value)


@pytest.mark.parametrize(
    ("value", "expected"), [(89234, 89234), ("89234", 89234), (-1, None), (1e30, None), ("?", None)]
)
def test_sizes(value, expected):
    """A size is a count of bytes."""
    assert expected == size_of(value)


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=1))
def test_nothing_raises(value):
    """Whatever the value, each reader answers."""
    for read in (name_of, id_of, number_of, decimal_of, amount_of, size_of, percent_of, moment_of):
        read(value)


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=6))
def test_amounts_are_exact(amount):
    """An amount written as text comes back to the last digit."""
    assert amount == amount_of(str(amount))


@given(st.integers(1, 7_258_118_399))
def test_seconds_come_back(seconds):
    """Any second of the known time is the same second as number, text and milliseconds of our century."""
    assert seconds == moment_of(seconds).timestamp() == moment_of(str(seconds)).timestamp()
