"""The simulator's own client: the library on the simulator's clock."""

import pytest

from toapis_async.errors import AuthenticationError, ConfigurationError
from toapis_async.testing import Simulator


async def test_it_makes_an_image_in_no_time():
    """The documented patience, at fifty times the speed."""
    async with Simulator("calm", speed=100) as sim, sim.client() as client:
        task = await client.images.generate(prompt="a fox", size="1:1")

        assert task.completed
        assert sim.books.by_prompt["a fox"].net_charges == 1


async def test_it_can_be_anybody():
    """Another key, right or wrong."""
    async with Simulator("instant", speed=100) as sim:
        async with sim.client(api_key=sim.add_account(balance_usd=1)) as client:
            assert (await client.account.balance()).remaining_usd == 1
        async with sim.client(api_key="sk-" + "x" * 48) as client:
            with pytest.raises(AuthenticationError):
                await client.account.balance()


async def test_tls_is_not_for_it():
    """The message says what to do instead."""
    async with Simulator(tls=True) as sim:
        with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
            sim.client()
