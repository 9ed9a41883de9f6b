"""Foreign text made safe to print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.values.exchange import HttpReply
from toapis_async.wire.plain_text import excerpt_of, is_markup, plain, without_markup

PAGE = (
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html>\n<head><title>504 Gateway\n Time-out</title></head>\n'
    "<body>\n<center><h1>504</h1></center>\nPowered by volc-dcdn<hr>tengine</body></html>"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\r\nlines\t", "two lines"),
        ("\x1b[2J\x1b]0;evil\x07", "[2J ]0;evil"),
        ("\u202egnp.exe", "gnp.exe"),
        ("half \ud83d pair", "half pair"),
        ("余额不足", "余额不足"),
        ("Incorrect API key: sk-AbCdEf0123456789_-x.", "Incorrect API key: sk-…."),
        ("header 'Bearer eyJhbGciOi.JIUzI1NiIs=' refused", "header 'Bearer …' refused"),
        ("a Bearer token is missing", "a Bearer token is missing"),
        ("task-1234567 and risk-based", "task-1234567 and risk-based"),
    ],
)
def test_plain(text, shown):
    """Control characters, direction marks, surrogates and keys do not come through; words do."""
    assert shown == plain(text)


def test_plain_is_bounded():
    """A long text is cut, and says so."""
    assert plain("x" * 10_000, 10) == "x" * 9 + "…"


@given(st.text(), st.integers(1, 50))
def test_plain_is_always_printable(text, limit):
    """Any text becomes one printable line within its limit that UTF-8 can hold."""
    shown = plain(text, limit)

    assert shown.isprintable()
    assert len(shown) <= limit
    assert shown == shown.encode().decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (PAGE, "504 Gateway Time-out"),
        ("<html>Bad gateway</html>", "Bad gateway"),
        ("<html><style>p{}</style><script>x()</script><p>Sorry&nbsp;&amp; bye</p>", "Sorry & bye"),
        ("<html><title></title></html>", ""),
        ("  \ufeff<p>hi", "hi"),
        ("plain < text", "plain < text"),
    ],
)
def test_a_page_is_reduced_to_its_title(text, shown):
    """A page shows its title, or its words; other text is left alone."""
    assert shown == without_markup(text)


def test_an_excerpt_takes_any_bytes():
    """Bytes that are no UTF-8 are shown as well as they can be."""
    assert excerpt_of(HttpReply(200, {}, b"\xff\xfebad")) == "\ufffd\ufffdbad"
    assert not is_markup(excerpt_of(HttpReply(200, {}, PAGE.encode())))


def test_a_hostile_page_costs_little():
    """Megabytes of unclosed tags are cut before any pattern sees them."""
    assert len(excerpt_of(HttpReply(200, {}, b"<script>" * 1_000_000))) <= 200
