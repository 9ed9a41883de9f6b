"""From the gateway's 2xx replies to values. Tolerant of form, strict about facts: what is missing stays None.

Contract §2.1-2.5 and §8. A reply that is not what was promised raises ``UnreadableReplyError``; one that says
``success: false`` under 200 raises what it means.
"""

from decimal import Decimal

from toapis_async.values.account import Balance
from toapis_async.values.exchange import HttpReply
from toapis_async.values.listed import ListedModel
from toapis_async.values.tasks import GenerationTask, Kind
from toapis_async.values.uploads import Upload
from toapis_async.wire.complaints import complaint_in
from toapis_async.wire.failures import error_from, upload_refused
from toapis_async.wire.reading import JsonObject, object_in, unreadable
from toapis_async.wire.scalars import decimal_of, id_of, moment_of, name_of, size_of
from toapis_async.wire.tasks import address_of, task_in

_CREDITS_PER_USD = Decimal(200)


def task_from(reply: HttpReply, *, kind: Kind, asked: str | None = None) -> GenerationTask:
    """Read a task from the reply to a submission or to a look.

    Args:
        reply: with a 2xx status.
        kind: the endpoint's; replies do not say it reliably.
        asked: the id that we looked up, for replies that leave it out; None for a submission, whose reply must
            name the task.

    Raises:
        UnreadableReplyError: no task in it. After a submission that says nothing about whether there is one.

    """
    whole = object_in(reply, promised="a task")
    task = task_in(whole, kind=kind, asked=asked)
    if task is None:
        raise unreadable(reply, promised="a task with an id", said=complaint_in(whole).message)
    return task


def upload_from(reply: HttpReply) -> Upload:
    """Read an upload.

    Raises:
        InvalidRequestError: ``success: false`` under 200: the file was refused.
        UnreadableReplyError: no address in it.

    """
    whole = object_in(reply, promised="an upload")
    if _says_no(whole):
        raise upload_refused(reply)
    data = whole.get("data")
    said: JsonObject = data if type(data) is dict else whole
    url = address_of(said.get("url"))
    if url is None:
        raise unreadable(reply, promised="an upload with an address", said=complaint_in(whole).message)
    return Upload(
        id=id_of(said.get("id")),
        url=url,
        mime_type=name_of(said.get("mime_type")),
        size_bytes=size_of(said.get("size")),
    )


def balance_from(reply: HttpReply) -> Balance:
    """Read a balance. USD are reckoned from credits: the unit of ``remain_balance`` depends on the site's settings.

    Raises:
        APIStatusError: ``success: false`` under 200, as its nearest kind.
        UnreadableReplyError: no amount in it.

    """
    whole = object_in(reply, promised="a balance")
    if _says_no(whole):
        raise error_from(reply, asked_for="the balance", now=0.0)
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
    if _says_no(whole):
        raise error_from(reply, asked_for="the model list", now=0.0)
    rows = whole.get("data")
    if type(rows) is not list:
        raise unreadable(reply, promised="a model list", said=complaint_in(whole).message)
    return tuple(model for row in rows if type(row) is dict and (model := _listed(row)) is not None)


def _says_no(whole: JsonObject) -> bool:
    return whole.get("success") is False or (type(whole.get("error")) is dict and "data" not in whole)


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
