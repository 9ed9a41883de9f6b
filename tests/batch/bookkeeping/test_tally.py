"""Counting a run: items and money."""

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.batch.bookkeeping.tally import ZERO, ItemAccount, Tally, stage_of
from toapis_async.batch.outcomes import Failed, Item, Saved, Unfinished
from toapis_async.errors import StorageError, SubmissionUnknownError, TaskFailedError, TaskTimeoutError
from toapis_async.values.records import ItemRecord, ItemState
from toapis_async.values.requests import ImageRequest
from toapis_async.values.tasks import Billing, GenerationTask, TaskStatus

ITEM = Item(key="a", request=ImageRequest("a fox"))
PRICE = Decimal("0.02")
COST = Decimal("0.03")
TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.COMPLETED)
CHARGED = attrs.evolve(TASK, billing=Billing(status="settled", cost_usd=COST))
UNKNOWN = SubmissionUnknownError("?", client_business_id="ours-1")


def record(state, cost=None):
    return ItemRecord(key="a", state=state, attempt=1, client_business_id="ours-1", request=ITEM.request, cost_usd=cost)


def money(tally):
    return tally.spent_usd, tally.committed_usd, tally.projected_usd


@pytest.fixture
def account():
    """An item that was taken in and not sent."""
    tally = Tally()
    tally.add("planned", PRICE)
    return ItemAccount(tally=tally, estimate=PRICE, stage="planned", amount=PRICE)


def test_money_goes_from_projected_to_committed_to_spent(account):
    """An item is projected when taken in, committed when it may be accepted, and spent when its cost is told."""
    seen = [money(account.tally)]
    for state, cost in ((ItemState.INTENDED, None), (ItemState.ACCEPTED, None), (ItemState.FINISHED, "0.03")):
        account.follow(record(state, cost))
        seen.append(money(account.tally))

    assert seen == [(ZERO, ZERO, PRICE), (ZERO, PRICE, PRICE), (ZERO, PRICE, PRICE), (COST, COST, COST)]


def test_the_first_settled_cost_does_not_make_the_others_forgotten():
    """Of fifty tasks in flight one is settled: what is committed stays what fifty cost."""
    tally = Tally()
    accounts = [ItemAccount(tally=tally, estimate=PRICE) for _ in range(50)]
    for one in accounts:
        one.follow(record(ItemState.ACCEPTED))
    accounts[0].follow(record(ItemState.FINISHED, str(PRICE)))

    assert money(tally) == (PRICE, 50 * PRICE, 50 * PRICE)


def test_a_cost_that_is_not_told_is_not_zero(account):
    """Without a cost the estimate stays committed and nothing counts as spent."""
    account.follow(record(ItemState.SAVED))
    assert money(account.tally) == (ZERO, PRICE, PRICE)


def test_what_was_refused_is_not_committed(account):
    """An attempt that was not accepted is planned again, and free once it is given up."""
    account.follow(record(ItemState.INTENDED))
    account.follow(record(ItemState.OPEN))
    assert money(account.tally) == (ZERO, ZERO, PRICE)
    account.give_back()
    assert money(account.tally) == (ZERO, ZERO, ZERO)


@pytest.mark.parametrize(("cost", "spent"), [(None, ZERO), ("0.03", COST)])
def test_a_failed_task_is_refunded_unless_it_says_otherwise(account, cost, spent):
    """A failed task frees its estimate, or costs what the gateway says."""
    account.follow(record(ItemState.ACCEPTED))
    account.follow(record(ItemState.FAILED, cost))
    assert (spent, spent, spent) == money(account.tally)


def test_what_is_committed_is_not_given_back(account):
    """A late or unknown task keeps its estimate when the run gives it up."""
    account.follow(record(ItemState.ACCEPTED))
    account.give_back()
    assert money(account.tally) == (ZERO, PRICE, PRICE)


def test_what_was_spent_stays_spent_while_its_files_are_fetched_again(account):
    """Files that are gone are looked up again without money becoming unspent."""
    account.follow(record(ItemState.SAVED, "0.03"))
    account.follow(record(ItemState.ACCEPTED))
    assert money(account.tally) == (COST, COST, COST)


def test_what_has_no_price_is_counted_apart():
    """An item without a known price is in no sum, and is said to be, until its cost is told."""
    tally = Tally()
    account = ItemAccount(tally=tally, estimate=None)
    account.follow(record(ItemState.ACCEPTED))
    assert (tally.unestimated, tally.projected_usd) == (1, ZERO)
    account.follow(record(ItemState.FINISHED, "0.03"))
    assert (tally.unestimated, tally.spent_usd) == (0, COST)


def test_items_are_counted_by_how_they_ended():
    """Paid and unfinished, unknown, not sent, and saved with fewer files are different things."""
    tally = Tally()
    late = TaskTimeoutError("late", task=TASK)
    for outcome in (
        Saved(item=ITEM, files=(), task=CHARGED, cost=COST),
        Saved(item=ITEM, files=(), missing=1, task=TASK),
        Saved(item=ITEM, files=(), resumed=True),
        Failed(item=ITEM, error=TaskFailedError("no", task=TASK), task=TASK),
        Unfinished(item=ITEM, error=late, task=TASK),
        Unfinished(item=ITEM, error=UNKNOWN),
        Unfinished(item=ITEM, error=StorageError("full"), sent=False),
    ):
        tally.ended(outcome)

    assert (tally.saved, tally.skipped, tally.failed) == (2, 1, 1)
    assert (tally.unfinished, tally.unknown, tally.not_sent, tally.short) == (2, 1, 1, 1)
    assert (tally.unpriced, tally.cost_usd) == (1, COST)


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.lists(st.sampled_from([(state, cost) for state in ItemState for cost in (None, "0.03")]), max_size=5),
        )
    )
)
def test_sums_never_drift(items):
    """However records change, each sum is that of what each item stands at."""
    tally = Tally()
    accounts = []
    for priced, states in items:
        account = ItemAccount(tally=tally, estimate=PRICE if priced else None)
        for state, cost in states:
            account.follow(record(state, cost))
        accounts.append(account)

    def summed(stage):
        return sum((one.amount for one in accounts if one.stage == stage and one.amount is not None), ZERO)

    assert tally.spent_usd == summed("spent")
    assert tally.pending_usd == summed("pending")
    assert tally.planned_usd == summed("planned")
    assert sum(one.amount is None and one.stage != "free" for one in accounts) == tally.unestimated


def test_where_an_item_stands_before_its_first_attempt():
    """Nothing in the journal is nothing at the gateway."""
    assert stage_of(None, PRICE) == ("planned", PRICE)
