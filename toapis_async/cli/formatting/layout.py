"""Text into lines of a given width: nothing wraps in mid-word, and what is cut ends with a mark."""

import unicodedata
from collections.abc import Iterable

SEPARATOR = " · "


def cells(text: str) -> int:
    """Return how many columns of a terminal a printable text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(char) for char in text)


def _cells_of(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def clipped(text: str, width: int) -> str:
    """Return the text within a width, cut at the end of a word where there is one in its second half."""
    if cells(text) <= width:
        return text
    kept = _fitting(text, max(0, width - 1))
    space = kept.rfind(" ")
    if space > len(kept) // 2 and not text[len(kept) : len(kept) + 1].isspace():
        kept = kept[:space]
    return kept.rstrip() + "…"


def _fitting(text: str, width: int) -> str:
    taken = 0
    for place, char in enumerate(text):
        taken += _cells_of(char)
        if taken > width:
            return text[:place]
    return text


def packed(parts: Iterable[str], width: int, *, indent: str = "", separator: str = SEPARATOR) -> list[str]:
    """Put parts beside each other, as many to a line as fit; one that is wider than a line is cut."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{separator}{part}" if lines else ""
        if lines and cells(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(clipped(f"{indent}{part}", width))
    return lines


def wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    """Break a text between words; what is wider than a line alone, such as an address, keeps a line of its own."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = indent
        for word in paragraph.split():
            if line.strip() and cells(line) + 1 + cells(word) > width:
                lines.append(line)
                line = indent
            line += word if line == indent else f" {word}"
        lines.append(line)
    return lines
