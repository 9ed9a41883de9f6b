"""From the gateway's replies about an account to values: what it has left, and which models it is offered.

As ``wire.decoding``, which is about what is made.
"""

from decimal import Decimal

from toapis_async.values.account import Balance
from toapis_async.values.exchange import HttpReply
from toapis_async.values.listed import ListedModel
from toapis_async.wire.complaints import complaint_in
from toapis_async.wire.failures import error_from
from toapis_async.wire.json_objects import JsonObject, object_in, says_no, unreadable
from toapis_async.wire.scalars import decimal_of, id_of, moment_of, name_of

_CREDITS_PER_USD = Decimal(200)


def balance_from(reply: HttpReply) -> Balance:
    """Read a balance. USD are reckoned from credits: the unit of ``remain_balance`` depends on the site's settings.

    Raises:
        APIStatusError: ``success: false`` under 200, as its nearest kind.
        UnreadableReplyError: no amount in it.

    """
    whole = object_in(reply, promised="a balance")
    if says_no(whole):
        raise error_from(reply, asked_for="the balance", now=0.0, submission=False)
    data = whole.get("data")
    said: JsonObject = data if type(data) is dict else whole
    remaining, used = decimal_of(said.get("remain_credits")), decimal_of(said.get("used_credits"))
    remaining_usd, used_usd = decimal_of(said.get("remain_balance")), decimal_of(said.get("used_balance"))
    if (remaining, used, remaining_usd, used_usd) == (None, None, None, None):
        raise unreadable(reply, promised="a balance", said=complaint_in(whole).message)
    unlimited = said.get("unlimited_quota") in {True, "true", "True"} if _is_flag(said) else remaining_usd == -1
    per_usd = decimal_of(said.get("credits_per_usd"))
    per_usd = per_usd if per_usd is not None and per_usd > 0 else _CREDITS_PER_USD
    return Balance(
        remaining_usd=None if unlimited else _usd(remaining, per_usd, remaining_usd),
        used_usd=_usd(used, per_usd, used_usd),
        remaining_credits=remaining,
        used_credits=used,
        unlimited=unlimited,
    )


def models_from(reply: HttpReply) -> tuple[ListedModel, ...]:
    """Read the model list, in the gateway's order; rows without an id are left out.

    Raises:
        APIStatusError: ``success: false`` under 200, as its nearest kind.
        UnreadableReplyError: no list in it.

    """
    whole = object_in(reply, promised="a model list")
    if says_no(whole):
        raise error_from(reply, asked_for="the model list", now=0.0, submission=False)
    rows = whole.get("data")
    if type(rows) is not list:
        raise unreadable(reply, promised="a model list", said=complaint_in(whole).message)
    return tuple(model for row in rows if type(row) is dict and (model := _listed(row)) is not None)


def _is_flag(said: JsonObject) -> bool:
    return type(said.get("unlimited_quota")) in {bool, str}


def _usd(credits_said: Decimal | None, per_usd: Decimal, usd_said: Decimal | None) -> Decimal | None:
    return usd_said if credits_said is None else credits_said / per_usd


def _listed(row: JsonObject) -> ListedModel | None:
    model = id_of(row.get("id"))
    if model is None:
        return None
    types = row.get("supported_endpoint_types")
    names = [name_of(value) for value in types] if type(types) is list else []
    return ListedModel(
        id=model,
        owned_by=name_of(row.get("owned_by")),
        endpoint_types=tuple(name for name in names if name is not None),
        created_at=moment_of(row.get("created")),
    )
