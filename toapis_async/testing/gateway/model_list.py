"""What the simulated gateway offers: model ids, what they make and what they cost."""

from decimal import Decimal
from typing import Literal


def _listed(names: str) -> tuple[str, ...]:
    return tuple(names.split())


_IMAGES = _listed("""
gpt-image-2 gpt-image-2-vip gpt-image-2-official gpt-image-2.5-flare gpt-image-2.5-flare-vip
gpt-image-2.5-flare-official gpt-image-2.5-sunburst gpt-image-2.5-sunburst-vip gpt-image-2.5-sunburst-official
gpt-4o-image gemini-2.5-flash-image-preview gemini-2.5-flash-image-official gemini-3-pro-image-preview
gemini-3-pro-image-preview-vip gemini-3-pro-image-preview-official gemini-3.1-flash-image-preview
gemini-3.1-flash-image-preview-vip gemini-3.1-flash-image-preview-official gemini-3.1-flash-lite-image-official
grok-4-1-image grok-4-2-image grok-imagine-1.0 grok-imagine-1.0-edit flux-2-flex flux-2-pro flux-kontext-pro
flux-kontext-max doubao-seedream-4-0 doubao-seedream-4-5 doubao-seedream-5-0 doubao-seedream-5-0-pro vidu-image
viduq3-fast viduq2-pro viduq2-fast qwen-image-3.0 qwen-image-3.0-pro flux-3 grok-imagine-2.0
""")

_VIDEOS = _listed("""
sora-2-vvip sora-2 sora-2-pro sora-2-vip sora-2-official veo3.1-fast veo3.1-quality veo3.1-lite
Veo3.1-quality-official Veo3.1-fast-official Veo3.1-lite-official gemini-omni-flash
gemini-omni-flash-preview-official grok-video-1.0 grok-video-1.5 grok-imagine-1.0-video grok-video-3 kling-v2-6
kling-v3 kling-3.0-turbo kling-v3-omni kling-video-o1 MiniMax-H3 MiniMax-Hailuo-02 MiniMax-Hailuo-2.3
MiniMax-Hailuo-2.3-Fast seedance-2 seedance-2-fast seedance-2-mini seedance-2-5 doubao-seedance-1-0-pro-fast
doubao-seedance-1-0-pro-quality doubao-seedance-1-5-pro happyhorse-1.1 viduq3-pro viduq3-turbo viduq3
viduq3-pro-fast viduq3-ad viduq3-drama viduq3-mix wan2.6 wan2.6-flash wan3.0-video
""")

_TEXTS = {
    "claude-sonnet-4-6": ("anthropic", ["chat_completions", "responses"]),
    "gpt-5": ("openai", ["chat_completions"]),
}

_BY_RESOLUTION = {"1K": Decimal("0.015"), "2K": Decimal("0.020"), "4K": Decimal("0.025")}
_PRICED_BY_RESOLUTION = {"gpt-image-2", "gpt-image-2.5-flare", "gpt-image-2.5-sunburst"}
_PER_IMAGE = {"gemini-2.5-flash-image-preview": Decimal("0.012"), "qwen-image-3.0": Decimal("0.03")}
_PER_SECOND = {
    "grok-video-1.5": Decimal("0.01"),
    "seedance-2-fast": Decimal("0.04"),
    "seedance-2-mini": Decimal("0.014"),
    "wan3.0-video": Decimal("0.05"),
}
_OWNERS = {
    "gpt": "openai", "sora": "openai", "gemini": "google", "veo": "google", "Veo": "google", "grok": "xai",
    "flux": "black-forest-labs", "doubao": "bytedance", "seedance": "bytedance", "vidu": "vidu", "qwen": "alibaba",
    "wan": "alibaba", "happyhorse": "alibaba", "kling": "kuaishou", "MiniMax": "minimax",
}  # fmt: skip

KIND: dict[str, Literal["image", "video"]] = {
    **dict.fromkeys(_IMAGES, "image"),
    **dict.fromkeys(_VIDEOS, "video"),
}
"""What each listed model makes; ids that are not listed make whatever is asked."""


def price(model: str, *, resolution: str, seconds: int, otherwise: Decimal) -> Decimal:
    """USD for one image or video."""
    if model in _PRICED_BY_RESOLUTION:
        return _BY_RESOLUTION.get(resolution.upper(), _BY_RESOLUTION["1K"])
    if model in _PER_SECOND:
        return _PER_SECOND[model] * seconds
    return _PER_IMAGE.get(model, otherwise)


def listing(kind: str) -> dict[str, object]:
    """The document of ``GET /v1/models?type=…``; text models alone are the default."""
    rows = []
    if kind in {"text", "chat", "all"}:
        rows += [_row(model, owner, ways) for model, (owner, ways) in _TEXTS.items()]
    if kind in {"image", "all"}:
        rows += [_row(model, _owner(model), ["image-generation"]) for model in _IMAGES]
    if kind in {"video", "all"}:
        rows += [_row(model, _owner(model), ["video-generation"]) for model in _VIDEOS]
    return {"success": True, "object": "list", "data": rows}


def _row(model: str, owner: str, ways: list[str]) -> dict[str, object]:
    return {"id": model, "object": "model", "created": 1626777600, "owned_by": owner, "supported_endpoint_types": ways}


def _owner(model: str) -> str:
    return next((owner for prefix, owner in _OWNERS.items() if model.startswith(prefix)), "custom")
