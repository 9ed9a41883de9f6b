"""Keys, and the endpoint that makes more of them."""

import string
from collections.abc import Mapping
from random import Random

from toapis_async.testing.gateway.accounts.account import CREDITS_PER_USD, Account
from toapis_async.testing.gateway.replies.answers import Answer, json_answer
from toapis_async.testing.gateway.replies.refusals import not_a_success
from toapis_async.testing.gateway.state import Gateway

_ALPHABET = string.ascii_letters + string.digits
_LONGEST_NAME = 50
_QUOTA_PER_USD = 500_000


def new_key(rng: Random) -> str:
    """``sk-`` and 48 characters."""
    return "sk-" + "".join(rng.choices(_ALPHABET, k=48))


def new_token(gateway: Gateway, account: Account, body: Mapping[str, object], rng: Random, number: int) -> Answer:
    """Another key of the same user; it is shown this once, without its ``sk-``."""
    name = str(body.get("name", ""))
    if len(name) > _LONGEST_NAME:
        return not_a_success("令牌名称过长", http_status=200)
    key = new_key(rng)
    gateway.accounts[key] = account
    quota = body.get("remain_quota", _QUOTA_PER_USD)
    quota = quota if isinstance(quota, int) else _QUOTA_PER_USD
    now = int(gateway.clock.now())
    data = {
        "id": number,
        "user_id": account.user_id,
        "key": key.removeprefix("sk-"),
        "status": 1,
        "name": name,
        "created_time": now,
        "accessed_time": now,
        "expired_time": -1,
        "remain_quota": quota,
        "remain_credits": quota * CREDITS_PER_USD // _QUOTA_PER_USD,
        "unlimited_quota": False,
        "used_quota": 0,
        "used_credits": 0,
        "daily_credits": 0,
        "monthly_credits": 0,
        "model_limits_enabled": False,
        "model_limits": "",
        "group": "",
        "cross_group_retry": False,
    }
    return json_answer({"success": True, "message": "", "credits_per_usd": CREDITS_PER_USD, "data": data})
