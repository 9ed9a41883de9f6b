"""Words that a user wrote, against the words that there are."""

from collections.abc import Iterable, Mapping

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
