"""Forms as ``multipart/form-data`` (RFC 7578), written by hand: whole, and the same bytes for the same input."""

from collections.abc import Iterable

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def form_data(
    fields: Iterable[tuple[str, str]], *, file: tuple[str, str, str, bytes] | None = None
) -> tuple[bytes, str]:
    """Encode a form.

    Args:
        fields: name and text, in order; names may repeat.
        file: field name, file name, MIME type and bytes, or None.

    Returns:
        the body, and its content type.

    """
    parts = [(f'name="{name.translate(_ESCAPES)}"', "", text.encode("utf-8", "replace")) for name, text in fields]
    if file is not None:
        name, filename, mime_type, data = file
        head = f'name="{name}"; filename="{filename.translate(_ESCAPES)}"'
        parts.append((head, f"\r\nContent-Type: {mime_type}", data))
    boundary = _boundary([content for _, _, content in parts])
    chunks: list[bytes] = []
    for disposition, more, content in parts:
        head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}{more}\r\n\r\n"
        chunks += [head.encode("utf-8", "replace"), content, b"\r\n"]
    chunks.append(f"--{boundary}--\r\n".encode())
    return b"".join(chunks), f"multipart/form-data; boundary={boundary}"


def _boundary(contents: list[bytes]) -> str:
    boundary, attempt = "toapis-async-form", 0
    while any(boundary.encode() in content for content in contents):
        attempt += 1
        boundary = f"toapis-async-form-{attempt}"
    return boundary
