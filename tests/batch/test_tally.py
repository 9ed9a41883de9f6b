"""Counting a run: items and money."""

from decimal import Decimal

import attrs
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.batch.outcomes import Failed, Item, Saved, Unfinished
from toapis_async.batch.tally import ZERO, Tally
from toapis_async.errors import SubmissionUnknownError, TaskFailedError, TaskTimeoutError
from toapis_async.values.requests import ImageRequest
from toapis_async.values.tasks import Billing, GenerationTask, TaskStatus

ITEM = Item(key="a", request=ImageRequest("a fox"))
PRICE = Decimal("0.02")
TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.COMPLETED)
CHARGED = attrs.evolve(TASK, billing=Billing(status="settled", cost_usd=Decimal("0.03")))


def counted(outcome, *, estimate=PRICE, sent=True):
    tally = Tally()
    tally.plan(estimate)
    tally.ended(outcome, estimate, sent=sent)
    return tally


def test_a_saved_item_costs_what_the_gateway_says():
    """The estimate is replaced by the true cost."""
    tally = counted(Saved(item=ITEM, files=(), task=CHARGED, cost=Decimal("0.03")))
    assert (1, Decimal("0.03"), Decimal("0.03")) == (tally.saved, tally.cost_usd, tally.committed_usd)


def test_a_cost_that_is_not_told_is_not_zero():
    """Without a cost the estimate stands, and the item is counted as unpriced."""
    tally = counted(Saved(item=ITEM, files=(), task=TASK))
    assert (tally.saved, tally.unpriced, tally.cost_usd, tally.committed_usd) == (1, 1, ZERO, PRICE)


def test_a_skipped_item_costs_nothing_now():
    """What an earlier run saved is skipped and adds nothing."""
    tally = Tally()
    tally.ended(Saved(item=ITEM, files=(), resumed=True), None, sent=False)
    assert (tally.saved, tally.skipped, tally.committed_usd) == (0, 1, ZERO)


def test_a_failed_task_is_refunded_unless_it_says_otherwise():
    """A failed task frees its estimate, or costs what the gateway says."""
    error = TaskFailedError("no", task=TASK)
    assert counted(Failed(item=ITEM, error=error, task=TASK)).committed_usd == ZERO
    assert Decimal("0.03") == counted(Failed(item=ITEM, error=error, task=CHARGED)).committed_usd


def test_an_unfinished_item_stays_committed_if_it_was_sent():
    """A late or unknown task keeps its estimate; one that was never sent frees it."""
    late = Unfinished(item=ITEM, error=TaskTimeoutError("late", task=TASK), task=TASK)
    unknown = Unfinished(item=ITEM, error=SubmissionUnknownError("?", client_business_id="ours-1"))
    assert counted(late).committed_usd == PRICE
    tally = counted(unknown)
    assert (tally.unfinished, tally.unknown, tally.committed_usd) == (1, 1, PRICE)
    assert counted(late, sent=False).committed_usd == ZERO


def test_what_has_no_price_is_counted_apart():
    """An item without a known price is in no sum, and is said to be."""
    tally = Tally()
    tally.plan(None)
    assert (tally.unestimated, tally.committed_usd) == (1, ZERO)
    tally.ended(Saved(item=ITEM, files=(), task=CHARGED, cost=Decimal("0.03")), None, sent=True)
    assert (0, Decimal("0.03")) == (tally.unestimated, tally.committed_usd)


def test_earlier_runs_count_by_their_cost():
    """What an earlier run spent counts with its cost where it is known, else with the estimate."""
    tally = Tally()
    tally.spent_before("0.5", PRICE)
    tally.spent_before(None, PRICE)
    tally.spent_before(None, None)
    assert (Decimal("0.52"), 1) == (tally.committed_usd, tally.unestimated)


@given(st.lists(st.tuples(st.sampled_from(["saved", "dear", "failed", "unsent", "late"]), st.booleans())))
def test_sums_never_drift(ends):
    """However items end, what is committed is the sum of what each one costs or may cost."""
    tally, expected = Tally(), ZERO
    for how, priced in ends:
        estimate = PRICE if priced else None
        tally.plan(estimate)
        outcome, cost = {
            "saved": (Saved(item=ITEM, files=(), task=TASK), estimate or ZERO),
            "dear": (Saved(item=ITEM, files=(), task=CHARGED, cost=Decimal("0.03")), Decimal("0.03")),
            "failed": (Failed(item=ITEM, error=TaskFailedError("no", task=TASK), task=TASK), ZERO),
            "unsent": (Unfinished(item=ITEM, error=TaskTimeoutError("x", task=TASK)), ZERO),
            "late": (Unfinished(item=ITEM, error=TaskTimeoutError("x", task=TASK), task=TASK), estimate or ZERO),
        }[how]
        tally.ended(outcome, estimate, sent=how != "unsent")
        expected += cost
    assert expected == tally.committed_usd
    assert len(ends) == tally.saved + tally.failed + tally.unfinished
