"""The account's money, over mocked calls of aiohttp."""

import json
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from toapis_async import APIStatusError, AsyncToAPIs, AuthenticationError

SAMPLES = Path(__file__).parents[1] / "samples"
KEY = "sk-marker-0123456789"


def sample(name):
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def client():
    """A client on a lent session."""

    def make(http_session):
        return AsyncToAPIs(api_key=KEY, base_url="https://gateway.example", http_session=http_session)

    return make


async def test_the_balance_is_exact(client, mocked_calls):
    """Amounts are exact decimals, and the key goes along as a Bearer token."""
    mocked_calls.get("https://gateway.example/v1/balance", payload=sample("balance_token_ok"))
    async with aiohttp.ClientSession() as session, client(session) as opened:
        balance = await opened.account.balance()
    assert (Decimal("10.5"), Decimal("2.3")) == (balance.remaining_usd, balance.used_usd)
    ((call,),) = mocked_calls.requests.values()
    assert f"Bearer {KEY}" == call.kwargs["headers"]["Authorization"]
    assert call.kwargs["allow_redirects"] is False


async def test_the_users_balance_is_another_question(client, mocked_calls):
    """The balance of the user that owns the key has a path of its own."""
    mocked_calls.get("https://gateway.example/v1/user/balance", payload=sample("balance_user_ok"))
    async with aiohttp.ClientSession() as session, client(session) as opened:
        await opened.account.user_balance()


async def test_a_failure_under_200_is_one(client, mocked_calls):
    """The gateway reports a failed balance with status 200."""
    mocked_calls.get("https://gateway.example/v1/user/balance", payload=sample("balance_user_used_failed"))
    async with aiohttp.ClientSession() as session, client(session) as opened:
        with pytest.raises(APIStatusError, match="Failed to get used quota"):
            await opened.account.user_balance()


async def test_a_refused_key_is_not_tried_again(client, mocked_calls):
    """A 401 comes out after one question, and says which header and key it is about."""
    mocked_calls.get("https://gateway.example/v1/balance", status=401, payload=sample("error_401_unauthorized"))
    async with aiohttp.ClientSession() as session, client(session) as opened:
        with pytest.raises(AuthenticationError) as caught:
            await opened.account.balance()
    assert caught.value.http_status == 401
    assert KEY not in str(caught.value)
    assert "key" in caught.value.hint
