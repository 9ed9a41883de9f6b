"""Why items did not end well, put into few groups: the same trouble under many ids is one reason."""

import re
import zlib

import attrs

_WORDS = {
    "TaskFailedError": "Task failed",
    "ContentPolicyError": "Refused by content policy",
    "InvalidRequestError": "Invalid request",
    "InsufficientQuotaError": "Not enough balance",
    "AuthenticationError": "Key refused",
    "PermissionDeniedError": "Not permitted",
    "RateLimitError": "Too fast for the gateway",
    "ModelUnavailableError": "Model unavailable",
    "ServerError": "Gateway error",
    "APIConnectionError": "Gateway not reached",
    "APITimeoutError": "Gateway did not answer in time",
    "SubmissionUnknownError": "Unknown whether it was accepted",
    "TaskTimeoutError": "Late, may still finish",
    "DownloadError": "File not fetched",
    "LinkExpiredError": "Link has expired",
    "TruncatedError": "File was cut off",
    "ContentMismatchError": "Not an image",
    "StorageError": "Disk refused",
    "BudgetExceededError": "Cap on cost reached",
    "NotSentError": "Not sent",
}
# What differs from item to item: quoted words, ids, dates, numbers.
_PARTICULAR = re.compile(r"'[^']{0,200}'|\"[^\"]{0,200}\"|\b(?=[\w-]{0,80}\d)[\w-]{6,80}|\d[\d.,:]*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DETAIL_CHARS = 140


@attrs.frozen(kw_only=True)
class Reason:
    """A group of items that ended alike.

    Attributes:
        slug: its short name: lower-case letters, digits and dashes only, whatever the error held.
        title: what kind of trouble, in words.
        detail: the beginning of the message without what differs from item to item; foreign text, may be empty.

    """

    slug: str
    title: str
    detail: str


def reason_of(error_type: str | None, message: str | None) -> Reason:
    """Return the reason of an item that did not end well.

    Args:
        error_type: the class name of its error; None where there was none.
        message: its text, hint included.

    """
    kind = error_type or "NoErrorError"
    detail = _detail(message or "")
    words = re.sub(r"[^a-z0-9]+", "-", _CAMEL.sub("-", kind.removesuffix("Error"))[:60].lower()).strip("-") or "error"
    mark = f"-{zlib.crc32(detail.encode('utf-8', 'replace')):08x}"[:7] if detail else ""
    title = "No reason given" if error_type is None else _WORDS.get(kind, words.replace("-", " ").capitalize())
    return Reason(slug=words[:40] + mark, title=title, detail=detail)


def _detail(message: str) -> str:
    line = next((line for line in message[:4000].splitlines() if line.strip()), "")
    said = line.partition(" failed: ")[2] or line
    words = " ".join(_PARTICULAR.sub("…", said[:1000]).split())
    return words if len(words) <= _DETAIL_CHARS else words[: _DETAIL_CHARS - 1] + "…"
