"""One session from its first request to its exit code: ``batch``, ``resume`` and ``demo`` run on it."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal

import attrs

from toapis_async.batch.outcomes import Failed, Outcome, Report, Saved, Unfinished
from toapis_async.batch.session import GenerationSession
from toapis_async.cli.exits import Exit, exit_of_report
from toapis_async.cli.formatting.json_forms import outcome_form, outcome_status, report_form
from toapis_async.cli.runs.expectation import Expectation
from toapis_async.cli.runs.next_steps import Invocation, next_steps, reasons_text, steps_text
from toapis_async.cli.runs.summary import summary
from toapis_async.cli.stopping import Stopper
from toapis_async.cli.terminal.progress import Progress
from toapis_async.cli.terminal.streams import StdoutClosedError, Terminal, error_text, one_line
from toapis_async.cli.terminal.watching import Watch
from toapis_async.errors import ToAPIsError
from toapis_async.values.requests import GenerationRequest

_SHOWN_PROBLEMS = 10
_KEY_CHARS = 60
_MESSAGE_CHARS = 200


@attrs.define(kw_only=True)
class Engine:
    """Runs a session and tells about it.

    Attributes:
        terminal: where.
        stopper: whom to listen to.
        invocation: how it is called again.
        expectation: what the input holds.
        print_paths: whether the files' paths are results on a terminal too; they always are in a pipe.
        watch: to be given the session's events.

    """

    terminal: Terminal
    stopper: Stopper
    invocation: Invocation
    expectation: Expectation = attrs.field(factory=Expectation)
    print_paths: bool = False
    watch: Watch = attrs.field(factory=Watch)
    _progress: Progress | None = None
    _problems: int = 0
    _stdout_closed: bool = False

    async def run(self, session: GenerationSession, requests: Iterable[GenerationRequest] | None) -> int:
        """Run an open session to its end and return the exit code.

        Args:
            session: open.
            requests: the input; None goes on without it.

        """
        stream = session.resume() if requests is None else session.stream(requests)
        expected = self.expectation
        expected.begin(session.report)
        progress = self._progress = Progress(
            session, self.terminal, total=expected.total, to_come=lambda: expected.to_come(session), watch=self.watch
        )
        self.stopper.on_first = lambda: self._drain(session)
        error: ToAPIsError | None = None
        try:
            async with progress:
                async for outcome in stream:
                    self._show(outcome, session)
        except ToAPIsError as stopped:
            error = stopped
        except asyncio.CancelledError:
            self.terminal.warn("Stopped at once. Nothing that was accepted is lost. To go on:")
            self.terminal.warn(f"  {self.invocation.resume}", as_is=True)
            raise
        finally:
            self.stopper.on_first = None
        return self._finish(session, error)

    def _drain(self, session: GenerationSession) -> None:
        in_flight = session.statistics.in_flight
        session.drain()
        if self._progress is not None:
            self._progress.stopping = True
        finishing = f"{in_flight:,} in flight are being finished" if in_flight else "what is left is being saved"
        self.terminal.warn(f"Stopping: nothing more is sent, {finishing}. Again stops at once. To go on later:")
        self.terminal.warn(f"  {self.invocation.resume}", as_is=True)

    def _show(self, outcome: Outcome, session: GenerationSession) -> None:
        if not self._stdout_closed:
            try:
                self._show_result(outcome)
            except StdoutClosedError:
                self._stdout_closed = True
                self.stopper.on_first = None
                self.terminal.say("Nobody reads stdout any more.")
                self._drain(session)
        match outcome:
            case Failed():
                self.watch.failed.add(outcome.error)
            case Unfinished():
                self.watch.unfinished.add(outcome.error)
        if problem := _problem(outcome):
            self._show_problem(problem)

    def _show_result(self, outcome: Outcome) -> None:
        if self.terminal.as_json:
            self.terminal.result_json(outcome_form(outcome))
        elif isinstance(outcome, Saved) and (self.print_paths or not self.terminal.is_watched):
            for file in outcome.files:
                self.terminal.result(file.uri)

    def _show_problem(self, problem: str) -> None:
        self._problems += 1
        if self._problems <= _SHOWN_PROBLEMS:
            self.terminal.warn_on_a_line(problem)
        elif self._problems == _SHOWN_PROBLEMS + 1:
            self.terminal.warn("More of these are not shown; each is in manifest.jsonl.")

    def _finish(self, session: GenerationSession, error: ToAPIsError | None) -> int:
        report, expected = session.report, self.expectation
        if error is not None and report.stopped_by is None:
            report = attrs.evolve(report, stopped_by=error)
        if report.stopped_by is None and expected.beyond:
            report = attrs.evolve(report, stopped_by=expected.enough())
        left = expected.left(report)
        code = exit_of_report(report, left=left)
        if self.terminal.as_json and not self._stdout_closed:
            self.terminal.result_json(report_form(report, left=left, exit_code=code))
        self.terminal.say(summary(report, left=left, cap_usd=session.settings.max_cost_usd))
        for reasons, heading in ((self.watch.failed, "Failed"), (self.watch.unfinished, "Unfinished")):
            if text := reasons_text(reasons, heading):
                self.terminal.say(text)
        if report.stopped_by is not None:
            self.terminal.warn(error_text(report.stopped_by))
        self._say_what_next(report, left, report.projected_usd + expected.to_come(session), code)
        return code

    def _say_what_next(self, report: Report, left: int, projected_usd: Decimal, code: int) -> None:
        steps = next_steps(
            report, self.invocation, left=left, projected_usd=projected_usd, cap=not self.expectation.beyond
        )
        if steps and code != Exit.DONE:
            self.terminal.warn(steps_text(steps), as_is=True)
        elif steps and self.invocation.resumable:  # the demo has more to say
            self.terminal.say(steps_text(steps), as_is=True)


def _problem(outcome: Outcome) -> str:
    """Say on one line how an item did not end well; what to do about it follows once at the end, for all alike."""
    key = one_line(outcome.item.key, _KEY_CHARS)
    if isinstance(outcome, Saved):
        came = len(outcome.files)
        missing = f"{came:,} of {came + outcome.missing:,} files came; the gateway gave no more"
        return f"incomplete: {key}: {missing}" if outcome.missing else ""
    word = outcome_status(outcome).replace("_", " ")
    message = outcome.error.message
    said = message.partition(" failed: ")[2] or message  # ids and models are in the manifest
    return f"{word}: {key}: {one_line(said, _MESSAGE_CHARS)}"
