"""Reference files and addresses: what the gateway takes."""

import ipaddress
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeGuard
from urllib.parse import urlsplit

from toapis_async.policy.files.signatures import sniff
from toapis_async.values.kinds import kind_of
from toapis_async.values.requests import GenerationRequest, Reference, RoleReference

# "10MB" and "50 MB" by the pages; whether binary or decimal is not said, so the smaller holds.
MAX_IMAGE_BYTES = 10_000_000
MAX_VIDEO_BYTES = 50_000_000

_IMAGES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_VIDEOS = frozenset({"video/mp4", "video/webm", "video/x-matroska", "video/quicktime"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:", re.ASCII)
_ADDRESS = re.compile(r"(?:https?|asset)://", re.IGNORECASE)
# How JPEG, PNG, WebP and GIF begin in base64; a path of that length is no path.
_BASE64_HEADS = ("/9j/", "iVBORw0KGgo", "UklGR", "R0lGOD")
_BASE64_LENGTH = 120
_LOCAL_NAMES = (".local", ".localhost", ".internal", ".lan")


def is_address(reference: object) -> TypeGuard[str]:
    """Whether the gateway fetches it itself: ``https://``, ``http://`` or ``asset://``. Anything else is a file."""
    return isinstance(reference, str) and _ADDRESS.match(reference) is not None


def local_files(request: GenerationRequest) -> Iterator[str]:
    """Walk the paths of the local files that a request refers to."""
    for field in kind_of(request).shown:
        given = getattr(request, field)
        for reference in given if isinstance(given, tuple) else () if given is None else (given,):
            source = reference.source if isinstance(reference, RoleReference) else reference
            if isinstance(source, str | os.PathLike) and not is_address(source):
                yield os.fsdecode(source)


def check_reference_bytes(data: bytes, name: str) -> str | None:
    """Return what is wrong with a picture to be uploaded, or None.

    Args:
        data: the whole file.
        name: what to call it.

    """
    if not data:
        return f"{name} is empty"
    if len(data) > MAX_IMAGE_BYTES:
        return f"{name} has {len(data):,} bytes; the gateway takes at most {MAX_IMAGE_BYTES:,} (10 MB)"
    signature = sniff(data)
    if signature is None or signature.mime not in _IMAGES:
        return f"{name} is no JPEG, PNG, WebP or GIF by its first bytes; convert it to one of these"
    return None


def check_video_bytes(data: bytes, name: str) -> str | None:
    """Return what is wrong with a clip to be uploaded, or None; arguments as for pictures."""
    if not data:
        return f"{name} is empty"
    if len(data) > MAX_VIDEO_BYTES:
        return f"{name} has {len(data):,} bytes; the gateway takes at most {MAX_VIDEO_BYTES:,} (50 MB)"
    signature = sniff(data)
    if signature is None or signature.mime not in _VIDEOS:
        return f"{name} is no MP4, WebM or MOV by its first bytes; convert it to one of these"
    return None


def wrong_reference(reference: Reference, field: str, *, allow_local: bool = False) -> str | None:
    """Return what is certainly wrong with a reference, or None. Files on the disk are not looked at here."""
    if isinstance(reference, bytes):
        return _wrong_bytes(reference, field)
    if isinstance(reference, os.PathLike):
        return None
    if not reference.strip():
        return f"{field} is empty; give an address, a path or bytes"
    shown = reference if len(reference) <= 80 else reference[:77] + "…"
    if is_address(reference):
        return _wrong_address(reference, f"{field} {shown!r}", allow_local=allow_local)
    if reference[:5].lower() == "data:" or _looks_like_base64(reference):
        return f"{field} is base64 data, which the gateway refuses; give the file's path or its bytes to upload it"
    if (scheme := _SCHEME.match(reference)) and "//" in reference:
        return f"{field} {shown!r} has the scheme {scheme[0]!r}; give an https:// address, a path or bytes"
    return None


def _wrong_bytes(data: bytes, field: str) -> str | None:
    if field.startswith("reference_audios"):
        return f"{field} is empty" if not data else None
    return (
        check_video_bytes(data, field) if field.startswith("reference_videos") else check_reference_bytes(data, field)
    )


def _wrong_address(address: str, named: str, *, allow_local: bool) -> str | None:
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower().rstrip(".")
        _ = parts.port
    except ValueError as error:
        return f"{named} is no address: {error}"
    if not host or any(character.isspace() for character in address):
        return f"{named} is no address that the gateway could fetch"
    if parts.scheme.lower() != "asset" and not allow_local and _is_local(host):
        return f"{named} points into a local network, where the gateway cannot fetch it; give the file's path or bytes"
    return None


@lru_cache(maxsize=256)
def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(_LOCAL_NAMES):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not address.is_global


def _looks_like_base64(text: str) -> bool:
    return len(text) > _BASE64_LENGTH and text.startswith(_BASE64_HEADS)
