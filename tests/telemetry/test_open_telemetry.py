"""Traces and metrics, read back from the SDK's own memory exporters."""

import asyncio

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from toapis_async import ImageRequest, TaskFailedError
from toapis_async.ports.events import TransferBegun, TransferDone
from toapis_async.telemetry import OpenTelemetry
from toapis_async.testing import Constant, Drop, Fail, Fault, Refuse

MODEL = "gemini-2.5-flash-image-preview"
SECRET = "a red fox with a secret"


@attrs.frozen
class Heard:
    """What arrived at the exporters."""

    observer: OpenTelemetry
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    tracer: object

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    def named(self, name):
        return [span for span in self.spans if span.name == name]

    def sums(self, name):
        """Value by the attributes that tell points apart."""
        found = {}
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == name:
                        for point in metric.data.data_points:
                            value = getattr(point, "value", None)
                            found[frozenset(point.attributes.items())] = point.count if value is None else value
        return found


@pytest.fixture
def heard():
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(shutdown_on_exit=False), MeterProvider([reader], shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    yield Heard(
        OpenTelemetry(tracer_provider=tracers, meter_provider=meters), exporter, reader, tracers.get_tracer("app")
    )
    tracers.shutdown()
    meters.shutdown()


async def test_a_call_is_a_span_below_its_callers(live, heard):
    """The call's span lies below the request's, its attempt below the call, and looks are its events."""
    async with live(client={"on_event": heard.observer}) as (_, client):
        with heard.tracer.start_as_current_span("GET /fox") as request:
            task = await client.images.generate(prompt=SECRET)
    (call,), (attempt,) = heard.named(f"generate_content {MODEL}"), heard.named("submit")
    assert request.get_span_context().span_id == call.parent.span_id
    assert call.context.span_id == attempt.parent.span_id
    assert {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "toapis",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.id": task.id,
        "toapis.verb": "generate",
    } == dict(call.attributes)
    assert {"toapis.look", "toapis.finished"} <= {event.name for event in call.events}
    assert SECRET not in "".join(span.to_json() for span in heard.spans)


async def test_two_callers_have_their_own_spans(live, heard, tmp_path):
    """Calls and jobs side by side end up below whoever asked for them, not below the first."""
    async with live(client={"on_event": heard.observer}) as (_, client), client.session(tmp_path) as session:

        async def ask(name):
            with heard.tracer.start_as_current_span(name):
                await client.images.generate(prompt=f"{name} alone")
                await (await session.submit(ImageRequest(f"{name} in line", id=name)))

        await asyncio.gather(ask("ann"), ask("bob"), ask("eve"))
    ids = {span.context.span_id: span.name for span in heard.spans}
    parents = [ids.get(span.parent and span.parent.span_id) for span in heard.named(f"generate_content {MODEL}")]
    assert sorted(parents) == ["ann", "ann", "bob", "bob", "eve", "eve"]


async def test_an_item_is_a_span_from_its_first_attempt_to_its_file(live, heard, tmp_path):
    """Each item has one span, with its key if the user gave it one, never a key made of the prompt."""
    async with live(client={"on_event": heard.observer}) as (_, client), client.session(tmp_path) as session:
        await session.run([ImageRequest(SECRET), ImageRequest("an owl", id="owl", label="bob")])
    items = heard.named(f"generate_content {MODEL}")
    assert sorted((span.attributes.get("toapis.item.key") for span in items), key=str) == [None, "owl"]
    assert {"saved"} == {span.attributes["toapis.outcome"] for span in items}
    shown = "".join(span.to_json() for span in heard.spans)
    assert "secret" not in shown
    assert sum(heard.sums("toapis.submissions").values()) == 2


async def test_trouble_is_told_by_kind(live, heard):
    """A refusal, a doubt and a failed task: one attempt each, marked, and the call carries the error's class."""
    faults = [
        Fault(where="submit", what=Refuse(reply="rate_limited", retry_after=0.2), nth=1),
        Fault(where="submit", what=Drop(after_acceptance=True), nth=2),
        Fault(where="task", what=Fail(message=SECRET), nth=1),
    ]
    async with live(faults=faults, client={"on_event": heard.observer}) as (_, client):
        with pytest.raises(TaskFailedError):
            await client.images.generate(prompt="a fox")
    refused, doubtful = heard.named("submit")
    assert tuple(refused.attributes[name] for name in ("toapis.result", "error.type", "http.response.status_code")) == (
        "not_accepted",
        "RateLimitError",
        429,
    )
    assert [event.name for event in doubtful.events] == ["toapis.in_doubt"]
    assert doubtful.attributes["toapis.result"] == "accepted"
    (call,) = heard.named(f"generate_content {MODEL}")
    assert (call.status.status_code, call.attributes["error.type"]) == (StatusCode.ERROR, "TaskFailedError")
    assert SECRET not in "".join(span.to_json() for span in heard.spans)
    assert {frozenset({("toapis.request", "submit")}): 1} == heard.sums("toapis.rate_limited")


async def test_tasks_in_flight_go_up_and_down(live, heard, tmp_path):
    """While tasks are waited for they are counted; a parked session counts none and ends its spans."""
    async with live(latency=Constant(600), client={"on_event": heard.observer}) as (_, client):
        session = client.session(tmp_path)
        async with session:
            jobs = [await session.submit(ImageRequest(f"fox {number}")) for number in range(3)]
            while any(job.state != "in_flight" for job in jobs):
                await asyncio.sleep(0.01)
            during, counted = sum(heard.sums("toapis.tasks.in_flight").values()), client.metrics().in_flight
            await session.park()
        after = sum(heard.sums("toapis.tasks.in_flight").values())
        assert (during, counted, after, client.metrics().in_flight) == (3, 3, 0, 0)
    spans = heard.named(f"generate_content {MODEL}")
    assert [span.attributes["toapis.outcome"] for span in spans] == ["unfinished"] * 3


async def test_an_abandoned_call_ends_its_spans(live, heard):
    """The caller goes away while the POST is under way: the call's span ends, the attempt's when it is known."""
    slow = Fault(where="submit", what=Drop(after_acceptance=True), nth=1)
    async with live(faults=[slow], client={"on_event": heard.observer}) as (_, client):
        call = asyncio.create_task(client.images.generate(prompt="a fox"))
        while not client.metrics().in_doubt:
            await asyncio.sleep(0.001)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        (span,) = heard.named(f"generate_content {MODEL}")
        assert span.attributes["toapis.outcome"] == "cancelled"
        while not client.abandoned:
            await asyncio.sleep(0.01)
    (attempt,) = heard.named("submit")
    assert attempt.attributes["toapis.result"] == "accepted"


def test_transfers_are_spans_of_their_own(heard):
    """A transfer has its host, its size and its time; bytes are summed."""
    common = {"key": "owl", "session": "out", "request": ImageRequest("x", id="owl")}
    heard.observer(TransferBegun(at=1.0, host="f.example", index=1, **common))
    heard.observer(TransferDone(at=3.0, host="f.example", index=1, bytes=7, seconds=2.0, **common))
    (span,) = heard.named("download file")
    assert dict(span.attributes) == {"server.address": "f.example", "toapis.file.size": 7}
    assert span.end_time - span.start_time == 2_000_000_000
    assert list(heard.sums("toapis.files.size").values()) == [7]


async def test_cost_is_summed_by_label(live, heard):
    """Each tenant's money is a series of its own."""
    async with live(client={"on_event": heard.observer}) as (_, client):
        await client.images.generate(ImageRequest("a fox", label="ann"))
        await client.images.generate(ImageRequest("an owl", label="bob"))
        known = client.metrics().cost_usd
    sums = {dict(names).get("toapis.label"): value for names, value in heard.sums("toapis.cost").items()}
    assert {label: pytest.approx(float(cost)) for label, cost in known.items()} == sums
