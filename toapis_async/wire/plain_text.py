"""Foreign text made safe to print: one line, no control characters, no keys, bounded."""

import re

from toapis_async.values.exchange import HttpReply

MESSAGE_CHARS = 300
EXCERPT_CHARS = 200

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(?:style|script)\b.*?</(?:style|script)\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_KEY = re.compile(r"\bsk-[\w\-]{6,}|\b(bearer)\s+[\w\-.~+/=]{16,}", re.IGNORECASE)
# Longer input is cut before any pattern sees it, so that a hostile page costs nothing.
_LOOKED_AT_CHARS = 4000


def plain(text: str, limit: int = MESSAGE_CHARS) -> str:
    """Return one printable line of at most ``limit`` characters; what looks like an API key is blotted out.

    Control characters, direction marks and lone surrogates become spaces: they could command a terminal, or break
    whoever encodes the text.
    """
    text = text[:_LOOKED_AT_CHARS]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    text = _KEY.sub(lambda found: f"{found[1]} …" if found[1] else "sk-…", " ".join(text.split()))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def is_markup(text: str) -> bool:
    """Tell a page from data."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def without_markup(text: str, limit: int = EXCERPT_CHARS) -> str:
    """Reduce a page to its title, or to its text where it has none; other text is only made plain."""
    text = text[:_LOOKED_AT_CHARS]
    if not is_markup(text):
        return plain(text, limit)
    # A page is rare, and the names of all HTML entities are a large table to load.
    import html  # noqa: PLC0415

    title = _TITLE.search(text)
    shown = title[1] if title else _TAG.sub(" ", text)
    return plain(html.unescape(shown), limit)


def body_text(reply: HttpReply) -> str:
    """Return the beginning of a body as text, whatever its bytes are."""
    return reply.body[:_LOOKED_AT_CHARS].decode("utf-8", "replace")


def excerpt_of(reply: HttpReply, limit: int = EXCERPT_CHARS) -> str:
    """Return what a report should show of a body: a page's title, or the first ``limit`` characters."""
    return without_markup(body_text(reply), limit)
