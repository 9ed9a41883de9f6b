"""The panel: a snapshot in lines, at any width."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.cli.formatting.layout import cells, clipped, packed, wrapped
from toapis_async.cli.terminal.panel import bar_text, counts, money, one_line_of, panel, speed
from toapis_async.cli.terminal.snapshot import Pace, Snapshot

BUSY = Snapshot(
    total=1000,
    saved=400,
    failed=12,
    skipped=100,
    unfinished=3,
    in_flight=50,
    late=2,
    saving=5,
    files_per_second=1.4,
    items_per_second=1.4,
    spent_usd=Decimal("4.80"),
    committed_usd=Decimal("5.40"),
    projected_usd=Decimal("12.00"),
    cap_usd=Decimal(10),
    unestimated=7,
    reasons=(("Refused by content policy", 9), ("Task failed: the vendor's model returned nothing", 3)),
    limit="limit: all 50 places in flight are taken",
    outage="The file host has given nothing for 40 s; 5 items held, trying again (connection refused)",
    stopping=True,
)
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=80)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width):
    """Whatever the width, nothing has to be wrapped by the terminal."""
    assert [line for line, _ in panel(BUSY, width) if cells(line) > width] == []


def test_a_busy_run_at_60_columns():
    """Everything that counts is there, and no word is broken."""
    text = "\n".join(line for line, _ in panel(BUSY, 60))

    assert "412 of 900 done  45 %" in text
    for part in ("400 saved", "12 failed", "50 in flight", "2 late", "5 being saved", "100 were there already"):
        assert part in text
    for part in ("84 images/min", "4.80 USD spent", "5.40 committed", "12.00 projected", "cap 10.00", "9 × Refused by"):
        assert part in text
    assert "5 items held" in " ".join(text.split())


def test_the_bar_takes_the_whole_width():
    """Bar and figures together are as wide as the terminal."""
    assert [cells(bar_text(BUSY, width)) for width in (60, 120)] == [60, 120]
    assert bar_text(Snapshot(saved=3), 60) == ""


def test_what_was_there_already_and_what_is_unfinished_is_not_done():
    """Neither counts as done nor into the rate: the bar does not move while items become unfinished."""
    outage = Snapshot(total=388, skipped=100, saved=19, unfinished=145, items_per_second=1.0)

    assert (outage.done, outage.to_do, outage.seconds_left) == (19, 288, 124.0)
    assert Snapshot(total=10, skipped=10).seconds_left is None


def test_zeros_are_left_out():
    """A run that has just begun says little."""
    assert counts(Snapshot()) == ["0 saved"]
    assert speed(Snapshot()) == []
    assert money(Snapshot()) == []
    assert money(Snapshot(unestimated=4)) == ["cost of 4 unknown"]


def test_a_run_on_one_line():
    """Logs get the same figures."""
    now = Snapshot(total=100, saved=20, in_flight=10, items_per_second=2.0, files_per_second=2.0)
    assert one_line_of(now) == "20 of 100 done · 20 saved · 10 in flight · 120 images/min · about 40 s left"


def test_the_pace_is_that_of_the_last_half_minute():
    """Old samples do not count, and without two there is no pace."""
    pace = Pace()
    assert pace.per_second is None
    for second in range(100):
        pace.add(float(second), 10 * second if second < 50 else 500 + 2 * (second - 50))

    assert pace.per_second == pytest.approx(2.0)


@given(st.lists(TEXT, max_size=12), st.integers(20, 120))
def test_parts_are_packed_whole_or_cut_with_a_mark(parts, width):
    """No line is too wide, and a part that fits on a line is on one as it is."""
    lines = packed(parts, width)

    assert all(cells(line) <= width for line in lines)
    assert all(part in "\n".join(lines) for part in parts if cells(part) <= width)


@given(TEXT, st.integers(1, 60))
def test_a_text_is_cut_to_its_width(text, width):
    """What is cut ends with a mark; what fits is unchanged."""
    cut = clipped(text, width)

    assert cells(cut) <= max(width, 1)
    assert cut == text if cells(text) <= width else cut.endswith("…")


@given(TEXT, st.integers(10, 60))
def test_wrapping_breaks_between_words_only(text, width):
    """Joined again, the words are those of the text."""
    lines = wrapped(text, width)

    assert " ".join(lines).split() == text.split()
    assert all(cells(line) <= width or len(line.split()) == 1 for line in lines)


def test_chinese_takes_two_columns_a_character():
    """Messages of the gateway are wider than they are long."""
    assert cells("余额不足") == 8
    assert clipped("余额不足", 5) == "余额…"
