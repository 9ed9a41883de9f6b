"""The replies with which the gateway is known to refuse, by name."""

import attrs

from toapis_async.testing.gateway.replies.answers import HTML, JSON, Answer, as_json


def _error(http_status: int, code: str | int, message: str, **more: str) -> Answer:
    return Answer(http_status, as_json({"error": {"code": code, "message": message, **more}}))


def _page(http_status: int, text: str, content_type: str = HTML) -> Answer:
    return Answer(http_status, text.encode(), content_type)


_HTML_504 = (
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html>\n<head><title>504 Gateway Time-out</title></head>\n'
    "<body>\n<center><h1>504 Gateway Time-out</h1></center>\n<hr/>Powered by volc-dcdn<hr><center>tengine</center>\n"
    "</body>\n</html>\n"
)

REFUSALS: dict[str, Answer] = {
    "invalid_request": _error(400, "invalid_request", "invalid request", type="invalid_request_error"),
    "invalid_request_numeric": _error(400, 400, "Invalid request", type="invalid_request_error"),
    "webhook_not_configured": _error(400, "webhook_not_configured", "webhook_not_configured"),
    "base64_not_allowed": _error(400, "invalid_request", "base64 image is not allowed", type="invalid_request_error"),
    "image_urls_with_roles": _error(
        400,
        "invalid_request",
        "image_urls cannot be used together with image_with_roles",
        type="invalid_request_error",
    ),
    "timestamps_range": _error(
        400, 400, "Invalid request: timestamps range must be between 1-3 seconds", type="invalid_request_error"
    ),
    "invalid_request_body": Answer(400, as_json({"message": "invalid request body", "success": False})),
    "privacy_information": _error(
        400,
        "InputImageSensitiveContentDetected.PrivacyInformation",
        "The request failed because the input image 'content[3]' may contain real person. "
        "Request id: 021700000000000000000000000000000000000000000000",
        param="",
        type="BadRequest",
    ),
    "fail_to_fetch_task": Answer(
        400,
        as_json(
            {
                "code": "fail_to_fetch_task",
                "message": "The request failed because the input image 'content[1]' may contain real person.",
            }
        ),
    ),
    "task_not_exist": Answer(400, as_json({"message": "task_not_exist"})),
    "invalid_apitype": _error(400, "", "invalid apitype: -1 (request id: simulated)", type="new_api_error"),
    "no_text_models": _error(
        501, "not_simulated", "The simulator makes images and videos; text models do not talk here.", type="simulator"
    ),
    "used_quota_failed": Answer(200, as_json({"success": False, "message": "Failed to get used quota"})),
    "upload_too_large_zh": Answer(200, as_json({"success": False, "message": "文件过大"})),
    "unauthorized": _error(401, "unauthorized", "Invalid API key", type="authentication_error"),
    "unauthorized_numeric": _error(
        401, 401, "Authentication failed, please check your API key", type="authentication_error"
    ),
    "unauthorized_zh": _error(401, 401, "身份验证失败，请检查您的API密钥", type="authentication_error"),
    "missing_token": _error(401, "", "未提供令牌 (request id: simulated)", type="new_api_error"),
    "payment_required": _error(402, 402, "Insufficient account balance, please top up", type="payment_required"),
    "insufficient_quota": _error(402, "insufficient_quota", "余额不足"),
    "quota_not_enough": _error(403, "quota_not_enough", "user quota is not enough", type="new_api_error"),
    "task_not_found": _error(404, 404, "Task not found", type="not_found_error"),
    "task_not_found_zh": _error(404, 404, "任务不存在", type="not_found_error"),
    "content_policy": _error(422, "content_policy_violation", "Content policy violation", type="invalid_request_error"),
    "rate_limited": _error(429, "rate_limit_exceeded", "Async task request rate exceeded"),
    "rate_limited_zh": _error(429, "rate_limit_exceeded", "异步任务请求频率超限"),
    "too_many_unfinished": _error(429, "rate_limit_exceeded", "Too many unfinished tasks"),
    "rate_limited_numeric": _error(429, 429, "Too many requests, please try again later", type="rate_limit_error"),
    "internal_error": _error(500, "internal_error", "Internal server error", type="server_error"),
    "utf8_database": _error(
        500, "", 'ERROR: invalid byte sequence for encoding "UTF8": 0xa1 (SQLSTATE 22021)', type="new_api_error"
    ),
    "rate_limit_unavailable": _error(
        503, "rate_limit_unavailable", "The async task submit limiter is temporarily unavailable"
    ),
    "model_not_found": _error(
        503, "model_not_found", "未配置渠道能力（ChannelCapability） (request id: simulated)", type="new_api_error"
    ),
    "no_available_channel": _error(
        503, "", "no available channel for model gpt-image-2 (request id: simulated)", type="new_api_error"
    ),
    "circuit_broken": _error(503, "", "所有渠道当前不可用（熔断保护已触发）", type="new_api_error"),
    "plain_503": _page(503, "service temporarily unavailable", "text/plain"),
    "html_200": _page(200, "<html><head><title>Welcome</title></head><body>It works</body></html>"),
    "html_500": _page(500, "<html>Internal server error</html>"),
    "html_502": _page(502, "<html>Bad gateway</html>"),
    "html_504": _page(504, _HTML_504),
    "html_524": _page(524, "<html><head><title>524: A timeout occurred</title></head><body></body></html>"),
    "file_expired": _page(403, '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "application/xml"),
}


def prompt_required(field: str) -> Answer:
    """The documented 400 for a field that is missing or empty."""
    return _error(
        400,
        "invalid_request",
        f"The '{field}' field is required.",
        param=field,
        type="invalid_request_error",
    )


def wrong_field(field: str, message: str) -> Answer:
    """The documented 400 for a field with a wrong value."""
    return _error(400, "invalid_request", message, param=field, type="invalid_request_error")


def invalid_url(method: str, path: str) -> Answer:
    """The answer for a path that is not there, such as a doubled ``/v1``."""
    return _error(404, "", f"Invalid URL ({method} {path})", param="", type="invalid_request_error")


def not_a_success(message: str, *, http_status: int = 400) -> Answer:
    """The envelope of uploads, balances and tokens."""
    return Answer(http_status, as_json({"success": False, "message": message}), JSON)


def with_headers(answer: Answer, headers: dict[str, str]) -> Answer:
    """The same reply with further headers."""
    return attrs.evolve(answer, headers={**answer.headers, **headers})
