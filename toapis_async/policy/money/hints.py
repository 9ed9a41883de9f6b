"""The next step for each known complaint of the gateway, after ``docs/contract.md#errors`` and what its users ask."""

from collections.abc import Mapping
from decimal import Decimal

from toapis_async.policy.money.refusals import Meaning, meaning_of, speaks_of_policy
from toapis_async.values.tasks import GenerationTask

WRONG_ENDPOINT = (
    "The request reached the wrong endpoint: image and video models are no chat models. Create a task with "
    "POST /v1/images/generations or /v1/videos/generations and poll its status; check the URL and the payload."
)
CHARGED_THROUGH_CHAT = (
    "It was charged although it failed, and its record counts tokens: the request went through a chat endpoint and "
    "not the media workflow. Create tasks with POST /v1/images/generations or /v1/videos/generations."
)
CHARGED_AND_KEPT = (
    "The task's record shows a charge that was not refunded, and no tokens: give its id to the gateway's support."
)
_CHARGED = frozenset({CHARGED_THROUGH_CHAT, CHARGED_AND_KEPT})
_TRY_AGAIN = "The fault lies behind the gateway: the same request may succeed as a new task."
REFERENCES_WITHOUT_EFFECT = (
    "Check the references' number, format and size against what the model takes, and say in the prompt that they "
    "are to be used and what to take from them."
)
ASK_BEFORE_SENDING_AGAIN = (
    "If this answered a submission, it may have been accepted and charged: look the task up by its "
    "client_business_id before sending it again."
)
ASK_AGAIN_LATER = (
    "Nothing was sent or charged by asking, and a task that exists goes on. Ask again in a while; if it persists, the "
    "gateway or something in front of it is down."
)
_CHANGE_CONTENT = (
    "The content was refused: reword the prompt or replace the reference (faces of real people are refused by many "
    "models), then send it as a new request. The same again will be refused again."
)
_LOOK_AT_MODEL = "`toapis models MODEL` shows what the model takes."
_TOP_UP = "Top up the account, or raise the key's own quota in the console; `toapis balance` shows what is left."
_LOWER_PRESSURE = (
    "Back off: 1 s, 2 s, 4 s with jitter, or Retry-After where it is given. If it persists, lower the submission "
    "rate (rate_limits), then the concurrency (max_concurrency), then check the account's quota."
)


# Words that name the mistake, whatever the status; the first row that fits wins.
_BY_WORDS: Mapping[tuple[str, ...], str] = {
    ("invalid apitype",): WRONG_ENDPOINT,
    ("invalid url",): (
        "The path does not exist at the gateway. Check the base URL: with or without /v1 at its end is fine, twice "
        "is not, and the host must be the API's."
    ),
    ("webhook_not_configured",): (
        "Set up the key's webhook in the console first; callback_url may differ from that address only in path and "
        "query. Or leave callback_url out: waiting works without it."
    ),
    ("base64 image is not allowed",): (
        "Pass the reference as a path, as bytes or as an https address: files are uploaded for you. Data URLs are "
        "refused."
    ),
    ("image_urls cannot be used together",): (
        "Plain references and references with roles exclude each other: give all of them a role, or none."
    ),
    ("invalid byte sequence",): (
        "The body was not UTF-8. Send text as str and let the library encode it; check what reads your prompt file."
    ),
    ("too large. maximum", "must not be larger", "文件过大"): (
        "Make the file smaller: 10 MB for images, 50 MB for videos, and less on some models."
    ),
    ("unsupported image type",): "Convert the image to JPEG, PNG, WebP or GIF.",
    ("unsupported or invalid video",): "Convert the video to MP4, WebM or MOV.",
    ("reference image", "reference_images", "image_urls"): REFERENCES_WITHOUT_EFFECT,
}  # fmt: skip

_BY_MEANING: Mapping[Meaning, str] = {
    Meaning.MISSING_TASK: (
        "Check the id, and that the key belongs to the user who submitted the task. A task of the last seconds may "
        "not be visible yet."
    ),
    Meaning.NO_QUOTA: _TOP_UP,
    Meaning.BUSY: "Nothing was accepted. Wait for Retry-After, or a few seconds, and send it again.",
    Meaning.NO_MODEL: (
        "This key has no channel for the model, and repeating will not give it one: check the exact model id with "
        "`toapis models`, the key's group in the console, and size and resolution; or take another variant."
    ),
    Meaning.POLICY: _CHANGE_CONTENT,
    Meaning.BAD_KEY: (
        "Check TOAPIS_API_KEY: the header must be `Authorization: Bearer sk-…`, and the key must be active and "
        "belong to this host."
    ),
    Meaning.TOO_FAST: _LOWER_PRESSURE,
}  # fmt: skip

_BY_STATUS: Mapping[int, str] = {
    400: f"Check model, prompt, size and resolution, correct the field, and only then send it again. {_LOOK_AT_MODEL}",
    401: _BY_MEANING[Meaning.BAD_KEY],
    402: _TOP_UP,
    403: "The key may not do this: check its allowed models, its allowed addresses and its group in the console.",
    404: "Check the base URL and the id.",
    408: ASK_BEFORE_SENDING_AGAIN,
    409: ASK_BEFORE_SENDING_AGAIN,
    413: "Make the body or the file smaller: 10 MB for images, 50 MB for videos.",
    415: "Check the file's format: JPEG, PNG, WebP or GIF for images, MP4, WebM or MOV for videos.",
    422: _CHANGE_CONTENT,
    425: ASK_BEFORE_SENDING_AGAIN,
    429: _LOWER_PRESSURE,
}

_PAGE_REFUSAL = (
    "This page was written by something in front of the gateway (a CDN, a proxy, a firewall), which the request did "
    "not pass. Check the base URL and the network, and whether this address is blocked."
)
_REDIRECT = "Redirects are not followed, so that the key goes nowhere else. Put the address itself into base_url."
_OTHERWISE = "Report it with the request id if it persists."


def hint_for(*, http_status: int, words: str, page: bool = False, submission: bool = True) -> str:
    """Return the next step after a refusal.

    Args:
        http_status: of the reply.
        words: code, type and message of the gateway together.
        page: whether the body was an HTML page.
        submission: whether the call may have made a task; False for a question, which changes nothing.

    """
    hint = _hint_for(http_status, words, page=page)
    return ASK_AGAIN_LATER if hint == ASK_BEFORE_SENDING_AGAIN and not submission else hint


def _hint_for(http_status: int, words: str, *, page: bool) -> str:
    if http_status >= 500 and page:
        return ASK_BEFORE_SENDING_AGAIN
    if 300 <= http_status < 400:
        return _REDIRECT
    if page and http_status in {400, 403, 404, 405}:
        return _PAGE_REFUSAL
    return _by_words(words) or _by_meaning(http_status, words) or _by_status(http_status)


def hint_for_unreadable(*, page: bool) -> str:
    """Return the next step after a 2xx that is not what the documentation promises."""
    if not page:
        return ASK_BEFORE_SENDING_AGAIN
    return f"Check that base_url is the API's address and not the website's. {ASK_BEFORE_SENDING_AGAIN}"


def hint_for_failed_task(task: GenerationTask) -> str:
    """Return the next step after a failed task: what to change, and what became of the money.

    Where it was charged all the same, that comes first, and nothing advises to pay for the same again.
    """
    failure = task.error
    words = "" if failure is None else f"{failure.code} {failure.message}"
    change, cost = _what_to_change(words), _what_it_cost(task)
    if cost not in _CHARGED:
        return f"{change} {cost}"
    return cost if change == _TRY_AGAIN else f"{cost} {change}"


def _by_words(words: str) -> str | None:
    folded = words.casefold()
    for named_by, hint in _BY_WORDS.items():
        if any(word in folded for word in named_by):
            return hint
    return None


def _by_meaning(http_status: int, words: str) -> str | None:
    meaning = meaning_of(http_status, words)
    return None if meaning is None else _BY_MEANING[meaning]


def _by_status(http_status: int) -> str:
    hint = _BY_STATUS.get(http_status)
    if hint is not None:
        return hint
    return ASK_BEFORE_SENDING_AGAIN if http_status >= 500 else _OTHERWISE


def _what_to_change(words: str) -> str:
    folded = words.casefold()
    if speaks_of_policy(folded):
        return _CHANGE_CONTENT
    known = _by_words(folded)
    if known is not None:
        return known
    if "invalidparameter" in folded or "missing required field" in folded:
        return f"Correct the parameter that it names. {_LOOK_AT_MODEL}"
    if "status 422" in folded or "status 400" in folded:
        return "The model's vendor refused the input: simplify the prompt, or check references and parameters."
    if any(word in folded for word in ("cancelled", "canceled", "expired")):
        return "Submit it as a new request if it is still wanted."
    return _TRY_AGAIN


def _what_it_cost(task: GenerationTask) -> str:
    billing = task.billing
    if billing is None or billing.status == "pending":
        return "Failed tasks are refunded; look at the task's billing again later to see it."
    if billing.status == "refunded":
        return "It was refunded."
    if not any(amount is not None and amount > Decimal(0) for amount in (billing.cost_usd, billing.credits)):
        return "It was not charged."
    if _counts_tokens(task.usage):
        return CHARGED_THROUGH_CHAT
    return CHARGED_AND_KEPT


def _counts_tokens(usage: Mapping[str, object] | None) -> bool:
    return usage is not None and any(
        name.endswith("_tokens") and isinstance(count, int | float) and count > 0 for name, count in usage.items()
    )
