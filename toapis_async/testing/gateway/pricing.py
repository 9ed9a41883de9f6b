"""What a submission costs: pre-deducted by ``n``."""

from decimal import Decimal

from toapis_async.testing.gateway import model_list
from toapis_async.testing.gateway.pictures import resolution_of
from toapis_async.testing.gateway.request_parsing import Submission
from toapis_async.testing.scenario.settings import Scenario

_DEFAULT_SECONDS = 5


def price_of(submission: Submission, scenario: Scenario) -> Decimal:
    """USD for all the images of a submission, or for its video."""
    n = submission.body.get("n", 1)
    seconds = submission.body.get("duration", _DEFAULT_SECONDS)
    one = model_list.price(
        submission.model,
        resolution=resolution_of(submission.body, submission.model) or "1K",
        seconds=int(seconds) if isinstance(seconds, int | float) else _DEFAULT_SECONDS,
        otherwise=scenario.price_usd,
    )
    return one * (n if isinstance(n, int) else 1)
