"""What a session may spend."""

from decimal import Decimal

import pytest

from toapis_async.batch.bookkeeping.budget import Budget
from toapis_async.batch.bookkeeping.tally import Tally
from toapis_async.batch.outcomes import Item
from toapis_async.errors import BudgetExceededError, ConfigurationError
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.requests import ImageRequest

PRICED = ImageRequest("a fox")
UNPRICED = ImageRequest("a fox", model="nobody-knows")


def budget(cap):
    return Budget(max_cost_usd=cap, catalogue=packaged_catalogue(), tally=Tally())


def test_without_a_cap_everything_fits():
    """No cap, no question, whatever the price."""
    free = budget(None)
    assert free.admits(None)
    assert free.admits(Decimal(10**9))


def test_the_cap_is_reached_exactly():
    """As many fit as the cap pays for, to the last cent, and not one more."""
    capped = budget(Decimal("0.10"))
    admitted = 0
    while capped.admits(Decimal("0.02")):
        capped.tally.add("planned", Decimal("0.02"))
        admitted += 1
    assert (5, Decimal("0.10")) == (admitted, capped.tally.projected_usd)


def test_an_unknown_price_never_fits_a_cap():
    """What has no known price could cost anything."""
    assert not budget(Decimal(10**9)).admits(budget(None).estimate(UNPRICED))
    assert budget(None).estimate(PRICED) > 0


@pytest.mark.parametrize(
    ("request_", "kind", "words"),
    [(PRICED, BudgetExceededError, "cap of 1 USD"), (UNPRICED, ConfigurationError, "nobody-knows")],
)
def test_the_error_says_what_to_do(request_, kind, words):
    """A reached cap and a missing price are different mistakes with different advice."""
    error = budget(Decimal(1)).exceeded(Item(key="a", request=request_))
    assert type(error) is kind
    assert words in error.message
    assert error.hint


async def test_a_run_stops_at_its_cap(live, tmp_path):
    """Submission ends before the estimate passes the cap; what was accepted is saved, and the report says why."""
    async with live() as (sim, client):
        price = Budget(max_cost_usd=None, catalogue=client.catalogue, tally=Tally()).estimate(PRICED)
        async with client.session(tmp_path, max_cost_usd=price * 7, max_concurrency=3) as session:
            report = await session.run(ImageRequest(f"fox {number}") for number in range(50))
        assert isinstance(report.stopped_by, BudgetExceededError)
        assert not report.complete
        assert sim.books.posts == report.saved >= 7
        assert report.projected_usd <= price * 7
        async with client.session(tmp_path, max_cost_usd=report.cost_usd) as session:
            again = await session.run(ImageRequest(f"fox {number}") for number in range(50))
        assert report.saved == again.skipped
        assert sim.books.posts == report.saved


async def test_a_model_without_a_price_stops_a_capped_run(live, tmp_path):
    """With a cap, a model of unknown price is a setting to mend, and nothing is sent."""
    async with live() as (sim, client), client.session(tmp_path, max_cost_usd=5) as session:
        with pytest.raises(ConfigurationError, match="nobody-knows"), pytest.warns(UserWarning, match="nobody-knows"):
            await session.run([UNPRICED])
        assert sim.books.posts == 0
