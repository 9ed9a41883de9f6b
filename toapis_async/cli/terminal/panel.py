"""A snapshot of a run -> the lines that show it, at any width. Nothing here reads a clock, a session or a terminal."""

from typing import Literal, TypeAlias

from toapis_async.cli.formatting.amounts import duration_text, usd
from toapis_async.cli.formatting.layout import SEPARATOR, cells, clipped, packed, wrapped
from toapis_async.cli.terminal.snapshot import Snapshot

Style: TypeAlias = Literal["bar", "plain", "dim", "bad", "warning"]
PanelLine: TypeAlias = tuple[str, Style]

_NARROWEST = 20
_SHORTEST_BAR = 8
_MOST_REASONS = 4


def panel(now: Snapshot, width: int) -> list[PanelLine]:
    """Return the lines, none of them wider than *width* columns, and their styles."""
    width = max(_NARROWEST, width)
    lines: list[PanelLine] = []
    if bar := bar_text(now, width):
        lines.append((bar, "bar"))
    lines += [(line, "plain") for line in packed(counts(now), width)]
    lines += [(line, "plain") for line in packed(speed(now), width)]
    lines += [(line, "plain") for line in packed(money(now), width)]
    if now.limit:
        lines += [(line, "dim") for line in wrapped(now.limit, width)]
    lines += [(line, "bad") for line in packed(reasons(now), width)]
    if now.outage:
        lines += [(line, "warning") for line in wrapped(now.outage, width)]
    if now.stopping:
        lines += [(line, "warning") for line in wrapped("stopping: nothing more is sent; Ctrl-C stops at once", width)]
    return lines


def bar_text(now: Snapshot, width: int) -> str:
    """Return a bar over the whole width, with what is done of what there is to do; empty where that is not known."""
    if now.to_do is None:
        return ""
    share = now.done / now.to_do if now.to_do else 1.0
    figures = f" {now.done:,} of {now.to_do:,} done {int(100 * share):3d} %"
    room = width - cells(figures)
    if room < _SHORTEST_BAR:
        return clipped(figures.strip(), width)
    filled = int(room * share)
    return "━" * filled + "─" * (room - filled) + figures


def counts(now: Snapshot) -> list[str]:
    """Say how many stand where; zeros are left out."""
    named = (
        (now.failed, "failed"),
        (now.in_flight, "in flight"),
        (now.saving, "being saved"),
        (now.late, "late"),
        (now.unfinished, "unfinished"),
        (now.not_sent, "not sent"),
        (now.skipped, "were there already"),
    )
    return [f"{now.saved:,} saved", *(f"{count:,} {words}" for count, words in named if count)]


def speed(now: Snapshot) -> list[str]:
    """Say how fast it goes and how long it will take; what is not known is left out."""
    parts = [] if now.files_per_second is None else [f"{_rate(60 * now.files_per_second)} images/min"]
    if now.seconds_left is not None:
        parts.append(f"about {duration_text(now.seconds_left)} left")
    return parts


def money(now: Snapshot) -> list[str]:
    """Say what was spent, what is committed, where that leads, and the cap; empty where nothing is known."""
    if not (now.committed_usd or now.projected_usd or now.cap_usd is not None):
        return [f"cost of {now.unestimated:,} unknown"] if now.unestimated else []
    parts = [
        f"{usd(now.spent_usd)} USD spent",
        f"{usd(now.committed_usd)} committed",
        f"{usd(now.projected_usd)} projected",
    ]
    parts += [] if now.cap_usd is None else [f"cap {usd(now.cap_usd)}"]
    return parts + ([f"cost of {now.unestimated:,} unknown"] if now.unestimated else [])


def reasons(now: Snapshot) -> list[str]:
    """Say why items failed, the most frequent reasons first."""
    shown = [f"{count:,} × {reason}" for reason, count in now.reasons[:_MOST_REASONS]]
    more = len(now.reasons) - _MOST_REASONS
    return shown + ([f"{more:,} more reasons"] if more > 0 else [])


def one_line_of(now: Snapshot) -> str:
    """Return everything on one line, for a log."""
    done = [] if now.to_do is None else [f"{now.done:,} of {now.to_do:,} done"]
    parts = [*done, *counts(now), *speed(now), *money(now)]
    return SEPARATOR.join(parts + (["stopping; again stops at once"] if now.stopping else []))


def _rate(per_minute: float) -> str:
    return f"{per_minute:,.0f}" if per_minute >= 10 else f"{per_minute:.1f}"
