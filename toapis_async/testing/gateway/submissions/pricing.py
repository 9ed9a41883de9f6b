"""What a submission costs: charged at once by the catalogue's price, settled by tokens where the model counts them."""

import math
from collections.abc import Mapping
from decimal import Decimal

import attrs

from toapis_async.testing.gateway import model_list
from toapis_async.testing.gateway.pictures import pixels_of, resolution_of
from toapis_async.testing.gateway.submissions.request_parsing import Submission
from toapis_async.values.catalogue import Model
from toapis_async.values.rules import Price

_DEFAULT_SECONDS = 5
_MILLION = 1_000_000
_LETTERS_PER_TOKEN = 4
# Worked back from what the gateway charged for measured images.
_TOKENS_OF_A_REFERENCE = 1020
_TOKENS_BY_QUALITY = {"low": 196, "medium": 437, "high": 1754, "xhigh": 3500, "max": 7000}


@attrs.frozen
class Quote:
    """What a submission costs.

    Attributes:
        charged_usd: taken when it is accepted.
        settled_usd: what stays when it has succeeded.
        usage: the token counts that the finished task tells, or None where it tells none.

    """

    charged_usd: Decimal
    settled_usd: Decimal
    usage: Mapping[str, object] | None = None


def quote(submission: Submission, model_id: str, otherwise: Decimal) -> Quote:
    """Price all the images of a submission, or its video.

    Args:
        submission: what was asked.
        model_id: its model, or that of the video that is continued.
        otherwise: USD for one image or video where no price is known.

    """
    model = model_list.known(model_id)
    price = None if model is None else model.price
    if model is None or price is None or submission.makes == "character":
        total = otherwise * submission.n
        return Quote(total, total, _tool_usage(submission.body))
    if price.per_million_tokens:
        return _by_tokens(submission, model, price, otherwise)
    each = _video(submission, price) if submission.makes == "video" else _image(submission, model, price)
    total = (otherwise if each is None else each) * submission.n
    return Quote(total, total, _tool_usage(submission.body))


def _image(submission: Submission, model: Model, price: Price) -> Decimal | None:
    each = price.per_output
    if each is None:
        asked = resolution_of(submission.body, model.id) or str(model.defaults.get("resolution", "1K"))
        each = _by_word(asked, price.by_resolution)
    if each is None:
        return None
    return each + (price.per_reference or 0) * len(submission.references)


def _video(submission: Submission, price: Price) -> Decimal | None:
    seconds = submission.body.get("duration")
    if not isinstance(seconds, int | float) or seconds <= 0:
        seconds = _DEFAULT_SECONDS
    asked = resolution_of(submission.body, submission.model) or ""
    table = price.per_second_by_resolution or price.per_second_silent_by_resolution
    if submission.body.get("audio") is False:
        table = price.per_second_silent_by_resolution or table
    per_second = price.per_second or _by_word(asked, table)
    return None if per_second is None else per_second * Decimal(str(seconds))


def _by_word(asked: str, prices: Mapping[str, Decimal]) -> Decimal | None:
    """Of the resolution that was asked for; the dearest that is known where that one is not."""
    by_word = {word.upper(): price for word, price in prices.items()}
    return by_word.get(asked.upper(), max(by_word.values(), default=None))


def _by_tokens(submission: Submission, model: Model, price: Price, otherwise: Decimal) -> Quote:
    size = submission.body.get("size") or model.defaults.get("size")
    size = size if isinstance(size, str) else "1024x1024"
    parameter = model.parameter("quality")
    quality = str(submission.body.get("quality") or (parameter.default if parameter else None) or "medium").lower()
    text = math.ceil(len(submission.prompt) / _LETTERS_PER_TOKEN)
    shown = _TOKENS_OF_A_REFERENCE * len(submission.references)
    made = _tokens_of_an_image(size, quality) * submission.n
    rates = price.per_million_tokens
    settled = (text * rates["text in"] + shown * rates["image in"] + made * rates["image out"]) / _MILLION
    listed = None if submission.references else price.by_size_and_quality.get(size, {}).get(quality)
    charged = (otherwise if listed is None else listed) * submission.n
    return Quote(charged, settled, _usage(text, shown, made))


def _tokens_of_an_image(size: str, quality: str) -> int:
    width, height = pixels_of(size, None)
    base = _TOKENS_BY_QUALITY.get(quality, _TOKENS_BY_QUALITY["medium"])
    # Measured: an image of four times the pixels takes twice the tokens.
    return round(base * math.sqrt(width * height / 1024**2))


def _usage(text: int, shown: int, made: int) -> dict[str, object]:
    return {
        "input_tokens": text + shown,
        "output_tokens": made,
        "total_tokens": text + shown + made,
        "input_tokens_details": {
            "text_tokens": text,
            "image_tokens": shown,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "image_tokens": 0},
        },
        "output_tokens_details": {"text_tokens": 0, "image_tokens": made},
    }


def _tool_usage(body: Mapping[str, object]) -> dict[str, object] | None:
    """What a video model that searches the web says of it."""
    tools = body.get("tools")
    searches = isinstance(tools, list) and any(isinstance(t, dict) and t.get("type") == "web_search" for t in tools)
    return {"tool_usage": {"web_search": 1}} if searches else None
