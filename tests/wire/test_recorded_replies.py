"""Every other recorded reply: refusals, uploads, balances, lists, tokens. One row per sample."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from toapis_async.errors import (
    APIStatusError,
    AuthenticationError,
    ContentPolicyError,
    InsufficientQuotaError,
    InvalidRequestError,
    ModelUnavailableError,
    NotFoundError,
    RateLimitError,
    ServerError,
    UnreadableReplyError,
)
from toapis_async.policy.money.delivery import Knowledge, knowledge_of
from toapis_async.values.account import Balance
from toapis_async.values.exchange import HttpReply
from toapis_async.values.uploads import Upload
from toapis_async.wire.account_decoding import balance_from, models_from
from toapis_async.wire.decoding import task_from, upload_from
from toapis_async.wire.failures import error_from

SAMPLES = Path(__file__).parents[1] / "samples"
REFUSED, LATER, UNKNOWN = Knowledge.REFUSED, Knowledge.REFUSED_FOR_NOW, Knowledge.UNKNOWN
ID_ZERO = "021700000000000000000000000000000000000000000000"
ID_DATE = "20260607000000000000000000000000"

# name: HTTP status, class, code, request id, what is known of the submission, words of the next step
REFUSALS = {
    "error_400_asset_invalid_request_body": (400, InvalidRequestError, None, None, REFUSED, "only then send it again"),
    "error_400_base64_not_allowed": (400, InvalidRequestError, "invalid_request", None, REFUSED, "files are uploaded"),
    "error_400_fail_to_fetch_task": (400, ContentPolicyError, "fail_to_fetch_task", None, REFUSED, "real people"),
    "error_400_image_urls_with_roles": (400, InvalidRequestError, "invalid_request", None, REFUSED, "exclude"),
    "error_400_persona_timestamps": (400, InvalidRequestError, "400", None, REFUSED, "correct the field"),
    "error_400_privacy_information": (
        400,
        ContentPolicyError,
        "InputImageSensitiveContentDetected.PrivacyInformation",
        ID_ZERO,
        REFUSED,
        "replace the reference",
    ),
    "error_400_prompt_required": (400, InvalidRequestError, "invalid_request", None, REFUSED, "prompt, size"),
    "error_400_webhook_not_configured": (
        400, InvalidRequestError, "webhook_not_configured", None, REFUSED, "in the console",
    ),
    "error_401_new_api_missing_token": (401, AuthenticationError, None, "mock", REFUSED, "TOAPIS_API_KEY"),
    "error_401_numeric": (401, AuthenticationError, "401", None, REFUSED, "Authorization: Bearer"),
    "error_401_numeric_zh": (401, AuthenticationError, "401", None, REFUSED, "Authorization: Bearer"),
    "error_401_unauthorized": (401, AuthenticationError, "unauthorized", None, REFUSED, "Authorization: Bearer"),
    "error_402_insufficient_quota": (402, InsufficientQuotaError, "insufficient_quota", None, REFUSED, "Top up"),
    "error_402_payment_required": (402, InsufficientQuotaError, "402", None, REFUSED, "Top up"),
    "error_404_invalid_url_double_v1": (404, NotFoundError, None, None, REFUSED, "base URL"),
    "error_404_task_not_found": (404, NotFoundError, "404", None, REFUSED, "Check the id"),
    "error_404_task_not_found_zh": (404, NotFoundError, "404", None, REFUSED, "Check the id"),
    "error_422_content_policy": (422, ContentPolicyError, "content_policy_violation", None, REFUSED, "reword"),
    "error_429_async_submit": (429, RateLimitError, "rate_limit_exceeded", None, LATER, "Back off"),
    "error_429_async_submit_zh": (429, RateLimitError, "rate_limit_exceeded", None, LATER, "concurrency"),
    "error_429_rate_limit_error_numeric": (429, RateLimitError, "429", None, LATER, "quota"),
    "error_500_internal": (500, ServerError, "internal_error", None, UNKNOWN, "client_business_id"),
    "error_500_utf8_database": (500, ServerError, None, None, UNKNOWN, "UTF-8"),
    "error_503_no_available_channel": (503, ModelUnavailableError, None, ID_DATE, REFUSED, "toapis models"),
    "error_503_rate_limit_unavailable": (503, ServerError, "rate_limit_unavailable", None, LATER, "Retry-After"),
    "raw_502_html": (502, ServerError, None, None, UNKNOWN, "client_business_id"),
    "raw_503_plain_text": (503, ServerError, None, None, UNKNOWN, "client_business_id"),
    "raw_504_html_volc_dcdn": (504, ServerError, None, None, UNKNOWN, "client_business_id"),
    "upload_image_400_too_large": (400, InvalidRequestError, None, None, REFUSED, "10 MB"),
    "upload_image_400_type": (400, InvalidRequestError, None, None, REFUSED, "JPEG, PNG, WebP or GIF"),
    "upload_video_400_too_large": (400, InvalidRequestError, None, None, REFUSED, "50 MB"),
    "upload_video_400_type": (400, InvalidRequestError, None, None, REFUSED, "MP4, WebM or MOV"),
    "token_create_name_too_long": (200, APIStatusError, None, None, UNKNOWN, "request id"),
}  # fmt: skip


def balance(remaining_usd, used_usd, remaining_credits, used_credits, *, unlimited):
    """Write an expected balance briefly."""
    return Balance(
        remaining_usd=None if remaining_usd is None else Decimal(remaining_usd),
        used_usd=Decimal(used_usd),
        remaining_credits=Decimal(remaining_credits),
        used_credits=Decimal(used_credits),
        unlimited=unlimited,
    )


UPLOADS = "https://files.toapis.com/uploads/123"
VALUES = {
    "upload_image_ok": (
        upload_from,
        Upload(
            id="upload_abc12345",
            url=f"{UPLOADS}/1737568800_abc12345.jpg",
            mime_type="image/jpeg",
            size_bytes=89234,
        ),
    ),
    "upload_video_ok": (
        upload_from,
        Upload(
            id="upload_abc12345",
            url=f"{UPLOADS}/videos/1737568800_abc12345.mp4",
            mime_type="video/mp4",
            size_bytes=1892345,
        ),
    ),
    "balance_token_ok": (balance_from, balance("10.5", "2.3", 2100, 460, unlimited=False)),
    "balance_token_unlimited": (balance_from, balance(None, "2.3", 2100, 460, unlimited=True)),
    "balance_user_ok": (balance_from, balance(100, "25.5", 20000, 5100, unlimited=False)),
    "balance_user_unlimited": (balance_from, balance(None, "25.5", 20000, 5100, unlimited=True)),
}

# Under HTTP 200, and no value all the same: how it is read, the class, words of the message.
NO_VALUES = {
    "upload_200_success_false": (upload_from, InvalidRequestError, "文件过大"),
    "balance_user_used_failed": (balance_from, APIStatusError, "Failed to get used quota"),
    "status_tolerated_sync_b64": (lambda reply: task_from(reply, kind="image"), UnreadableReplyError, "b64_json"),
    "token_create_ok": (models_from, UnreadableReplyError, "not a model list"),
}


def reply_of(name, http_status=200):
    """Replay a sample."""
    body = (SAMPLES / f"{name}.json").read_bytes()
    if not name.startswith("raw_"):
        return HttpReply(http_status, {}, body)
    recorded = json.loads(body)
    return HttpReply(recorded["status"], recorded["headers"], recorded["body_text"].encode())


@pytest.mark.parametrize("name", REFUSALS)
def test_a_recorded_refusal_becomes_its_error(name):
    """Each refusal has its class, code, request id, delivery knowledge and next step."""
    http_status, kind, code, request_id, knowledge, hint = REFUSALS[name]

    error = error_from(reply_of(name, http_status), asked_for="POST /images/generations", now=0.0)

    assert (kind, http_status, code, request_id) == (type(error), error.http_status, error.code, error.request_id)
    assert knowledge is knowledge_of(error)
    assert hint in error.hint
    assert error.message.startswith(f"POST /images/generations: HTTP {http_status} ")
    assert "<" not in error.message


@pytest.mark.parametrize("name", VALUES)
def test_a_recorded_reply_decodes_to_its_value(name):
    """Uploads and balances become exactly the expected values."""
    read, expected = VALUES[name]

    assert expected == read(reply_of(name))


@pytest.mark.parametrize(
    ("name", "ids", "types"),
    [
        ("models_list", ["claude-sonnet-4-6", "gpt-5"], [("chat_completions", "responses"), ("chat_completions",)]),
        ("models_list_image", ["gemini-3-pro-image-preview-official", "gpt-4o-image"], [("image-generation",), ()]),
    ],
)
def test_a_recorded_model_list_decodes(name, ids, types):
    """A list keeps the gateway's order; an unrouted id has no endpoint types."""
    models = models_from(reply_of(name))

    assert ids == [model.id for model in models]
    assert types == [model.endpoint_types for model in models]


@pytest.mark.parametrize("name", NO_VALUES)
def test_a_200_that_holds_no_value_raises_what_it_means(name):
    """``success: false`` under 200 is a refusal; a body without what was promised is unreadable."""
    read, kind, words = NO_VALUES[name]

    with pytest.raises(kind, match=words) as caught:
        read(reply_of(name))
    assert kind is type(caught.value)


def test_the_tables_are_complete():
    """No sample is left out: tasks and webhooks have tables of their own."""
    elsewhere = ("create_", "status_", "webhook_")
    names = {path.stem for path in SAMPLES.glob("*.json") if not path.stem.startswith(elsewhere)}
    listed = {"models_list", "models_list_image"}

    assert names | {"status_tolerated_sync_b64"} == {*REFUSALS, *VALUES, *NO_VALUES, *listed}
