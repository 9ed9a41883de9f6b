"""Pictures drawn from prompt and seed (needs Pillow, the extra ``sim``)."""

import io

from PIL import Image

from toapis_async.testing.gateway.pictures import Picture


def draw(picture: Picture) -> bytes:
    """Draw it; the same picture always has the same bytes."""
    return draw_small(picture)


def draw_small(picture: Picture) -> bytes:
    """A plain small one."""
    image = Image.new("RGB", (picture.width // 8 or 1, picture.height // 8 or 1), tuple(picture.seed.to_bytes(4)[1:]))
    buffer = io.BytesIO()
    image.save(buffer, picture.format)
    return buffer.getvalue()
