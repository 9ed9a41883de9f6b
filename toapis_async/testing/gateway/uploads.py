"""Reference files: type by signature, size limits as documented."""

import zlib

import attrs

from toapis_async.testing.gateway.replies.answers import Answer, json_answer
from toapis_async.testing.gateway.replies.refusals import not_a_success

MAX_IMAGE_BYTES = 10_000_000
MAX_VIDEO_BYTES = 50_000_000

_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}


@attrs.frozen
class StoredUpload:
    """A reference that the gateway keeps.

    Attributes:
        path: on the file host.
        mime_type: by signature.
        content: its bytes.

    """

    path: str
    mime_type: str
    content: bytes = attrs.field(repr=False)


def mime_of(content: bytes) -> str | None:
    """The media type by signature bytes; None for what the gateway does not take."""
    head = content[:16]
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "video/quicktime" if head[8:10] == b"qt" else "video/mp4"
    return "video/webm" if head.startswith(b"\x1a\x45\xdf\xa3") else None


def store(content: bytes, kind: str, user_id: int, now: float, number: int) -> StoredUpload | Answer:
    """Check an upload and name it, or refuse it as documented."""
    limit, refusal = (
        (MAX_IMAGE_BYTES, "Unsupported image type. Allowed: JPEG, PNG, WebP, GIF")
        if kind == "image"
        else (MAX_VIDEO_BYTES, "Unsupported or invalid video file. Allowed: MP4, WebM, MOV")
    )
    if len(content) > limit:
        return not_a_success(f"{kind.capitalize()} too large. Maximum size is {limit // 1_000_000}MB")
    mime = mime_of(content)
    if mime is None or not mime.startswith(kind):
        return not_a_success(refusal)
    folder = f"/uploads/{user_id}" + ("/videos" if kind == "video" else "")
    tag = f"{zlib.crc32(content[:4096], number):08x}"
    return StoredUpload(f"{folder}/{int(now)}_{tag}.{_EXTENSIONS[mime]}", mime, content)


def stored(upload: StoredUpload, base_url: str) -> Answer:
    """The documented answer to an upload."""
    tag = upload.path.rpartition("_")[2].partition(".")[0]
    return json_answer(
        {
            "success": True,
            "message": "",
            "data": {
                "id": f"upload_{tag}",
                "url": f"{base_url}{upload.path}",
                "mime_type": upload.mime_type,
                "size": len(upload.content),
            },
        }
    )
