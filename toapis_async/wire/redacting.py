"""Secrets struck out of what others send, before anything reads it: gateways repeat a key in the oddest places."""

import base64
import re
from collections.abc import Iterable
from functools import cached_property, lru_cache

STRUCK_OUT = b"***"

# A shorter secret could be part of ordinary words, and is none.
_SHORTEST = 12
# Where none of these is in a body, a secret can only stand in it letter by letter.
_ESCAPES = (b"\\", b"%", b"&", b"\0")
_MOST_FOLDED = 4
_ESCAPE = re.compile(
    rb"\\{1,15}(?:(?:u00|x)([0-7][0-9a-fA-F]))?|%([0-7][0-9a-fA-F])|&#(?:[xX]0{0,4}([0-7][0-9a-fA-F])|0{0,4}(\d{1,3}));"
)
_BASE64_LETTERS = rb"[A-Za-z0-9+/=_\-]"


class Redactor:
    """Strikes secrets out of bytes: plain, and escaped as in JSON, in JSON inside JSON, in addresses, in pages, in
    base64, and in UTF-16 and UTF-32.

    What was JSON is JSON afterwards.

    Args:
        secrets: which; those under 12 characters are left alone.

    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._known = [secret.encode("utf-8", "surrogatepass") for secret in secrets if len(secret) >= _SHORTEST]
        # What stands before a secret, such as "Bearer ", shifts it against the groups of three bytes.
        self._coded = sorted({core for secret in self._known for at in range(3) for core in _base64_cores(secret, at)})
        plain = (*self._known, *self._coded)
        self._needles = tuple(dict.fromkeys((*plain, *map(_folded, plain))))

    def __repr__(self) -> str:
        return "Redactor()"

    def __call__(self, data: bytes) -> bytes:
        """Return the data without secrets; the same object where it has none."""
        if not self._needles or not self._is_in(data):
            return data
        data = self._pattern.sub(STRUCK_OUT, data)
        # Nothing takes its place there: the width of the letters around it is not known.
        return self._wide_pattern.sub(b"", data) if b"\0" in data else data

    def text(self, text: str) -> str:
        """Return a text without secrets; the same object where it has none."""
        data = text.encode("utf-8", "surrogatepass")
        left = self(data)
        return text if left is data else left.decode("utf-8", "surrogatepass")

    def _is_in(self, data: bytes) -> bool:
        # Once or twice for every reply: a generator would cost many times the search.
        for needle in self._needles:
            if needle in data:
                return True
        for mark in _ESCAPES:
            if mark in data:
                folded = _folded(data)
                return any(needle in folded for needle in self._needles)
        return False

    # Made when a secret was found: they are large, and hardly ever needed.

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        coded = (_escaped(core) + _BASE64_LETTERS + b"*" for core in self._coded)
        return re.compile(b"|".join((*map(_escaped, self._known), *coded)))

    @cached_property
    def _wide_pattern(self) -> re.Pattern[bytes]:
        return re.compile(b"|".join(_escaped(secret, between=rb"\0*") for secret in self._known))


@lru_cache(maxsize=16)
def redactor_of(secrets: tuple[str, ...]) -> Redactor:
    """Return the redactor of these secrets, made once."""
    return Redactor(secrets)


def _folded(data: bytes) -> bytes:
    """Take every escape back, those of escapes too: far cheaper than to look for each letter in every spelling."""
    data = data.replace(b"\0", b"")
    for _ in range(_MOST_FOLDED):
        before, data = data, _ESCAPE.sub(_letter_of, data)
        if data == before:
            break
    return data


def _letter_of(escape: re.Match[bytes]) -> bytes:
    decimal = escape[4]
    if decimal is not None:
        return bytes((int(decimal) & 0x7F,))
    digits = escape[1] or escape[2] or escape[3]
    return b"" if digits is None else bytes((int(digits, 16),))


def _escaped(secret: bytes, *, between: bytes = b"") -> bytes:
    """Return a pattern for a secret of which any letter may be escaped, once or up to four times over.

    Every repetition in it is bounded, so that no body makes it slow.
    """
    return b"".join(_letter(code) + between for code in secret)


def _letter(code: int) -> bytes:
    two, plain = b"%02x" % code, re.escape(bytes((code,)))
    hexadecimal = b"".join(b"[%c%c]" % (digit, digit ^ 32) if digit > 57 else b"%c" % digit for digit in two)
    forms = [
        plain,
        rb"\\{1,15}(?:u00|x)" + hexadecimal,
        rb"\\{1,15}" + plain,
        rb"%(?:25){0,3}" + hexadecimal,
        rb"&#0{0,4}%d;" % code,
        rb"&#[xX]0{0,4}" + hexadecimal + b";",
    ]
    return b"(?:" + b"|".join(forms) + b")"


def _base64_cores(secret: bytes, shift: int) -> set[bytes]:
    """Return what base64 makes of a secret whatever stands around it, in both alphabets."""
    whole = base64.b64encode(bytes(shift) + secret)
    first = -(-shift * 8 // 6)  # letters that are made from what stands before it, too
    core = whole[first : (shift + len(secret)) * 8 // 6]
    return {core, core.translate(bytes.maketrans(b"+/", b"-_"))}
