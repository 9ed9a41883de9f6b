"""Balances and model lists, also odd ones."""

import json
from decimal import Decimal

import pytest

from toapis_async.values.exchange import HttpReply
from toapis_async.wire.account_decoding import balance_from, models_from


def reply(body):
    """Make a reply from a value."""
    return HttpReply(200, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "remaining_usd", "unlimited"),
    [
        ({"remain_credits": 100}, "0.5", False),
        ({"remain_credits": "100", "credits_per_usd": "400"}, "0.25", False),
        ({"remain_credits": 100, "credits_per_usd": 0}, "0.5", False),
        ({"remain_credits": -20}, "-0.1", False),
        ({"remain_balance": 1.1}, "1.1", False),
        ({"remain_balance": -1}, None, True),
        ({"remain_balance": -1, "unlimited_quota": False}, "-1", False),
        ({"remain_balance": 5, "unlimited_quota": "true"}, None, True),
        ({"used_credits": 1, "remain_balance": "NaN"}, None, False),
        ({"success": True, "data": {"remain_credits": 200}}, "1", False),
    ],
)
def test_balances(body, remaining_usd, unlimited):
    """USD come from credits; -1 and the flag mean unlimited; what is not said is None."""
    balance = balance_from(reply(body))

    assert (None if remaining_usd is None else Decimal(remaining_usd)) == balance.remaining_usd
    assert unlimited is balance.unlimited


def test_a_model_list_with_odd_rows():
    """Rows without an id are left out, odd facts are not said."""
    rows = [{"id": "a", "owned_by": 1, "supported_endpoint_types": "x"}, {"id": ""}, {}, None, "b", {"id": "c"}]

    models = models_from(reply({"data": [*rows, {"id": "d", "supported_endpoint_types": ["x", None, 2]}]}))

    assert [model.id for model in models] == ["a", "c", "d"]
    assert [model.endpoint_types for model in models] == [(), (), ("x", "2")]


def test_an_empty_model_list():
    """No model of a type is an answer."""
    assert models_from(reply({"data": []})) == ()
