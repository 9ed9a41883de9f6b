"""``OpenTelemetry``: an observer that makes traces and metrics of what it hears."""

from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.trace import TracerProvider, get_tracer

from toapis_async._version import __version__
from toapis_async.errors import ToAPIsError
from toapis_async.ports.events import (
    AttemptBegun,
    AttemptSettled,
    CallBegun,
    CallEnded,
    Event,
    HeldUp,
    ItemFailed,
    ItemSaved,
    ItemSkipped,
    ItemUnfinished,
    LimitChanged,
    SessionClosed,
    TaskFinished,
    TaskLate,
    TaskLookedAt,
    TransferBegun,
    TransferDone,
    TransferRetried,
)
from toapis_async.telemetry.instruments import Attributes, Instruments
from toapis_async.telemetry.spans import OPERATION, Spans, Work, common_attributes

_SCOPE = "toapis_async"


class OpenTelemetry:
    """Traces and measures: ``AsyncToAPIs(on_event=OpenTelemetry())``; needs the extra ``otel``.

    Each item of a session and each single call is a span below the span that was current where it was asked for.
    Attempts and transfers are spans below it; looks, hold-ups, lateness and the end of the task are its events. Names
    are those of the semantic conventions for generative AI where they have one, else they begin with ``toapis.``.
    Prompts, keys and addresses are in none of it. One of these can serve several clients.

    Args:
        tracer_provider, meter_provider: None for the global ones.

    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._spans = Spans(get_tracer(_SCOPE, __version__, tracer_provider))
        self._instruments = Instruments(get_meter(_SCOPE, __version__, meter_provider))

    def __call__(self, event: Event, /) -> None:
        """Hear one event."""
        match event:
            case CallBegun():
                self._spans.begin_call(event)
            case CallEnded(error=error):
                self._ended(event, self._spans.end_call(event), error)
            case ItemSaved() | ItemSkipped():
                outcome = "saved" if isinstance(event, ItemSaved) else "skipped"
                self._ended(event, self._spans.end_item(event, outcome, None), None)
            case ItemFailed(error=error) | ItemUnfinished(error=error):
                outcome = "failed" if isinstance(event, ItemFailed) else "unfinished"
                self._ended(event, self._spans.end_item(event, outcome, error), error)
            case SessionClosed():
                for left in self._spans.end_session(event):
                    self._instruments.landed(left)
            case _:
                work = self._spans.of(event)
                operation = OPERATION if work is None else work.operation
                common = common_attributes(event, operation)
                self._measure(event, work, common)
                if work is not None:
                    self._trace(event, work)

    def _ended(self, event: Event, work: Work | None, error: ToAPIsError | None) -> None:
        if work is not None:
            self._instruments.ended(work, event.at - work.began_at, error, common_attributes(event, work.operation))

    def _measure(self, event: Event, work: Work | None, common: Attributes) -> None:
        match event:
            case AttemptSettled():
                self._instruments.settled(event, work, common)
            case TaskLookedAt():
                self._instruments.looked_at(event, common)
            case TaskFinished():
                self._instruments.finished(event, work, common)
            case TransferDone():
                self._instruments.transferred(event, common)

    def _trace(self, event: Event, work: Work) -> None:
        spans = self._spans
        match event:
            case HeldUp(limit=limit):
                spans.note(work, event, "toapis.held_up", **{"toapis.limit": limit})
            case LimitChanged(limit=limit):
                spans.note(work, event, "toapis.limit_changed", **{"toapis.limit": limit, "toapis.after": event.after})
            case TaskLookedAt(status=status):
                spans.note(work, event, "toapis.look", **({} if status is None else {"toapis.status": status.value}))
            case TaskLate():
                spans.note(work, event, "toapis.late")
            case TaskFinished(status=status, told=told):
                spans.note(work, event, "toapis.finished", **{"toapis.status": status.value, "toapis.told": told})
            case _:
                self._trace_below(event, work)

    def _trace_below(self, event: Event, work: Work) -> None:
        spans, attempt = self._spans, ("attempt", event.attempt)
        match event:
            case AttemptBegun():
                spans.begin_child(work, event, attempt, "submit", **{"toapis.attempt": event.attempt or 1})
            case AttemptSettled(result="in_doubt"):
                spans.note(work, event, "toapis.in_doubt", attempt)
            case AttemptSettled(result=result):
                spans.end_child(work, event, attempt, **{"toapis.result": result})
                spans.accepted(work, event.task_id)
            case TransferBegun(index=index, host=host):
                spans.begin_child(work, event, ("file", index), "download file", **{"server.address": host})
            case TransferRetried(index=index):
                spans.note(work, event, "toapis.transfer_retried", ("file", index))
            case TransferDone(index=index):
                spans.end_child(work, event, ("file", index), **{"toapis.file.size": event.bytes})
