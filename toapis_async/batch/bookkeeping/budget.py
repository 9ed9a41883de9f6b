"""What a session may spend."""

from decimal import Decimal

import attrs

from toapis_async.batch.bookkeeping.tally import Tally
from toapis_async.batch.outcomes import Item
from toapis_async.errors import BudgetExceededError, ConfigurationError, ToAPIsError
from toapis_async.policy.requests.pricing import estimate
from toapis_async.values.catalogue import Catalogue
from toapis_async.values.requests import GenerationRequest


def expected_cost(
    request: GenerationRequest, catalogue: Catalogue, unlisted_price_usd: Decimal | None = None
) -> Decimal | None:
    """Return what a request is expected to cost, in USD, or None where that is not known.

    Args:
        request: the request.
        catalogue: knows prices.
        unlisted_price_usd: what an output costs whose price the catalogue does not know; None for unknown.

    """
    known = estimate(request, catalogue)
    if known is not None or unlisted_price_usd is None:
        return known
    return unlisted_price_usd * int(getattr(request, "n", 1))


@attrs.define(kw_only=True, eq=False, repr=False)
class Budget:
    """A cap on what was spent, and on what accepted, unknown and planned items are estimated to cost.

    Attributes:
        max_cost_usd: the cap; None for none.
        catalogue: knows prices.
        tally: knows what is committed so far.
        unlisted_price_usd: what an output costs whose price the catalogue does not know; None for unknown.

    """

    max_cost_usd: Decimal | None
    catalogue: Catalogue
    tally: Tally
    unlisted_price_usd: Decimal | None = None

    def estimate(self, request: GenerationRequest) -> Decimal | None:
        """Return what a request will cost, in USD, or None where no price is known."""
        return expected_cost(request, self.catalogue, self.unlisted_price_usd)

    def admits(self, estimate: Decimal | None) -> bool:
        """Whether one more item of that estimate fits; with a cap, an unknown price never does."""
        if self.max_cost_usd is None:
            return True
        # Against what is projected, not spent: items in flight would otherwise pass the cap together.
        return estimate is not None and self.tally.projected_usd + estimate <= self.max_cost_usd

    def keeps(self, estimate: Decimal | None) -> bool:
        """Whether there is room for an item that is counted already."""
        if self.max_cost_usd is None:
            return True
        # Its own estimate is in the sum already; adding it again would count it twice.
        return estimate is not None and self.tally.projected_usd <= self.max_cost_usd

    def exceeded(self, item: Item) -> ToAPIsError:
        """Make the error for an item that does not fit."""
        if self.estimate(item.request) is None:
            return ConfigurationError(
                f"max_cost_usd is set, but no price is known for model {item.request.model!r}.",
                hint="Say what an output costs (unlisted_price_usd, --price), or leave the cap out.",
            )
        return BudgetExceededError(
            f"The next item ({item.key!r}) would pass the cap of {self.max_cost_usd} USD; "
            f"{self.tally.spent_usd} USD are spent and {self.tally.committed_usd} USD committed, by all runs here.",
            hint="What was accepted is finished and kept. Raise max_cost_usd (--max-cost) to go on.",
        )
