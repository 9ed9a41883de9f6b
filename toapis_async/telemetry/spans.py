"""Spans of items and single calls, with their attempts and transfers as children and what happens between as events.

No prompt, no key, no address and no word of the gateway is in any of them: errors are named by kind and status, items
by the ids that their user gave them.
"""

from collections import OrderedDict
from contextvars import ContextVar
from typing import TypeAlias

import attrs
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from toapis_async.errors import ToAPIsError
from toapis_async.ports.events import AttemptSettled, CallBegun, CallEnded, Event, TransferDone

About: TypeAlias = tuple[str, int | None]
"""What a span below an item or call is about: ``attempt`` or ``file``, and which."""

PROVIDER = "toapis"
OPERATION = "generate_content"

# Items that a run has dropped without a word, until their session is closed.
_MOST_OPEN = 100_000


@attrs.define(eq=False)
class Work:
    """One item or call that is traced.

    Attributes:
        span: of all of it.
        operation: what it is, by the semantic conventions.
        began_at: epoch seconds.
        children: open spans below it, by what they are about.
        outer: the call that made this call, or None.
        in_flight: whether a task of it is unfinished at the gateway.
        ended: whether the span has ended; a submission that was abandoned tells more.

    """

    span: Span
    operation: str
    began_at: float
    children: dict[About, Span] = attrs.field(factory=dict)
    outer: "Work | None" = None
    in_flight: bool = False
    ended: bool = False


_call: ContextVar[Work | None] = ContextVar("toapis_async_call", default=None)


class Spans:
    """Opens and ends spans.

    Args:
        tracer: makes them; each begins below whatever span is current where its item or call began.

    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._items: OrderedDict[tuple[str | None, str], Work] = OrderedDict()

    def of(self, event: Event) -> Work | None:
        """Return the work that an event is about, begun if this is the first that is heard of it."""
        if event.key is None:
            return _call.get()
        name = event.session, event.key
        work = self._items.get(name)
        if work is None:
            work = self._items[name] = self._begin(event, OPERATION)
            if len(self._items) > _MOST_OPEN:
                self._close(self._items.popitem(last=False)[1], event, outcome="unfinished")
        return work

    def begin_call(self, event: CallBegun) -> None:
        """Begin the span of a single call, and of whatever it calls in turn."""
        work = self._begin(event, OPERATION if event.verb in {"generate", "submit"} else event.verb)
        work.span.set_attribute("toapis.verb", event.verb)
        work.outer = _call.get()
        _call.set(work)

    def end_call(self, event: CallEnded) -> Work | None:
        """End the span of the call that this context is in."""
        work = _call.get()
        if work is not None:
            _call.set(work.outer)
            self._close(work, event, error=event.error, outcome="cancelled" if event.cancelled else "")
        return work

    def end_item(self, event: Event, outcome: str, error: ToAPIsError | None) -> Work:
        """End the span of an item; one that nothing was heard of before gets one all the same."""
        work = self.of(event)
        if work is None:
            raise RuntimeError("an item's event without a key")
        self._items.pop((event.session, event.key or ""), None)
        self._close(work, event, error=error, outcome=outcome)
        return work

    def end_session(self, event: Event) -> list[Work]:
        """End what a session left without an end, and return it."""
        left = [name for name in self._items if name[0] == event.session]
        works = [self._items.pop(name) for name in left]
        for work in works:
            self._close(work, event, outcome="unfinished")
        return works

    def _begin(self, event: Event, operation: str) -> Work:
        model = event.model
        span = self._tracer.start_span(
            operation if model is None else f"{operation} {model}",
            kind=SpanKind.CLIENT,
            start_time=_nanoseconds(event.at),
            attributes=common_attributes(event, operation) | _own_names(event),
        )
        return Work(span, operation, event.at)

    def _close(self, work: Work, event: Event, *, error: ToAPIsError | None = None, outcome: str = "") -> None:
        if outcome:
            work.span.set_attribute("toapis.outcome", outcome)
        for about in list(work.children):
            # A submission whose caller went away goes on, and ends by itself.
            if outcome != "cancelled" or about[0] != "attempt":
                work.children.pop(about).end(_nanoseconds(event.at))
        _mark(work.span, error)
        work.span.end(_nanoseconds(event.at))
        work.ended = True

    def begin_child(self, work: Work, event: Event, about: About, name: str, **facts: AttributeValue) -> None:
        """Begin a span below an item or call."""
        parent = set_span_in_context(work.span, Context())
        span = self._tracer.start_span(
            name, context=parent, kind=SpanKind.CLIENT, start_time=_nanoseconds(event.at), attributes=facts
        )
        work.children[about] = span

    def end_child(
        self, work: Work, event: AttemptSettled | TransferDone, about: About, **facts: AttributeValue
    ) -> None:
        """End a span below an item or call."""
        span = work.children.pop(about, None)
        if span is not None:
            span.set_attributes(facts)
            _mark(span, getattr(event, "error", None))
            span.end(_nanoseconds(event.at))

    def note(self, work: Work, event: Event, name: str, about: About | None = None, /, **facts: AttributeValue) -> None:
        """Add an event to a span: that of a child where one is open about this, else that of the item or call."""
        error: ToAPIsError | None = getattr(event, "error", None)
        span = work.span if about is None else work.children.get(about, work.span)
        if span is not work.span or not work.ended:
            span.add_event(name, facts | error_attributes(error), timestamp=_nanoseconds(event.at))

    def accepted(self, work: Work, task_id: str | None) -> None:
        """Name the gateway's task."""
        if task_id is not None and not work.ended:
            work.span.set_attribute("gen_ai.response.id", task_id)


def common_attributes(event: Event, operation: str) -> dict[str, AttributeValue]:
    """Give what the semantic conventions ask of spans and of metrics alike."""
    found: dict[str, AttributeValue] = {"gen_ai.operation.name": operation, "gen_ai.provider.name": PROVIDER}
    if event.model is not None:
        found["gen_ai.request.model"] = event.model
    return found


def error_attributes(error: ToAPIsError | None) -> dict[str, AttributeValue]:
    """Name an error by kind and status; its words may be the gateway's, and quote the prompt."""
    if error is None:
        return {}
    found: dict[str, AttributeValue] = {"error.type": type(error).__name__}
    status = getattr(error, "http_status", None)
    return found if status is None else found | {"http.response.status_code": status}


def _own_names(event: Event) -> dict[str, AttributeValue]:
    """Name the item as its user did; a key that we made has words of the prompt in it."""
    request, found = event.request, dict[str, AttributeValue]()
    if event.key is not None and getattr(request, "id", None) == event.key:
        found["toapis.item.key"] = event.key
    label = getattr(request, "label", None)
    if isinstance(label, str):
        found["toapis.label"] = label
    return found


def _mark(span: Span, error: ToAPIsError | None) -> None:
    if error is not None:
        span.set_attributes(error_attributes(error))
        span.set_status(StatusCode.ERROR, type(error).__name__)


def _nanoseconds(at: float) -> int:
    return int(at * 1e9)
