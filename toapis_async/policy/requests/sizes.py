"""Sizes: ratios such as ``16:9``, pixels such as ``1024x1024``, and words such as ``auto``."""

import re
from math import log

from toapis_async.values.catalogue import Model
from toapis_async.values.rules import PixelSizes

_RATIO = re.compile(r"([1-9]\d{0,4}):([1-9]\d{0,4})", re.ASCII)
_PIXELS = re.compile(r"([1-9]\d{0,4})[xX*]([1-9]\d{0,4})", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]*|\d{1,2}(\.\d)?[kK]", re.ASCII)
_MISTYPED = str.maketrans({"×": "x", "✕": "x", "：": ":", "∶": ":", "＊": "*", "/": ":", "∗": "*"})


def wire_size(model: Model, size: str) -> str | None:
    """Return what the wire wants for a size, or None when the model certainly does not have it."""
    if size in (model.sizes or ()):
        return size
    wanted = size.casefold()
    known = next((one for one in model.sizes or () if one.casefold() == wanted), None)
    if known is not None:
        return known
    if model.any_ratio and (ratio := _RATIO.fullmatch(size)):
        return size if _within(int(ratio[1]), int(ratio[2]), model.max_ratio) else None
    if model.pixels is not None and (pixels := _PIXELS.fullmatch(size)):
        width, height = int(pixels[1]), int(pixels[2])
        return f"{width}{model.pixels.separator}{height}" if _fits(model.pixels, width, height) else None
    return None


def looks_like_a_size(size: str) -> bool:
    """Whether it has the form of a size at all, whatever the model."""
    return any(form.fullmatch(size) for form in (_RATIO, _PIXELS, _WORD))


def repaired(size: str) -> str | None:
    """Return a mistyped size as it was probably meant (``16：9``, ``1024 × 1024``), or None."""
    guess = re.sub(r"\s+", "", size.translate(_MISTYPED))
    return guess if guess != size and looks_like_a_size(guess) else None


def pixels_of(size: str) -> int | None:
    """Return how many pixels a size such as ``1024x1024`` has; None for ratios and words."""
    pixels = _PIXELS.fullmatch(size)
    return int(pixels[1]) * int(pixels[2]) if pixels else None


def closest_ratio(model: Model, size: str) -> str | None:
    """Return the listed ratio whose shape comes closest to a ratio or to pixels; None for words."""
    shape = _RATIO.fullmatch(size) or _PIXELS.fullmatch(size)
    if shape is None:
        return None
    listed = [ratio for one in model.sizes or () if (ratio := _RATIO.fullmatch(one))]
    wanted = log(int(shape[1]) / int(shape[2]))
    closest = min(listed, key=lambda ratio: abs(log(int(ratio[1]) / int(ratio[2])) - wanted), default=None)
    return closest[0] if closest is not None else None


def allowed_sizes(model: Model) -> str:
    """Return what the model allows, in words."""
    parts = [", ".join(model.sizes)] if model.sizes else []
    if model.any_ratio:
        parts.append("any ratio" + (f" up to {model.max_ratio:g}:1" if model.max_ratio else ""))
    if model.pixels is not None:
        parts.append(_allowed_pixels(model.pixels))
    return " or ".join(parts)


def _allowed_pixels(pixels: PixelSizes) -> str:
    facts = []
    if pixels.step > 1:
        facts.append(f"sides in steps of {pixels.step}")
    if pixels.min_pixels or pixels.max_pixels:
        facts.append(f"{pixels.min_pixels or 0:,} to {pixels.max_pixels or 0:,} pixels")
    if pixels.max_side:
        facts.append(f"long side at most {pixels.max_side}")
    if pixels.max_ratio:
        facts.append(f"ratio at most {pixels.max_ratio:g}:1")
    form = f"WIDTH{pixels.separator}HEIGHT in pixels"
    return f"{form} ({', '.join(facts)})" if facts else form


def _within(width: int, height: int, max_ratio: float | None) -> bool:
    return max_ratio is None or max(width, height) <= max_ratio * min(width, height)


def _fits(pixels: PixelSizes, width: int, height: int) -> bool:
    area = width * height
    return (
        width % pixels.step == 0
        and height % pixels.step == 0
        and (pixels.min_pixels is None or area >= pixels.min_pixels)
        and (pixels.max_pixels is None or area <= pixels.max_pixels)
        and (pixels.max_side is None or max(width, height) <= pixels.max_side)
        and _within(width, height, pixels.max_ratio)
    )
