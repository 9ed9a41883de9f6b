"""Single values of a reply, read tolerantly: nonsense becomes None, and nothing here raises.

``bool`` is a number to Python; here it never is. ``type(x) is int`` says so at no cost.
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite

_NAME_CHARS = 512
_NUMBER_CHARS = 40
# Beyond these a decimal is no amount of money, and would cost memory to write out.
_MOST_DIGITS = 30
_END_OF_TIME = 7_258_118_400.0  # the year 2200
_MILLISECONDS_FROM = 1e11
_MICROSECONDS_FROM = 1e14
_NO_INSTANT_FROM = 1e17


def name_of(value: object) -> str | None:
    """Read an identifier exactly as it is, or not at all: one with control characters could not be sent back."""
    if type(value) is int:
        return str(value) if abs(value) < 10**_MOST_DIGITS else None
    if type(value) is str and value.isprintable() and len(value) <= _NAME_CHARS:
        return value.strip() or None
    return None


def id_of(value: object) -> str | None:
    """Read an id; zero and below are a database's word for none."""
    if type(value) is int and value <= 0:
        return None
    return name_of(value)


def number_of(value: object) -> float | None:
    """Read a finite number from a number or its text."""
    try:
        if type(value) is int or type(value) is float or (type(value) is str and len(value) <= _NUMBER_CHARS):
            number = float(value)
            return number if isfinite(number) else None
    except (ValueError, OverflowError):
        pass
    return None


def decimal_of(value: object) -> Decimal | None:
    """Read an exact decimal from text or a number; NaN, infinities and absurd magnitudes are refused."""
    if type(value) is float or (type(value) is int and abs(value) < 10**_MOST_DIGITS):
        value = str(value)  # of a float: the shortest text that means it, so 0.1 stays 0.1
    if type(value) is not str or len(value) > _NUMBER_CHARS:
        return None
    try:
        amount = Decimal(value.strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount.adjusted()) <= _MOST_DIGITS else None


def amount_of(value: object) -> Decimal | None:
    """Read a decimal that cannot be negative."""
    amount = decimal_of(value)
    return amount if amount is not None and amount >= 0 else None


def size_of(value: object) -> int | None:
    """Read a count of bytes."""
    number = number_of(value)
    return int(number) if number is not None and 0 <= number < 2**63 else None


def percent_of(value: object) -> int | None:
    """Read progress: ``50``, ``"50"`` or ``"100%"``, held to 0-100."""
    if type(value) is int:
        return min(100, max(0, value))
    if type(value) is str:
        value = value.strip().removesuffix("%")
    number = number_of(value)
    return None if number is None else int(min(100.0, max(0.0, number)))


def moment_of(value: object) -> datetime | None:
    """Read an instant: epoch seconds, milliseconds or microseconds, as number or text, or ISO 8601.

    Text without a zone is UTC. Zero, the past before 1970 and the far future are None.
    """
    if value is None:
        return None
    if type(value) is str:
        seconds = number_of(value)
        if seconds is None:
            return _iso_moment(value)
        value = seconds
    if type(value) is not int and type(value) is not float:
        return None
    if not 0 < value < _NO_INSTANT_FROM:
        return None
    if value >= _MILLISECONDS_FROM:
        value /= 1e6 if value >= _MICROSECONDS_FROM else 1e3
    return datetime.fromtimestamp(value, UTC) if value < _END_OF_TIME else None


def _iso_moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 0 < moment.timestamp() < _END_OF_TIME else None
