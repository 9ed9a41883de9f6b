"""One session from its first request to its exit code: ``batch``, ``resume`` and ``demo`` run on it."""

import asyncio
import shlex
from collections.abc import Iterable

import attrs

from toapis_async.batch.outcomes import Failed, Outcome, Report, Saved, Unfinished
from toapis_async.batch.session import GenerationSession
from toapis_async.cli.exits import Exit, exit_of_report
from toapis_async.cli.formatting.amounts import duration_text, usd
from toapis_async.cli.formatting.json_forms import outcome_form, report_form
from toapis_async.cli.stopping import Stopper
from toapis_async.cli.terminal.outage import Outage
from toapis_async.cli.terminal.progress import Progress
from toapis_async.cli.terminal.standing import cost_text
from toapis_async.cli.terminal.streams import StdoutClosedError, Terminal, error_text, one_line
from toapis_async.errors import ToAPIsError
from toapis_async.values.requests import GenerationRequest

_SHOWN_PROBLEMS = 10


@attrs.define(kw_only=True)
class Engine:
    """Runs a session and tells about it.

    Attributes:
        terminal: where.
        stopper: whom to listen to.
        resume_command: how to go on after a stop.
        outage: to be given the session's events, so that a gateway which takes nothing is told of.

    """

    terminal: Terminal
    stopper: Stopper
    resume_command: str
    outage: Outage = attrs.field(factory=Outage)
    _progress: Progress | None = None
    _problems: int = 0
    _stdout_closed: bool = False

    async def run(
        self, session: GenerationSession, requests: Iterable[GenerationRequest] | None, total: int | None
    ) -> int:
        """Run an open session to its end and return the exit code.

        Args:
            session: open.
            requests: the input; None goes on without it.
            total: how many there are, or None.

        """
        stream = session.resume() if requests is None else session.stream(requests)
        progress = self._progress = Progress(session, self.terminal, total=total, outage=self.outage)
        self.stopper.on_first = lambda: self._drain(session)
        error: ToAPIsError | None = None
        try:
            async with progress:
                async for outcome in stream:
                    self._show(outcome, session)
        except ToAPIsError as stopped:
            error = stopped
        except asyncio.CancelledError:
            self.terminal.warn(f"Stopped at once. Nothing that was accepted is lost: {self.resume_command}")
            raise
        finally:
            self.stopper.on_first = None
        return self._finish(session.report, total, error)

    def _drain(self, session: GenerationSession) -> None:
        in_flight = session.statistics.in_flight
        session.drain()
        if self._progress is not None:
            self._progress.stopping = True
        finishing = f"{in_flight:,} in flight are being finished" if in_flight else "what is left is being saved"
        self.terminal.warn(
            f"Stopping: nothing more is sent, {finishing}. Again stops at once. To go on later: {self.resume_command}"
        )

    def _show(self, outcome: Outcome, session: GenerationSession) -> None:
        if not self._stdout_closed:
            try:
                self._show_result(outcome)
            except StdoutClosedError:
                self._stdout_closed = True
                self.stopper.on_first = None
                self.terminal.say("Nobody reads stdout any more.")
                self._drain(session)
        if isinstance(outcome, Failed | Unfinished):
            self._show_problem(outcome)

    def _show_result(self, outcome: Outcome) -> None:
        if self.terminal.as_json:
            self.terminal.result_json(outcome_form(outcome))
        elif isinstance(outcome, Saved) and not (outcome.resumed and self.terminal.is_watched):
            for file in outcome.files:
                self.terminal.result(file.uri)

    def _show_problem(self, outcome: Failed | Unfinished) -> None:
        self._problems += 1
        if self._problems <= _SHOWN_PROBLEMS:
            word = "failed" if isinstance(outcome, Failed) else "unknown" if outcome.unknown else "unfinished"
            self.terminal.warn(f"{word}: {one_line(outcome.item.key, 60)}: {one_line(str(outcome.error), 300)}")
        elif self._problems == _SHOWN_PROBLEMS + 1:
            self.terminal.warn("More of these are not shown; each is in manifest.jsonl.")

    def _finish(self, report: Report, total: int | None, error: ToAPIsError | None) -> int:
        left = 0 if total is None else total - (report.saved + report.skipped + report.failed + report.unfinished)
        if error is not None and report.stopped_by is None:
            report = attrs.evolve(report, stopped_by=error)
        code = exit_of_report(report, left=left)
        if self.terminal.as_json and not self._stdout_closed:
            self.terminal.result_json(report_form(report, exit_code=code))
        self.terminal.say(summary(report, left=max(0, left)))
        if report.stopped_by is not None:
            self.terminal.warn(error_text(report.stopped_by))
        if code == Exit.UNFINISHED or (report.stopped_by is not None and (left > 0 or report.unfinished)):
            self.terminal.warn(f"To go on: {self.resume_command}")
        return code


def summary(report: Report, *, left: int = 0) -> str:
    """Return how a run went, in a few lines."""
    parts = [f"{report.saved:,} saved"]
    parts += [f"{report.skipped:,} were there already"] if report.skipped else []
    parts += [f"{report.failed:,} failed"] if report.failed else []
    parts += [f"{report.unfinished:,} unfinished"] if report.unfinished else []
    parts += [f"{left:,} not sent"] if left else []
    parts += [money] if (money := cost_text(report)) else []
    parts.append(duration_text(report.seconds))
    lines = [f"{report.directory}: " + " · ".join(parts)]
    if report.cost_usd and report.unpriced:
        lines.append(f"Of {report.unpriced:,} the gateway has not said what they cost.")
    if report.unestimated and report.estimated_usd:
        lines.append(f"Of {report.unestimated:,} no price is known; they are in no sum.")
    if report.unknown:
        lines.append(
            f"Of {report.unknown:,} it could not be found out whether they were accepted; they are not sent again "
            "unless you ask for it (--resubmit-unknown), which may charge twice."
        )
    return "\n".join(lines)


def resume_command(directory: str, *, base_url: str | None = None) -> str:
    """Return the command that goes on with a run."""
    words = ["toapis", "resume", directory] + ([] if base_url is None else ["--base-url", base_url])
    return shlex.join(words)


def estimate_text(cost_usd: object, unpriced: int, requests: int) -> str:
    """Return a price in words; unknown is said to be unknown."""
    if unpriced == requests:
        return "price unknown"
    known = f"about {usd(cost_usd)} USD"
    return known if not unpriced else f"{known} for {requests - unpriced:,} of them; of {unpriced:,} no price is known"
