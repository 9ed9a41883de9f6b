"""``client.account``."""

from toapis_async.client.gateway import Gateway
from toapis_async.values.account import Balance
from toapis_async.wire.account_decoding import balance_from
from toapis_async.wire.encoding import balance


class Account:
    """``client.account``: what is left and what was used."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def balance(self) -> Balance:
        """Return what is left to this key and what it has used.

        Raises:
            ToAPIsError: it could not be asked; the gateway reports failures under 200 as well.

        """
        return await self._gateway.ask(balance(), balance_from, asked_for="the balance")

    async def user_balance(self) -> Balance:
        """Return the same for the user that owns the key, all keys together.

        Raises:
            ToAPIsError: it could not be asked.

        """
        return await self._gateway.ask(balance(user=True), balance_from, asked_for="the user's balance")
