"""What a client counts of itself, in single calls and sessions."""

from decimal import Decimal

import attrs
import pytest

from toapis_async import AsyncToAPIs, ImageRequest, Metrics, TaskStatus
from toapis_async.ports import events
from toapis_async.telemetry.counters import OTHER_LABELS, Counters
from toapis_async.testing import Fail, Fault, Refuse


async def test_calls_and_sessions_are_counted_together(live, tmp_path):
    """One client, one set of figures: what was sent, accepted, completed, saved, and what it cost by label."""
    async with live() as (sim, client):
        await client.images.generate(ImageRequest("a fox", label="ann"))
        async with client.session(tmp_path) as session:
            await session.run([ImageRequest("an owl", label="bob"), ImageRequest("an elk", label="bob")])
            during = client.metrics()
        found = client.metrics()
    price = sim.books.charged_usd / 3
    assert {"ann": price, "bob": 2 * price} == found.cost_usd
    assert sim.books.charged_usd == found.total_cost_usd
    assert (found.submissions, found.accepted, found.completed, found.saved, found.in_flight) == (3, 3, 3, 2, 0)
    assert (found.timed, found.noticed) == (3, 3)
    assert found.looks >= 3
    assert during == found


async def test_refusals_and_failures_are_counted(live):
    """A 429 is a submission that was not accepted, and is counted by itself; so is a task that fails."""
    faults = [
        Fault(where="submit", what=Refuse(reply="rate_limited", retry_after=0.2), nth=1),
        Fault(where="task", what=Fail(message="no"), nth=1),
    ]
    async with live(faults=faults) as (_, client):
        with pytest.raises(Exception, match="no"):
            await client.images.generate(prompt="a fox")
        found = client.metrics()
    assert (
        found.submissions,
        found.accepted,
        found.not_accepted,
        found.rate_limited,
        found.failed,
    ) == (2, 1, 1, 1, 1)
    assert Decimal(0) == found.total_cost_usd


def test_figures_are_values():
    """What was read does not change, and cannot be changed."""
    counters = Counters()
    counters.count(events.AttemptBegun, None, {})
    found = counters.metrics()
    counters.count(events.AttemptBegun, None, {})
    assert (found.submissions, counters.metrics().submissions) == (1, 2)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        found.submissions = 3
    with pytest.raises(TypeError):
        found.cost_usd["x"] = Decimal(1)


def test_a_new_client_has_done_nothing():
    """All figures begin at nought."""
    assert Metrics() == AsyncToAPIs(api_key="sk-x").metrics()


def test_labels_without_end_take_no_memory_without_end():
    """Whoever labels every request differently still has a bounded table, and no cost is lost from the sum."""
    counters, facts = Counters(), {"status": TaskStatus.COMPLETED, "cost_usd": Decimal("0.01")}
    for number in range(10_050):
        counters.count(events.TaskFinished, ImageRequest("x", label=f"tenant-{number}"), facts)
    found = counters.metrics()
    assert (10_001, Decimal("0.50")) == (len(found.cost_usd), found.cost_usd[OTHER_LABELS])
    assert Decimal("100.50") == found.total_cost_usd


def test_every_kind_of_event_can_be_counted():
    """Whatever is told can be counted, known or not."""
    counters = Counters()
    for kind in events.Event.__subclasses__():
        counters.count(kind, None, {"result": "accepted", "status": TaskStatus.FAILED, "bytes": 3})
    assert (counters.metrics().accepted, counters.metrics().bytes) == (1, 3)
