"""What picture a request asks for: its pixels, its format and its seed."""

import math
import re
import zlib
from collections.abc import Mapping

import attrs

from toapis_async.testing.gateway import model_list

_RATIO = re.compile(r"(\d{1,3}):(\d{1,3})")
_PIXELS = re.compile(r"(\d{2,5})x(\d{2,5})")
_SIDE = {"0.5K": 512, "1K": 1024, "2K": 2048, "3K": 3072, "4K": 4096}
_EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp", "svg": "svg"}
_JPEG_BY_CUSTOM = ("gemini-3", "doubao", "grok")


@attrs.frozen
class Picture:
    """A picture to be drawn.

    Attributes:
        prompt: what stands on it.
        width, height: pixels.
        format: ``png``, ``jpeg``, ``webp`` or ``svg``.
        seed: two pictures of one prompt differ by it.
        label: its task, hidden in the file so that no two files are the same.

    """

    prompt: str
    width: int
    height: int
    format: str
    seed: int
    label: str = ""

    @property
    def extension(self) -> str:
        """Without the dot."""
        return _EXTENSIONS[self.format]


def pixels_of(size: str | None, resolution: str | None) -> tuple[int, int]:
    """Width and height; the ratio at about the area of the resolution, in steps of 8."""
    if size and (found := _PIXELS.fullmatch(size)):
        return int(found[1]), int(found[2])
    wide, high = 1, 1
    if size and (found := _RATIO.fullmatch(size)) and int(found[1]) and int(found[2]):
        wide, high = int(found[1]), int(found[2])
    side = _SIDE.get((resolution or "1K").upper(), 1024)
    width = side * math.sqrt(wide / high)
    return _step(width), _step(width * high / wide)


def is_size(text: str) -> bool:
    """Whether the gateway can read it: ``W:H``, ``WxH``, ``auto`` or ``match_input_image``."""
    return text in {"auto", "match_input_image"} or bool(_RATIO.fullmatch(text) or _PIXELS.fullmatch(text))


def resolution_of(body: Mapping[str, object], model: str) -> str | None:
    """What the model reads: the top level or ``metadata``, and nothing of what stands elsewhere.

    Video models and ids that are not listed take it from either place.
    """
    metadata = body.get("metadata")
    nested = metadata.get("resolution") if isinstance(metadata, dict) else None
    listed = model_list.known(model)
    if listed is None or listed.kind != "image":
        found = body.get("resolution") or nested
    else:
        found = body.get("resolution") if listed.resolution_place == "resolution" else nested
    return found if isinstance(found, str) else None


def format_of(body: Mapping[str, object], model: str, default: str | None) -> str:
    """What was asked for, else the scenario's, else what the model is known to make."""
    asked = str(body.get("output_format") or default or "").lower()
    if asked in {"jpg", "jpeg"}:
        return "jpeg"
    if asked in {"png", "webp", "svg"}:
        return asked
    return "jpeg" if model.startswith(_JPEG_BY_CUSTOM) else "png"


def seed_of(prompt: str, number: int) -> int:
    """The same for the same prompt and number, in every process."""
    return zlib.crc32(f"{number}|{prompt}".encode())


def _step(length: float) -> int:
    return max(8, round(length / 8) * 8)
