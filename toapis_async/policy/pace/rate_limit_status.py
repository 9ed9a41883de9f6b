"""What a reply says about the account's rate limits, in our words."""

from enum import Enum

import attrs


class Budget(Enum):
    """What a limit is about."""

    SUBMIT = "submit"
    QUERY = "query"
    CONCURRENCY = "concurrency"


@attrs.frozen(kw_only=True)
class RateLimitStatus:
    """One reply's rate headers; None where it says nothing, or nonsense.

    Attributes:
        budget: which limit it is about.
        limit: requests per some unit of time, or a bucket's size; the unit is not documented.
        window_seconds: the unit, when the header names it.
        remaining: requests that may follow at once.
        reset_seconds: from now until the budget is renewed.
        retry_after_seconds: how long the gateway asks to wait.

    """

    budget: Budget | None = None
    limit: float | None = None
    window_seconds: float | None = None
    remaining: float | None = None
    reset_seconds: float | None = None
    retry_after_seconds: float | None = None
