"""What the gateway means by a refusal, where its words say more than its status (``docs/contract.md#errors``)."""

from enum import StrEnum


class Meaning(StrEnum):
    """A cause that the words of a refusal name."""

    MISSING_TASK = "missing_task"
    NO_QUOTA = "no_quota"
    BUSY = "busy"
    """The submit limiter or a circuit breaker: nothing was accepted, and later it may be."""
    NO_MODEL = "no_model"
    POLICY = "policy"
    BAD_KEY = "bad_key"
    TOO_FAST = "too_fast"


_REFUSALS = frozenset(range(400, 500))
_UNDER_200 = frozenset(range(200, 300))
_ANY = frozenset(range(200, 600))

# The statuses and words that have a meaning; the first rule that fits wins. A 5xx is given one only by words that
# nothing else would use: whoever takes a broken reply for a refusal may send, and pay, again.
_RULES: tuple[tuple[Meaning, frozenset[int], tuple[str, ...]], ...] = (
    (
        Meaning.MISSING_TASK,
        frozenset({200, 400, 404}),
        ("task_not_exist", "task_not_found", "task not found", "task not exist", "task does not exist", "任务不存在"),
    ),
    (Meaning.NO_QUOTA, _ANY, ("quota_not_enough", "quota is not enough")),
    (
        Meaning.NO_QUOTA,
        _REFUSALS | _UNDER_200,
        (
            "insufficient_quota", "payment_required", "insufficient account balance", "insufficient balance",
            "quota exhausted", "余额不足", "额度不足", "额度已用尽", "预扣费额度失败",
        ),
    ),
    (Meaning.BUSY, frozenset({503}), ("rate_limit_unavailable", "circuit_broken", "熔断")),
    (
        Meaning.NO_MODEL,
        frozenset({503}),
        ("model_not_found", "channelcapability", "未配置渠道能力", "no available channel", "无可用渠道"),
    ),
    (Meaning.NO_MODEL, frozenset({400, 403, 404, 422, 500}), ("model_not_found",)),
    (
        Meaning.POLICY,
        frozenset({200, 400, 403, 422, 451}),
        (
            "content_policy", "content policy", "sensitivecontent", "sensitive content", "privacyinformation",
            "may contain real person", "image_unsafe", "moderation", "safety system", "内容安全", "敏感内容",
        ),
    ),
    (
        Meaning.BAD_KEY,
        _UNDER_200,
        ("authentication_error", "unauthorized", "invalid api key", "invalid token", "无效的令牌", "未提供令牌"),
    ),
    (Meaning.TOO_FAST, _UNDER_200, ("rate_limit", "too many requests", "频率超限")),
)  # fmt: skip


def meaning_of(http_status: int, words: str) -> Meaning | None:
    """Return what a refusal says, or None where only its status speaks.

    Args:
        http_status: of the reply; 200 for ``success: false``.
        words: code, type and message of the gateway together.

    """
    folded = words.casefold()
    for meaning, http_statuses, named_by in _RULES:
        if http_status in http_statuses and any(word in folded for word in named_by):
            return meaning
    return None


def speaks_of_policy(words: str) -> bool:
    """Tell whether a text is a refusal of content; failed tasks carry it in the message only."""
    return meaning_of(422, words) is Meaning.POLICY
