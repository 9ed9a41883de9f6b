"""What to do after a run, as commands to copy; and why items did not end well, by reason."""

import shlex
from decimal import ROUND_UP, Decimal

import attrs

from toapis_async.batch.outcomes import Report
from toapis_async.cli.formatting.amounts import count_text, usd
from toapis_async.cli.terminal.watching import Reasons
from toapis_async.errors import AuthenticationError, BudgetExceededError, InsufficientQuotaError

_CENT = Decimal("0.01")
_MOST_REASONS = 8

Step = tuple[str, str]
"""A command, and what it does."""


@attrs.frozen(kw_only=True)
class Invocation:
    """How a run is called again.

    Attributes:
        directory: as the user gave it.
        resume: the command that goes on with it.
        resumable: whether ``resume`` takes options, as ``toapis resume`` does and the demo does not.

    """

    directory: str
    resume: str
    resumable: bool = True


def next_steps(report: Report, run: Invocation, *, left: int, projected_usd: Decimal, cap: bool = True) -> list[Step]:
    """Return what can be done now, the most needed first; nothing but the gallery where all is done.

    Args:
        report: of the run.
        run: how it is called again.
        left: items of the input that were not taken.
        projected_usd: what the whole input is expected to cost.
        cap: whether the cap is an amount that can be raised.

    """
    steps: list[Step] = []
    stopped, open_items = report.stopped_by, report.unfinished + report.not_sent + left
    if isinstance(stopped, AuthenticationError):
        steps.append(("export TOAPIS_API_KEY=…", "the right key; then go on:"))
    if isinstance(stopped, InsufficientQuotaError):
        steps.append(("toapis balance", "what is left; top up, then go on:"))
    if isinstance(stopped, BudgetExceededError) and run.resumable and cap:
        enough = projected_usd.quantize(_CENT, rounding=ROUND_UP)
        steps.append(
            (f"{run.resume} --max-cost {enough}", f"raises the cap to what all of it costs, {usd(enough)} USD")
        )
    elif open_items:
        steps.append((run.resume, _going_on(report, left)))
    if report.failed and run.resumable:
        steps.append((f"{run.resume} --retry-failed", f"makes the {report.failed:,} that failed again, for new money"))
    if report.unknown and run.resumable:
        what = f"sends the {report.unknown:,} of unknown fate again; may charge twice"
        steps.append((f"{run.resume} --resubmit-unknown", what))
    if report.saved or report.skipped:
        steps.append((shlex.join(["toapis", "report", run.directory]), "a gallery of all of it"))
    return steps


def _going_on(report: Report, left: int) -> str:
    parts = []
    if report.paid_unfinished:
        parts.append(f"fetches the {report.paid_unfinished:,} that are paid for, without paying again")
    if report.unknown:
        parts.append(f"asks about {report.unknown:,} of unknown fate")
    if left or report.not_sent:
        parts.append(f"sends the {left + report.not_sent:,} that were not sent")
    return ", ".join(parts)


def steps_text(steps: list[Step]) -> str:
    """Write the steps, each command on a line of its own."""
    return "\n".join(["What next:", *(f"  {command}\n      {what}" for command, what in steps)])


def reasons_text(reasons: Reasons, heading: str) -> str:
    """Write why items did not end well: counts by reason, each with what to do about it; empty where there is none."""
    lines = []
    found = reasons.with_hints()
    for reason, hint, count in found[:_MOST_REASONS]:
        lines.append(f"  {count:,} × {reason}")
        lines += [f"      {line}" for line in hint.splitlines()]
    more = len(found) - _MOST_REASONS
    if more > 0:
        lines.append(f"  … and {count_text(more, 'more reason')}; each item has its own in manifest.jsonl")
    return "\n".join([f"{heading}:", *lines]) if lines else ""
