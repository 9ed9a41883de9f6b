"""Making a character out of a video: a submission without a prompt, told by its ``timestamps``."""

import re
from collections.abc import Mapping

from toapis_async.testing.gateway.replies.answers import Answer
from toapis_async.testing.gateway.replies.refusals import REFUSALS, prompt_required, wrong_field

_MODELS = ("sora-2", "sora-2-pro", "sora-2-vip")
_RANGE = re.compile(r"(\d+(?:\.\d+)?),\s*(\d+(?:\.\d+)?)")
_SHORTEST_SECONDS, _LONGEST_SECONDS = 1, 3


def wants_character(body: Mapping[str, object]) -> bool:
    """Whether a video submission asks for a character."""
    return "timestamps" in body and not body.get("prompt")


def refused_character(body: Mapping[str, object]) -> Answer | None:
    """The gateway's complaint, or None when the submission is right."""
    if body.get("model") not in _MODELS:
        return wrong_field("model", f"model {body.get('model')} does not support character creation")
    found = _RANGE.fullmatch(str(body.get("timestamps")))
    if found is None or not _SHORTEST_SECONDS <= float(found[2]) - float(found[1]) <= _LONGEST_SECONDS:
        return REFUSALS["timestamps_range"]
    sources = [body.get("url"), body.get("from_task")]
    if not any(isinstance(source, str) and source for source in sources):
        return prompt_required("url")
    return None
