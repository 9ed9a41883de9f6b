"""2xx replies that are odd, and those that hold nothing."""

import json

import pytest

from toapis_async.errors import APIStatusError, AuthenticationError, InvalidRequestError, UnreadableReplyError
from toapis_async.values.exchange import HttpReply
from toapis_async.wire.account_decoding import balance_from, models_from
from toapis_async.wire.decoding import task_from, upload_from


def reply(body, http_status=200):
    """Make a reply from a value or from bytes."""
    return HttpReply(http_status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize("read", [lambda seen: task_from(seen, kind="image"), upload_from, balance_from, models_from])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><title>Welcome</title></html>", "HTML page came instead of .*: Welcome"),
        (b"", "empty body"),
        (b"not json", "not json"),
        (b"[]", r"\[\]"),
        (b"null", "null"),
        (b"{}", "{}"),
        (b'{"ok": true}', "ok"),
    ],
)
def test_what_was_not_promised_is_unreadable(read, body, words):
    """Pages, empty bodies, other types and empty objects raise with an excerpt and the next step."""
    with pytest.raises(UnreadableReplyError, match=words) as caught:
        read(reply(body, 201))
    assert caught.value.http_status == 201
    assert "client_business_id" in caught.value.hint


@pytest.mark.parametrize("asked", [None, "tsk_1"])
@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "message": "no such thing"},
        {"error": {"code": "x", "message": "no such thing"}},
        {"code": "fail", "message": "no such thing", "data": None},
    ],
)
def test_a_refusal_in_place_of_a_task_proves_nothing(body, asked):
    """Under 200 it is unreadable and not a refusal: the outcome of a submission stays unknown."""
    with pytest.raises(UnreadableReplyError, match="no such thing"):
        task_from(reply(body), kind="image", asked=asked)


@pytest.mark.parametrize(
    ("read", "body", "kind"),
    [
        (upload_from, {"success": False, "message": "?"}, InvalidRequestError),
        (upload_from, {"success": False, "message": "无效的令牌"}, AuthenticationError),
        (upload_from, {"error": {"message": "?"}}, InvalidRequestError),
        (balance_from, {"success": False}, APIStatusError),
        (balance_from, {"success": False, "message": "Invalid token"}, AuthenticationError),
        (models_from, {"success": False, "message": "?"}, APIStatusError),
    ],
)
def test_success_false_under_200(read, body, kind):
    """It raises what it means."""
    with pytest.raises(kind):
        read(reply(body))


def test_an_upload_without_its_wrapper():
    """The address may stand at the top, and its facts may be missing."""
    upload = upload_from(reply({"url": "https://files.toapis.com/u.png", "size": "12"}))

    assert (upload.id, upload.url, upload.size_bytes) == (None, "https://files.toapis.com/u.png", 12)
