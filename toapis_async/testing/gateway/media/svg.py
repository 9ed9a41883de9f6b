"""An SVG with its prompt as text."""

from xml.sax.saxutils import escape

_UNWRITABLE = {code: " " for code in range(32) if code not in {9, 10, 13}}


def captioned_svg(width: int, height: int, colour: bytes, prompt: str, comment: str) -> bytes:
    """Write it.

    Args:
        width, height: of the drawing.
        colour: red, green and blue of its ground.
        prompt: what stands on it.
        comment: kept where nobody sees it; hyphens in pairs are parted, since XML forbids them there.

    """
    caption = escape(prompt.translate(_UNWRITABLE).encode("utf-8", "replace").decode())
    kept = comment.translate(_UNWRITABLE).replace("--", "- -").rstrip("-")
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f"<!-- {kept} -->\n"
        f'<rect width="100%" height="100%" fill="#{colour.hex()}"/>\n'
        f'<text x="50%" y="50%" text-anchor="middle" fill="white">{caption}</text>\n'
        "</svg>\n"
    )
    return text.encode()
