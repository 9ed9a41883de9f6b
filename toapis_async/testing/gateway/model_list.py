"""What the simulated gateway offers: model ids by what they make, and their listing."""

from collections.abc import Collection
from functools import lru_cache
from typing import Literal, TypeAlias

from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.catalogue import Model
from toapis_async.values.tasks import Kind

Product: TypeAlias = Kind | Literal["character"]
"""What a task makes; a character comes from the videos' endpoint."""

_TEXTS = {
    "claude-sonnet-4-6": ("anthropic", ["chat_completions", "responses"]),
    "gpt-5": ("openai", ["chat_completions"]),
}
_OWNERS = {
    "gpt": "openai", "sora": "openai", "gemini": "google", "veo": "google", "Veo": "google", "grok": "xai",
    "flux": "black-forest-labs", "doubao": "bytedance", "seedance": "bytedance", "vidu": "vidu", "qwen": "alibaba",
    "wan": "alibaba", "happyhorse": "alibaba", "kling": "kuaishou", "MiniMax": "minimax",
}  # fmt: skip


@lru_cache(maxsize=1)
def kinds() -> dict[str, Kind]:
    """What each listed model makes, by every spelling of its id that the gateway takes."""
    return {name: model.kind for model in packaged_catalogue() for name in (model.id, *model.aliases)}


def known(model: str) -> Model | None:
    """What the catalogue says of a model; None when it is not listed."""
    return packaged_catalogue().find(model)


def is_text_model(model: str) -> bool:
    """Whether it is one of the listed models that talk."""
    return model in _TEXTS


def listing(kind: str, unrouted: Collection[str] = ()) -> dict[str, object]:
    """The document of ``GET /v1/models?type=…``; text models alone are the default.

    Args:
        kind: ``text``, ``chat``, ``image``, ``video`` or ``all``.
        unrouted: ids that are listed without any endpoint.

    """
    rows = []
    if kind in {"text", "chat", "all"}:
        rows += [_row(model, owner, ways) for model, (owner, ways) in _TEXTS.items()]
    for model in packaged_catalogue():
        if kind in {model.kind, "all"}:
            rows.append(_row(model.id, _owner(model.id), [] if model.id in unrouted else [f"{model.kind}-generation"]))
    return {"success": True, "object": "list", "data": rows}


def _row(model: str, owner: str, ways: list[str]) -> dict[str, object]:
    return {"id": model, "object": "model", "created": 1626777600, "owned_by": owner, "supported_endpoint_types": ways}


def _owner(model: str) -> str:
    return next((owner for prefix, owner in _OWNERS.items() if model.startswith(prefix)), "custom")
