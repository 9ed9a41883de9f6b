"""The account's balance."""

from decimal import Decimal

import attrs


@attrs.frozen(kw_only=True)
class Balance:
    """What is left and what was used; 200 credits are 1 USD.

    Attributes:
        remaining_usd: None when unlimited or not said.
        used_usd: USD, or None when not said.
        remaining_credits, used_credits: credits, or None when not said.
        unlimited: whether the key has no quota of its own.

    """

    remaining_usd: Decimal | None
    used_usd: Decimal | None
    remaining_credits: Decimal | None
    used_credits: Decimal | None
    unlimited: bool = False
