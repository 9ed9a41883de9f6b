"""Files on the user's disk."""

from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class SavedFile:
    """A file that was verified, synced and renamed into place.

    Attributes:
        path: where it is, below the output directory that the user gave.
        bytes: its length.
        sha256: of its content, in hexadecimal.
        mime: by its signature bytes, not by what the server said.
        width, height: pixels; None where the format does not say so in its head.
        mtime_ns: the modification time that the file system gave it; tells an untouched file without reading it.

    """

    path: Path
    bytes: int
    sha256: str
    mime: str
    width: int | None = None
    height: int | None = None
    mtime_ns: int | None = None
