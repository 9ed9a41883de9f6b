"""Whether the pixels of a picture can be decoded: what its structure does not tell. Blocks: for a disk thread.

Needs Pillow, the extra ``verify``.
"""

import io
import warnings
from importlib.util import find_spec
from pathlib import Path

from toapis_async.errors import ConfigurationError

# What Pillow decodes by itself; other pictures need plugins, and films and vectors are none of its business.
_FORMATS = {
    "image/png": ("PNG",),
    "image/jpeg": ("JPEG", "MPO"),
    "image/gif": ("GIF",),
    "image/webp": ("WEBP",),
    "image/avif": ("AVIF",),
    "image/tiff": ("TIFF",),
    "image/bmp": ("BMP",),
}


def require_decoder() -> None:
    """Look whether pictures can be decoded, without loading what does it.

    Raises:
        ConfigurationError: Pillow is not installed.

    """
    if find_spec("PIL") is None:
        raise _missing()


def _missing() -> ConfigurationError:
    return ConfigurationError("Decoding needs Pillow.", hint="pip install 'toapis-async[verify]'")


def why_undecodable(picture: Path | bytes, *, mime: str) -> str | None:
    """Decode every frame of a picture, and drop the pixels again.

    Finds compressed pixels that end early or contradict themselves. Of a JPEG or WebP whose coded pixels were merely
    changed, most decoders make a spoilt picture without a word. Holds a frame's pixels in memory.

    Args:
        picture: where it is, or its bytes.
        mime: what it is by its structure; of videos, SVG and what this Pillow does not know nothing is decoded.

    Returns:
        what the decoder says, in words that go on after "The file"; None when it found nothing, or did not decode.

    Raises:
        ConfigurationError: Pillow is not installed.

    """
    try:
        from PIL import Image, UnidentifiedImageError, features  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _missing() from error
    formats = _FORMATS.get(mime)
    if formats is None or (mime == "image/avif" and not features.check("avif")):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture, formats=formats) as image:
                for number in range(getattr(image, "n_frames", 1)):
                    image.seek(number)
                    image.load()
    except Image.DecompressionBombError:
        return None  # too large for Pillow's own limit, which says nothing against the file
    except UnidentifiedImageError:
        return "cannot be decoded: its beginning makes no sense"
    except Exception as error:  # noqa: BLE001 - Pillow raises whatever it likes at damaged pixels
        return f"cannot be decoded: {error}"
    return None
