"""Users of the simulated gateway: their keys, their money and their allowance."""

from decimal import Decimal

import attrs

from toapis_async.testing.gateway.accounts.buckets import Bucket
from toapis_async.testing.gateway.accounts.webhook_setup import WebhookSetup

CREDITS_PER_USD = 200


@attrs.define(eq=False)
class Account:
    """One user of the gateway; limits and money are the user's, whatever the key.

    Attributes:
        user_id: their number.
        balance_usd: what is left; None for unlimited.
        used_usd: what was spent, refunds taken off.
        submit, query: the buckets, None for no limit.
        webhook: where tasks are announced, or None.

    """

    user_id: int
    balance_usd: Decimal | None
    submit: Bucket | None
    query: Bucket | None
    used_usd: Decimal = Decimal(0)
    webhook: WebhookSetup | None = None

    def can_pay(self, usd: Decimal) -> bool:
        """Whether the balance covers it."""
        return self.balance_usd is None or self.balance_usd >= usd

    def move(self, usd: Decimal) -> None:
        """Charge, or pay back where it is negative."""
        self.used_usd += usd
        if self.balance_usd is not None:
            self.balance_usd -= usd

    def balance(self) -> dict[str, object]:
        """The balance document; an unlimited key says -1 and goes on counting."""
        unlimited = self.balance_usd is None
        left = Decimal(0) if self.balance_usd is None else self.balance_usd
        return {
            "success": True,
            "remain_balance": -1 if unlimited else number(left),
            "used_balance": number(self.used_usd),
            "remain_credits": number(left * CREDITS_PER_USD),
            "used_credits": number(self.used_usd * CREDITS_PER_USD),
            "credits_per_usd": CREDITS_PER_USD,
            "unlimited_quota": unlimited,
        }


def number(amount: Decimal) -> int | float:
    """A JSON number, whole where it can be."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def decimal_text(amount: Decimal) -> str:
    """As billing writes it: no exponent, no trailing zeros."""
    return format(amount.normalize(), "f") if amount else "0"
