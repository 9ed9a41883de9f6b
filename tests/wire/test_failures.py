"""Refusing replies become errors with their facts."""

import json
from decimal import Decimal

import pytest

from toapis_async.errors import (
    APIStatusError,
    AuthenticationError,
    InsufficientQuotaError,
    InvalidRequestError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from toapis_async.values.exchange import HttpReply
from toapis_async.values.tasks import Billing, GenerationTask, TaskFailure, TaskStatus
from toapis_async.wire.failures import error_from, retry_after_seconds, task_failed_error

NOW = 1791547200.0  # Fri, 09 Oct 2026 12:00:00 GMT


def refusal(http_status, body, **headers):
    """Decode a refusal."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = HttpReply(http_status, {name.replace("_", "-"): value for name, value in headers.items()}, sent)
    return error_from(reply, asked_for="POST /images/generations", now=NOW)


@pytest.mark.parametrize(
    ("http_status", "body", "kind"),
    [
        (400, {"message": "task_not_exist"}, NotFoundError),
        (400, {"error": {"code": "quota_not_enough"}}, InsufficientQuotaError),
        (401, {"error": {"message": "该令牌额度已用尽"}}, InsufficientQuotaError),
        (403, {"error": {"message": "user quota is not enough"}}, InsufficientQuotaError),
        (403, {"error": {"message": "key not allowed for this model"}}, PermissionDeniedError),
        (404, {"error": {"code": "model_not_found"}}, ModelUnavailableError),
        (413, {}, InvalidRequestError),
        (409, {}, APIStatusError),
        (302, {}, APIStatusError),
        (451, {"error": {"message": "sensitive content"}}, APIStatusError),
        (500, {"error": {"code": "task_not_found"}}, ServerError),
        (200, {"success": False, "message": "无效的令牌"}, AuthenticationError),
        (200, {"success": False, "message": "Too many requests"}, RateLimitError),
        (200, {"success": False, "message": "余额不足"}, InsufficientQuotaError),
    ],
)
def test_classes_that_words_decide(http_status, body, kind):
    """Where the words say more than the status, they decide."""
    error = refusal(http_status, body)

    assert isinstance(error, kind)
    assert http_status == error.http_status


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        (" 1.5 ", 1.5),
        ("86400", 86400.0),
        ("Fri, 09 Oct 2026 12:00:30 GMT", 30.0),
        ("Friday, 09-Oct-26 12:00:30 GMT", 30.0),
        ("Fri, 09 Oct 2026 12:00:30", 30.0),
        ("Fri, 09 Oct 2026 11:59:59 GMT", None),
        ("Fri, 09 Oct 2099 12:00:00 GMT", None),
        ("-1", None),
        ("86401", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("soon", None),
        ("", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after(value, seconds):
    """Seconds and HTTP dates are read; the past, more than a day and nonsense are ignored."""
    assert seconds == refusal(429, {}, Retry_After=value).retry_after_seconds


def test_retry_after_may_be_absent():
    """Without the header nothing is said."""
    assert retry_after_seconds(HttpReply(429, {}, b""), now=NOW) is None


@pytest.mark.parametrize(
    ("headers", "message", "request_id"),
    [
        ({"X_Request_Id": "a", "CF_Ray": "c"}, "m (request id: b)", "a"),
        ({"request_id": "a"}, "m", "a"),
        ({"X_Oneapi_Request_Id": "a"}, "m (request id: b12)", "a"),
        ({"x_amzn_requestid": "a"}, "m", "a"),
        ({"CF_Ray": "c"}, "m (request id: b12)", "b12"),
        ({"CF_Ray": "c"}, "m", "c"),
        ({"X_Request_Id": "a\x1b[0m"}, "m", None),
        ({}, "m", None),
    ],
)
def test_request_ids(headers, message, request_id):
    """The gateway's own header first, then its text, then the id of what stands before it."""
    assert request_id == refusal(500, {"message": message}, **headers).request_id


def test_the_wrong_field_becomes_a_violation():
    """A named field is a violation, as in our own refusals."""
    error = refusal(400, {"error": {"code": "invalid_request", "message": "is required", "param": "prompt"}})

    assert error.violations == ("prompt: is required",)
    assert error.message == "POST /images/generations: HTTP 400 [invalid_request] is required"


def test_a_task_that_is_named_is_kept():
    """Whatever the class of the error, the task's id is at hand."""
    assert refusal(500, {"task_id": "tsk_1"}).task_id == "tsk_1"
    assert refusal(400, {"error": {"task_id": "tsk_1"}}).task_id == "tsk_1"


def test_no_key_and_no_whole_body_in_a_message():
    """A gateway that repeats the key, and one that talks without end, are cut short."""
    error = refusal(401, {"error": {"message": "bad key sk-0123456789abcdef0123 " + "x" * 5000}})

    assert "0123456789" not in str(error)
    assert len(error.message) < 400


def test_a_reply_without_a_word():
    """An empty body still says its status and the next step."""
    error = refusal(502, b"")

    assert error.message == "POST /images/generations: HTTP 502 without a word"
    assert "client_business_id" in error.hint


def failed(*, error=None, **facts):
    """Make a failed task."""
    return GenerationTask(id="tsk_1", kind="image", status=TaskStatus.FAILED, model="m", error=error, **facts)


def test_a_failed_task_tells_its_reason():
    """Id, model, code and message of the gateway stand in the text; the task is at hand."""
    task = failed(error=TaskFailure(code="generation_failed", message="upstream returned status 422"))

    error = task_failed_error(task)

    assert error.message == "Task tsk_1 (m) failed: [generation_failed] upstream returned status 422"
    assert error.task is task


def test_a_failed_task_without_a_reason():
    """A silent failure is still an error with a next step."""
    error = task_failed_error(GenerationTask(id="tsk_1", kind="image", status=TaskStatus.FAILED))

    assert error.message == "Task tsk_1 failed: the gateway gave no reason"
    assert error.hint


def test_what_looks_like_a_key_is_blotted_out_of_a_failed_task():
    """An id and a model are the gateway's words too."""
    key = "sk-abcdefghijklmnop"
    task = GenerationTask(id=key, kind="image", status=TaskStatus.FAILED, model=f"m {key}")
    assert key not in str(task_failed_error(task))


def test_a_failed_task_that_was_charged_went_through_a_chat_endpoint():
    """Token counts on a charged failure are the market page's sign of the wrong endpoint."""
    billing = Billing(status="settled", cost_usd=Decimal("0.02"))

    assert "chat endpoint" in task_failed_error(failed(billing=billing, usage={"input_tokens": 9})).hint
