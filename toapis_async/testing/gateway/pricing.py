"""What a submission costs: pre-deducted by ``n`` (contract §5)."""

from decimal import Decimal

from toapis_async.testing.gateway import offers
from toapis_async.testing.gateway.pictures import resolution_of
from toapis_async.testing.gateway.reading import Submission
from toapis_async.testing.scenario.settings import Scenario

_DEFAULT_SECONDS = 5


def price_of(wish: Submission, scenario: Scenario) -> Decimal:
    """USD for all the images of a submission, or for its video."""
    n = wish.body.get("n", 1)
    seconds = wish.body.get("duration", _DEFAULT_SECONDS)
    one = offers.price(
        wish.model,
        resolution=resolution_of(wish.body, wish.model) or "1K",
        seconds=int(seconds) if isinstance(seconds, int | float) else _DEFAULT_SECONDS,
        otherwise=scenario.price_usd,
    )
    return one * (n if isinstance(n, int) else 1)
