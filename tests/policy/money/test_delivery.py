"""The table that moves money, row by row: docs/money.md#delivery."""

import json

import pytest

from toapis_async.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    Delivery,
    InsufficientQuotaError,
    InvalidRequestError,
    JournalLockedError,
    LinkExpiredError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StorageError,
    SubmissionUnknownError,
    TaskFailedError,
    TaskTimeoutError,
    ToAPIsError,
    UnreadableReplyError,
)
from toapis_async.policy.money.delivery import Knowledge, knowledge_of, proves_absence, stops_everything
from toapis_async.values.exchange import HttpReply
from toapis_async.values.tasks import GenerationTask, TaskStatus
from toapis_async.wire.failures import error_from

NEVER, LATER, REFUSED, UNKNOWN, ACCEPTED = (
    Knowledge.NEVER_DELIVERED,
    Knowledge.REFUSED_FOR_NOW,
    Knowledge.REFUSED,
    Knowledge.UNKNOWN,
    Knowledge.ACCEPTED,
)
HTML = "<html><head><title>Oops</title></head><body>nginx</body></html>"
TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.FAILED)


def said(code="", message="", **more):
    """Write the gateway's error object."""
    return {"error": {"code": code, "message": message, **more}}


# HTTP status, body, what is known of the submission
REPLIES = [
    (301, "", REFUSED),
    (307, HTML, REFUSED),
    (400, said("invalid_request", "The 'prompt' field is required."), REFUSED),
    (400, said("webhook_not_configured"), REFUSED),
    (400, said("InputImageSensitiveContentDetected.PrivacyInformation"), REFUSED),
    (400, {"code": "fail_to_fetch_task", "message": "may contain real person"}, REFUSED),
    (400, {"message": "task_not_exist"}, REFUSED),
    (400, {"message": "invalid request body", "success": False}, REFUSED),
    (400, HTML, REFUSED),
    (401, said("unauthorized", "Invalid API key"), REFUSED),
    (401, said("", "无效的令牌 (request id: x)"), REFUSED),
    (401, HTML, REFUSED),
    (402, said("insufficient_quota"), REFUSED),
    (403, said("quota_not_enough"), REFUSED),
    (403, said("", "user quota is not enough"), REFUSED),
    (403, said("", "该令牌无权访问模型"), REFUSED),
    (403, HTML, REFUSED),
    (404, said(404, "Task not found"), REFUSED),
    (404, said("", "Invalid URL (POST /v1/v1/images/generations)"), REFUSED),
    (404, HTML, REFUSED),
    (405, HTML, REFUSED),
    (408, "", UNKNOWN),
    (408, said("timeout"), UNKNOWN),
    (409, said("conflict"), UNKNOWN),
    (413, HTML, REFUSED),
    (415, said(), REFUSED),
    (418, said("teapot"), REFUSED),
    (422, said("content_policy_violation"), REFUSED),
    (425, "", UNKNOWN),
    (429, said("rate_limit_exceeded"), LATER),
    (429, said(429, "Too many requests", type="rate_limit_error"), LATER),
    (429, HTML, LATER),
    (429, "", LATER),
    (429, said("insufficient_quota"), REFUSED),
    (499, "", UNKNOWN),
    (500, said("internal_error"), UNKNOWN),
    (500, said("", "invalid byte sequence"), UNKNOWN),
    (500, said("rate_limit_unavailable"), UNKNOWN),
    (500, said("", "no available channel"), UNKNOWN),
    (500, said("", "余额不足 at the vendor"), UNKNOWN),
    (500, said("quota_not_enough"), REFUSED),
    (500, HTML, UNKNOWN),
    (502, HTML, UNKNOWN),
    (502, "", UNKNOWN),
    (503, said("rate_limit_unavailable"), LATER),
    (503, said("circuit_broken"), LATER),
    (503, said("", "所有渠道当前不可用（熔断保护已触发）"), LATER),
    (503, said("", "no available channel for model gpt-image-2 (request id: 2026)"), REFUSED),
    (503, said("model_not_found"), REFUSED),
    (503, said("", "未配置渠道能力（ChannelCapability）", type="new_api_error"), REFUSED),
    (503, said("", "something else"), UNKNOWN),
    (503, "service temporarily unavailable", UNKNOWN),
    (503, HTML, UNKNOWN),
    (504, HTML, UNKNOWN),
    (504, "", UNKNOWN),
    (524, HTML, UNKNOWN),
    (599, "", UNKNOWN),
    # A body that names a task: it was accepted, whatever the status says.
    (500, {"error": {"code": "internal_error"}, "task_id": "tsk_1"}, ACCEPTED),
    (502, {"data": {"task_id": "tsk_1"}, "message": "late"}, ACCEPTED),
    (400, {"id": "tsk_1", "object": "generation.task", "status": "failed", "error": {"code": "x"}}, ACCEPTED),
    (429, {"error": {"code": "rate_limit_exceeded", "task_id": "tsk_1"}}, ACCEPTED),
    (404, {"error": {"code": "task_not_found", "task_id": "tsk_1"}}, REFUSED),
    (500, {"id": "req_1", "error": {"code": "internal_error"}}, UNKNOWN),
]

ERRORS = [
    (APIConnectionError("refused", delivery=Delivery.NEVER), NEVER),
    (APIConnectionError("reset", delivery=Delivery.UNKNOWN), UNKNOWN),
    (APITimeoutError("while connecting", delivery=Delivery.NEVER), NEVER),
    (APITimeoutError("while waiting", delivery=Delivery.UNKNOWN), UNKNOWN),
    (UnreadableReplyError("HTML under 200"), UNKNOWN),
    (SubmissionUnknownError("?", client_business_id="b"), UNKNOWN),
    (TaskFailedError("failed", task=TASK), ACCEPTED),
    (TaskTimeoutError("late", task=TASK), ACCEPTED),
    (LinkExpiredError("gone"), ACCEPTED),
    (ConfigurationError("no key"), REFUSED),
    (InvalidRequestError.refused(("size: no",)), REFUSED),
    (BudgetExceededError("cap"), REFUSED),
    (APIStatusError("success: false under 200", http_status=200), UNKNOWN),
    (APIStatusError("no such status", http_status=99), UNKNOWN),
    (ServerError("bare", http_status=503), UNKNOWN),
    (ToAPIsError("anything"), UNKNOWN),
]


@pytest.mark.parametrize(("http_status", "body", "knowledge"), REPLIES)
def test_what_a_reply_tells_of_the_submission(http_status, body, knowledge):
    """Each row of the contract's table, through the decoder, as the client does it."""
    sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()

    error = error_from(HttpReply(http_status, {}, sent), asked_for="POST /images/generations", now=0.0)

    assert knowledge is knowledge_of(error)


@pytest.mark.parametrize(("error", "knowledge"), ERRORS, ids=lambda value: getattr(value, "message", value))
def test_what_an_error_tells_of_the_submission(error, knowledge):
    """Errors without a reply, and of later stages."""
    assert knowledge is knowledge_of(error)


@pytest.mark.parametrize("http_status", range(200, 600))
def test_only_few_statuses_allow_another_attempt(http_status):
    """By its status alone, no reply but a 429 lets the same be sent again unasked."""
    error = error_from(HttpReply(http_status, {}, b""), asked_for="POST /images/generations", now=0.0)

    assert (knowledge_of(error) in {NEVER, LATER}) == (http_status == 429)


@pytest.mark.parametrize(
    ("http_status", "body", "proof"),
    [
        (404, said(404, "Task not found", type="not_found_error"), True),
        (404, said("task_not_found"), True),
        (404, said(404, "任务不存在"), True),
        (404, {"message": "task_not_exist"}, True),
        (400, {"message": "task_not_exist"}, True),
        (404, said("", "Invalid URL (GET /v1/v1/images/generations/x)"), False),
        (404, HTML, False),
        (404, "", False),
        (404, "404: Not Found", False),
        (404, {"message": "no route"}, False),
        (403, said("", "no"), False),
        (500, said("task_not_found"), False),
    ],
)
def test_what_proves_that_there_is_no_task(http_status, body, proof):
    """Only the gateway's own word is a proof; a 404 page of something in front of it is none."""
    sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()

    assert proof is proves_absence(error_from(HttpReply(http_status, {}, sent), asked_for="the task", now=0.0))


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (AuthenticationError("key", http_status=401), True),
        (InsufficientQuotaError("money", http_status=402), True),
        (ConfigurationError("setting"), True),
        (StorageError("full"), True),
        (JournalLockedError("locked"), True),
        (PermissionDeniedError("model", http_status=403), False),
        (NotFoundError("task", http_status=404), False),
        (NotFoundError("Invalid URL (POST /v2/v1/images/generations)", http_status=404), True),
        (RateLimitError("fast", http_status=429), False),
        (ServerError("broken", http_status=500), False),
        (InvalidRequestError("prompt", http_status=400), False),
        (APIConnectionError("network", delivery=Delivery.NEVER), False),
    ],
)
def test_what_ends_a_whole_run(error, ends):
    """A refused key, an empty account, a wrong setting and a dead disk would meet every item alike."""
    assert ends is stops_everything(error)
