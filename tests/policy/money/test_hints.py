"""Each known complaint has its next step."""

from decimal import Decimal

import pytest

from toapis_async.policy.money.hints import (
    ASK_AGAIN_LATER,
    ASK_BEFORE_SENDING_AGAIN,
    CHARGED_THROUGH_CHAT,
    REFERENCES_WITHOUT_EFFECT,
    WRONG_ENDPOINT,
    hint_for,
    hint_for_failed_task,
    hint_for_unreadable,
)
from toapis_async.values.tasks import Billing, GenerationTask, TaskFailure, TaskStatus


@pytest.mark.parametrize(
    ("http_status", "words", "part"),
    [
        # The market page's table and questions.
        (400, "invalid_request_error", "Check model, prompt, size and resolution"),
        (401, "authentication_error", "Authorization: Bearer"),
        (429, "rate_limit_exceeded", "1 s, 2 s, 4 s with jitter"),
        (429, "rate_limit_exceeded", "concurrency"),
        (500, "invalid apitype: -1", WRONG_ENDPOINT),
        (400, "invalid apitype: -1", "chat models"),
        (400, "too many reference images", REFERENCES_WITHOUT_EFFECT),
        # docs/contract.md#errors, row by row.
        (400, "webhook_not_configured", "callback_url"),
        (400, "x.PrivacyInformation", "real people"),
        (400, "task_not_exist", "Check the id"),
        (400, "base64 image is not allowed", "https address"),
        (401, "无效的令牌", "TOAPIS_API_KEY"),
        (402, "insufficient_quota", "toapis balance"),
        (403, "quota_not_enough", "toapis balance"),
        (403, "", "allowed models"),
        (404, "task_not_found", "Check the id"),
        (404, "Invalid URL (POST /v1/v1/images/generations)", "base URL"),
        (404, "", "base URL"),
        (422, "content_policy_violation", "reword"),
        (500, "internal_error", ASK_BEFORE_SENDING_AGAIN),
        (502, "", ASK_BEFORE_SENDING_AGAIN),
        (524, "", ASK_BEFORE_SENDING_AGAIN),
        (408, "", ASK_BEFORE_SENDING_AGAIN),
        (503, "rate_limit_unavailable", "Nothing was accepted"),
        (503, "所有渠道当前不可用（熔断保护已触发）", "Nothing was accepted"),
        (503, "model_not_found", "no channel"),
        (503, "未配置渠道能力（ChannelCapability）", "no channel"),
        (503, "no available channel", "another variant"),
        (503, "service temporarily unavailable", ASK_BEFORE_SENDING_AGAIN),
        (500, "invalid byte sequence for encoding", "UTF-8"),
        (302, "", "Redirects are not followed"),
        (418, "", "request id"),
    ],
)
def test_the_next_step(http_status, words, part):
    """Words decide before meanings, and meanings before statuses."""
    assert part in hint_for(http_status=http_status, words=words)


@pytest.mark.parametrize(
    ("http_status", "part"),
    [
        (403, "in front of the gateway"),
        (404, "in front of the gateway"),
        (504, "client_business_id"),
        (429, "Back off"),
    ],
)
def test_the_next_step_after_a_page(http_status, part):
    """A page was not written by the gateway; what that means depends on its status."""
    assert part in hint_for(http_status=http_status, words="", page=True)


def test_the_next_step_after_an_unreadable_reply():
    """A page under 200 may be the website; in any case: ask before sending again."""
    assert "base_url" in hint_for_unreadable(page=True)
    assert ASK_BEFORE_SENDING_AGAIN in hint_for_unreadable(page=True)
    assert hint_for_unreadable(page=False) == ASK_BEFORE_SENDING_AGAIN


@pytest.mark.parametrize(
    ("code", "message", "part"),
    [
        ("generation_failed", "Generation failed: Content violates the content policy", "reword"),
        ("image_unsafe", "", "reword"),
        ("generation_failed", "call upstream API failed: upstream returned status 422", "refused the input"),
        ("generation_failed", "decode response failed: unexpected end of JSON input", "may succeed"),
        ("generation_failed", "no images in AIX generateContent response", "may succeed"),
        ("generation_failed", "context deadline exceeded", "may succeed"),
        ("InvalidParameter", "Missing required field 'subjects' in request body", "Correct the parameter"),
        ("InvalidParameter.TaskTypeConstraint", "", "Correct the parameter"),
        ("x", "reference image must not be larger than 10 MB", "smaller"),
        ("x", "invalid apitype: -1", "chat models"),
        ("cancelled", "", "still wanted"),
    ],
)
def test_what_to_change_after_a_failure(code, message, part):
    """Only the message tells a refusal of content from a fault behind the gateway."""
    task = GenerationTask(id="t", kind="image", status=TaskStatus.FAILED, error=TaskFailure(code=code, message=message))

    assert part in hint_for_failed_task(task)


@pytest.mark.parametrize(
    ("billing", "usage", "part"),
    [
        (None, None, "look at the task's billing again"),
        (Billing(status="pending"), {"input_tokens": 5}, "look at the task's billing again"),
        (Billing(status="refunded", cost_usd=Decimal(0)), {"input_tokens": 5}, "It was refunded."),
        (Billing(status="refunded", credits=Decimal(27)), None, "It was refunded."),
        (Billing(status="settled", cost_usd=Decimal(0)), None, "It was not charged."),
        (Billing(status="settled", cost_usd=Decimal("0.1")), {"input_tokens": 5}, CHARGED_THROUGH_CHAT),
        (Billing(status="settled", credits=Decimal(20)), {"output_tokens": 5}, CHARGED_THROUGH_CHAT),
        (Billing(status="settled", credits=Decimal(20)), {"total_tokens": 0, "x_tokens": "?"}, "support"),
        (Billing(status="settled", credits=Decimal(20)), None, "support"),
    ],
)
def test_what_became_of_the_money(billing, usage, part):
    """A failure says whether it was refunded, and what a charge with token counts means."""
    task = GenerationTask(id="t", kind="image", status=TaskStatus.FAILED, billing=billing, usage=usage)

    assert part in hint_for_failed_task(task)


@pytest.mark.parametrize("http_status", [408, 500, 502, 504, 524])
@pytest.mark.parametrize("page", [False, True])
def test_a_question_that_broke_is_no_submission(http_status, page):
    """Asking for a task or the balance charges nothing, and its error speaks of no submission."""
    assert hint_for(http_status=http_status, words="", page=page, submission=False) == ASK_AGAIN_LATER


@pytest.mark.parametrize("usage", [None, {"input_tokens": 5}])
def test_what_was_charged_is_not_advised_to_be_paid_for_again(usage):
    """A failed task that was charged opens with the charge, and nothing says that the same may succeed anew."""
    billing = Billing(status="settled", cost_usd=Decimal("0.1"))
    failure = TaskFailure(code="generation_failed", message="context deadline exceeded")
    task = GenerationTask(id="t", kind="image", status=TaskStatus.FAILED, billing=billing, usage=usage, error=failure)

    assert "may succeed" not in hint_for_failed_task(task)
    assert "charge" in hint_for_failed_task(task)[:60]
