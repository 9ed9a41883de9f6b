"""The metrics that OpenTelemetry is given: the same figures as ``Metrics``, by model, label and kind of error."""

from collections.abc import Mapping

from opentelemetry.metrics import Meter
from opentelemetry.util.types import AttributeValue

from toapis_async.errors import RateLimitError, ToAPIsError
from toapis_async.ports.events import AttemptSettled, TaskFinished, TaskLookedAt, TransferDone
from toapis_async.telemetry.spans import Work, error_attributes
from toapis_async.values.tasks import TaskStatus

Attributes = Mapping[str, AttributeValue]


class Instruments:
    """Counters and histograms of one meter; durations in seconds, sizes in bytes, cost in USD."""

    def __init__(self, meter: Meter) -> None:
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration", "s", "How long items and single calls took"
        )
        self._submissions = meter.create_counter("toapis.submissions", "{submission}", "Submissions, by what became")
        self._rate_limited = meter.create_counter("toapis.rate_limited", "{response}", "Requests answered with 429")
        self._in_flight = meter.create_up_down_counter("toapis.tasks.in_flight", "{task}", "Unfinished tasks")
        self._looks = meter.create_counter("toapis.looks", "{request}", "Times that a task's state was asked for")
        self._task_duration = meter.create_histogram("toapis.task.duration", "s", "From acceptance to known end")
        self._notice = meter.create_histogram("toapis.task.notice_delay", "s", "From a task's end until it was known")
        self._bytes = meter.create_counter("toapis.files.size", "By", "Bytes of files fetched and verified")
        self._cost = meter.create_counter("toapis.cost", "USD", "What completed tasks cost, as the gateway says")

    def settled(self, event: AttemptSettled, work: Work | None, common: Attributes) -> None:
        """Count a submission, and the task that came of it."""
        self._submissions.add(1, {**common, "toapis.result": event.result})
        self._refused(event.error, "submit")
        if event.result == "accepted" and work is not None and not work.ended:
            self._begin_flight(work)

    def looked_at(self, event: TaskLookedAt, common: Attributes) -> None:
        """Count a look."""
        self._looks.add(1, {**common, **error_attributes(event.error)})
        self._refused(event.error, "query")

    def finished(self, event: TaskFinished, work: Work | None, common: Attributes) -> None:
        """Count a finished task."""
        self.landed(work)
        labelled = {**common, "toapis.status": event.status.value}
        if event.seconds is not None:
            self._task_duration.record(event.seconds, labelled)
        if event.notice_seconds is not None:
            self._notice.record(event.notice_seconds, {**common, "toapis.told": event.told})
        if event.cost_usd is not None and event.status is TaskStatus.COMPLETED:
            label = getattr(event.request, "label", None)
            self._cost.add(float(event.cost_usd), {**common, **({"toapis.label": label} if label else {})})

    def transferred(self, event: TransferDone, common: Attributes) -> None:
        """Count a file."""
        self._bytes.add(event.bytes, common)

    def ended(self, work: Work, seconds: float, error: ToAPIsError | None, common: Attributes) -> None:
        """Count an item or call."""
        self.landed(work)
        self._duration.record(max(0.0, seconds), {**common, **error_attributes(error)})

    def landed(self, work: Work | None) -> None:
        """Hear that a task is not waited for any more."""
        if work is not None and work.in_flight:
            work.in_flight = False
            self._in_flight.add(-1)

    def _begin_flight(self, work: Work) -> None:
        if not work.in_flight:
            work.in_flight = True
            self._in_flight.add(1)

    def _refused(self, error: ToAPIsError | None, where: str) -> None:
        if isinstance(error, RateLimitError):
            self._rate_limited.add(1, {"toapis.request": where})
