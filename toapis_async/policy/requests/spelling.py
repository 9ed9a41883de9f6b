"""Words that a user wrote, against the words that there are."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

_BETWEEN = re.compile(r"[\s._-]+")
_NOTHING: Mapping[str, str] = {}


def wire_word(word: str, allowed: tuple[str, ...], words: Mapping[str, str] = _NOTHING) -> str | None:
    """Return what the wire wants for a word, or None when it is none of the allowed ones.

    Case does not matter: sources disagree about it (``1k`` and ``1K``), and each model has its own.
    """
    if not words and word in allowed:
        return word
    wanted = word.casefold()
    for known, wire in words.items():
        if wanted in {known.casefold(), wire.casefold()}:
            return wire
    return next((one for one in allowed if one.casefold() == wanted), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the closest known word, or nothing."""
    # Only whoever has mistyped something pays for loading it.
    from difflib import get_close_matches  # noqa: PLC0415

    by_fold = {one.casefold(): one for one in known}
    close = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f" (did you mean {by_fold[close[0]]!r}?)" if close else ""


@lru_cache(maxsize=1024)
def slips(word: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the known names that a word misses by one slip: a letter too many, missing, wrong, or two swapped.

    What stands between the parts of a name does not count, nor does case. A digit is no slip: ``sora-3`` is a model
    of tomorrow and not ``sora-2``.
    """
    wanted = _letters(word)
    return tuple(one for one in known if _is_one_slip(wanted, _letters(one)))


def _letters(name: str) -> str:
    return _BETWEEN.sub("-", name.casefold())


def _is_one_slip(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1 or re.findall(r"\d", one) != re.findall(r"\d", other):
        return False
    same = next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if same is None:
        return True
    one, other = one[same:], other[same:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]
