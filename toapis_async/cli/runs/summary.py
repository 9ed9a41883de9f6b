"""How a run went, in a few lines."""

import shlex
from decimal import Decimal

from toapis_async.batch.outcomes import Report
from toapis_async.cli.formatting.amounts import duration_text, usd


def summary(report: Report, *, left: int = 0, cap_usd: Decimal | None = None) -> str:
    """Return how a run went.

    Args:
        report: of the run.
        left: requests of the input that were not taken from it.
        cap_usd: the cap, or None.

    """
    not_sent = report.not_sent + left
    named = (
        (report.skipped, "were there already"),
        (report.failed, "failed"),
        (report.paid_unfinished, "paid and unfinished"),
        (report.unknown, "of unknown fate"),
        (not_sent, "not sent"),
    )
    parts = [f"{report.saved:,} saved", *(f"{count:,} {words}" for count, words in named if count)]
    lines = [f"{report.directory}: {' · '.join([*parts, duration_text(report.seconds)])}"]
    if report.short:
        lines.append(f"Of those saved, {report.short:,} came with fewer files than were asked for.")
    if money := money_text(report, cap_usd):
        lines.append(money)
    if report.unpriced:
        lines.append(f"Of {report.unpriced:,} the gateway has not said what they cost.")
    if report.unestimated:
        lines.append(f"Of {report.unestimated:,} no price is known; they are in no sum.")
    if report.unknown:
        lines.append(
            f"Of {report.unknown:,} it could not be found out whether they were accepted; they are not sent again "
            "unless you ask for it (--resubmit-unknown), which may charge twice."
        )
    return "\n".join(lines)


def money_text(report: Report, cap_usd: Decimal | None) -> str:
    """Return what all runs of the directory have spent and committed; empty while nothing is known."""
    if not report.committed_usd and cap_usd is None:
        return ""
    parts = [f"{usd(report.spent_usd)} USD spent", f"{usd(report.committed_usd)} USD committed"]
    parts += [] if cap_usd is None else [f"cap {usd(cap_usd)} USD"]
    return " · ".join(parts) + " (all runs of this directory)"


def estimate_text(cost_usd: object, unpriced: int, requests: int) -> str:
    """Return a price in words; unknown is said to be unknown."""
    if unpriced == requests:
        return "price unknown"
    known = f"about {usd(cost_usd)} USD"
    return known if not unpriced else f"{known} for {requests - unpriced:,} of them; of {unpriced:,} no price is known"


def resume_command(directory: str, *, base_url: str | None = None) -> str:
    """Return the command that goes on with a run."""
    words = ["toapis", "resume", directory] + ([] if base_url is None else ["--base-url", base_url])
    return shlex.join(words)
